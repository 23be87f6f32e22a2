//! Puts a web server or a worker together, and takes it apart again in the right order.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use envconfig::Envconfig as _;
use sqlx::migrate::MigrateError;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::bucket::Bucket;
use crate::configuration::{Configuration, ConfigurationError, Role};
use crate::http::{self, Services};
use crate::jobs::{Broker, BrokerError, Relay, Worker};
use crate::shutdown::{self, Stop};
use crate::store::{Outgoing, Store};
use crate::sweeper::Sweeper;
use crate::uploads::Uploads;

/// What connections need to be closed in good order, and what of the time to end is kept for that.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Why the program ended before it was told to.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("{0}")]
    Configuration(#[from] ConfigurationError),
    #[error("{0}")]
    Broker(#[from] BrokerError),
    #[error("preparing the database: {0}")]
    Prepare(#[from] MigrateError),
    #[error("serving: {0}")]
    Io(#[from] io::Error),
}

/// Whether everything is prepared. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// It is.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it is.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Reads the environment and serves.
pub fn serve() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the server stopped");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run() -> Result<(), ServeError> {
    let configuration = Configuration::init_from_env()?;
    let signal = shutdown::requested()?;
    let parts = Parts::connect(&configuration).await?;
    let listener = TcpListener::bind((configuration.host.as_str(), configuration.port)).await?;
    tracing::info!(address = %listener.local_addr()?, role = ?configuration.role, "listening");
    let stop = Stop::default();
    let mut tasks = JoinSet::new();
    parts.spawn_server(&configuration, listener, &stop, &mut tasks);
    tokio::pin!(signal);
    let prepared = tokio::select! {
        () = &mut signal => None,
        ended = failure(&mut tasks) => return ended,
        prepared = parts.prepare(&configuration) => Some(prepared?),
    };
    if let Some(worker) = prepared {
        parts.spawn_role(&configuration, worker, &stop, &mut tasks);
        parts.ready.set();
        tokio::select! {
            () = signal => {}
            ended = failure(&mut tasks) => return ended,
        }
    }
    wind_down(configuration.shutdown_timeout.duration(), &stop, tasks).await;
    parts.store.close(LAST_MOMENT).await;
    Ok(())
}

/// Waits for a task that fails. All others end when they are told to.
async fn failure(tasks: &mut JoinSet<Result<(), ServeError>>) -> Result<(), ServeError> {
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(io::Error::from)??;
    }
    pending().await
}

/// Begins nothing new, finishes what was begun, and gives up what does not end in time.
async fn wind_down(within: Duration, stop: &Stop, mut tasks: JoinSet<Result<(), ServeError>>) {
    let last = (within / 4).min(LAST_MOMENT);
    let end = Instant::now() + within.saturating_sub(2 * last);
    stop.begin();
    let ended = async { while tasks.join_next().await.is_some() {} };
    tokio::pin!(ended);
    if timeout_at(end, &mut ended).await.is_err() {
        tracing::warn!("the time to end is nearly over: what is in hand is given up");
        stop.cut();
        let _ = timeout(last, ended).await;
    }
}

/// What a process is made of.
struct Parts {
    store: Store,
    bucket: Bucket,
    broker: Broker,
    relay: Relay,
    ready: Ready,
}

impl Parts {
    async fn connect(configuration: &Configuration) -> Result<Self, ServeError> {
        let store = Store::new(&configuration.databases()?);
        let bucket = Bucket::new(&configuration.bucket)?;
        let broker = Broker::connect(&configuration.broker).await?;
        let which = if configuration.role == Role::Web { Outgoing::All } else { Outgoing::LeftBehind };
        let relay = Relay::new(store.clone(), broker.clone(), which);
        Ok(Self { store, bucket, broker, relay, ready: Ready::default() })
    }

    fn spawn_server(
        &self,
        configuration: &Configuration,
        listener: TcpListener,
        stop: &Stop,
        tasks: &mut JoinSet<Result<(), ServeError>>,
    ) {
        let router = match configuration.role {
            Role::Web => http::router(self.services(configuration)),
            Role::Worker => http::probes(self.ready.clone()),
        };
        let (begun, cutting) = (stop.clone(), stop.clone());
        tasks.spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let serving = axum::serve(listener, service).with_graceful_shutdown(async move { begun.begun().await });
            tokio::select! {
                served = serving => Ok(served?),
                () = cutting.cutting() => Ok(()),
            }
        });
    }

    fn services(&self, configuration: &Configuration) -> Services {
        Services {
            store: self.store.clone(),
            bucket: self.bucket.clone(),
            uploads: Uploads::new(self.store.clone(), self.bucket.clone(), configuration.uploads),
            relay: self.relay.clone(),
            tokens: Arc::new(configuration.tokens.clone()),
            trusted_proxies: Arc::new(configuration.trusted_proxies.clone()),
            ready: self.ready.clone(),
        }
    }

    /// Waits for the database and, as a worker, for the broker, and prepares them.
    async fn prepare(&self, configuration: &Configuration) -> Result<Option<(Worker, PullConsumer)>, ServeError> {
        self.store.prepare().await?;
        if configuration.role == Role::Web {
            return Ok(None);
        }
        let (store, bucket, broker) = (self.store.clone(), self.bucket.clone(), self.broker.clone());
        let worker = Worker::new(store, bucket, broker, configuration.jobs);
        let consumer = worker.prepare().await;
        Ok(Some((worker, consumer)))
    }

    fn spawn_role(
        &self,
        configuration: &Configuration,
        worker: Option<(Worker, PullConsumer)>,
        stop: &Stop,
        tasks: &mut JoinSet<Result<(), ServeError>>,
    ) {
        let sweeper = Sweeper::new(self.store.clone(), self.bucket.clone(), configuration.sweeping);
        let (relay, stop) = (self.relay.clone(), stop.clone());
        tasks.spawn(async move {
            match worker {
                None => relay.run(&stop).await,
                Some((worker, consumer)) => {
                    tokio::join!(relay.run(&stop), worker.run(&consumer, &stop), sweeper.run(&stop));
                }
            }
            Ok(())
        });
    }
}
