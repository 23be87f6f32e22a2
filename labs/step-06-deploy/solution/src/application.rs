//! Puts the parts together, and takes them apart again in the right order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::configuration::Configuration;
use crate::http::{self, Services};
use crate::lifecycle::{Lifecycle, Phase};
use crate::metrics::Metrics;
use crate::store::{PrepareError, Store};
use crate::tally::Tally;

/// What requests that are given up, and connections of the database, need to come to their end.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// A server that listens and is about to prepare its database.
#[derive(Debug)]
pub struct Application {
    configuration: Configuration,
    listener: TcpListener,
    router: Router,
    lifecycle: Lifecycle,
    store: Store,
}

/// Why the server ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The schema cannot be brought up to date, and waiting does not help.
    #[error("preparing the database: {0}")]
    Prepare(#[from] PrepareError),
    /// The listener failed.
    #[error("serving: {0}")]
    Serve(#[from] std::io::Error),
}

impl Application {
    /// Listens. The database is not asked yet: a server that waits for it shall be able to say so.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn build(configuration: Configuration) -> std::io::Result<Self> {
        let lifecycle = Lifecycle::default();
        let store = Store::new(&configuration);
        let services = Services {
            store: store.clone(),
            lifecycle: lifecycle.clone(),
            metrics: Arc::new(Metrics::default()),
            tally: Arc::new(Tally::default()),
            api_token: configuration.api_token.clone(),
        };
        let router = http::router(services, configuration.limits);
        let listener = TcpListener::bind((configuration.host.as_str(), configuration.port)).await?;
        Ok(Self { configuration, listener, router, lifecycle, store })
    }

    /// Serves until `stop` is done, and then ends in good order.
    ///
    /// # Errors
    /// What made it end before.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), RunError> {
        let Self { configuration, listener, router, lifecycle, store } = self;
        let closing = lifecycle.clone();
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(async move { closing.reached(Phase::Closing).await });
        let mut serving = tokio::spawn(async move { serving.await });
        let preparing = async {
            store.prepare().await?;
            lifecycle.enter(Phase::Serving);
            std::future::pending::<Result<(), RunError>>().await
        };
        tokio::select! {
            ended = preparing => return ended,
            ended = &mut serving => return Ok(ended.map_err(std::io::Error::from)??),
            () = stop => {}
        }
        wind_down(&configuration, &lifecycle, serving).await;
        store.close(LAST_MOMENT).await;
        Ok(())
    }
}

/// Says that we go, waits until everybody can have heard it, finishes what was begun, and gives up what does not end.
async fn wind_down(configuration: &Configuration, lifecycle: &Lifecycle, mut serving: JoinHandle<std::io::Result<()>>) {
    lifecycle.enter(Phase::Draining);
    sleep(Duration::from_millis(configuration.drain_delay_ms)).await;
    lifecycle.enter(Phase::Closing);
    if timeout(configuration.shutdown_timeout.duration(), &mut serving).await.is_err() {
        lifecycle.enter(Phase::Cutting);
        tracing::warn!("requests were cut off: the time to shut down is over");
        // A request that is cut is answered. Half a head is no request, and nobody waits for the rest of it.
        let _ = timeout(LAST_MOMENT, lifecycle.idle()).await;
        serving.abort();
    }
}
