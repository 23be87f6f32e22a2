//! Puts a web server or a worker together, and runs it until it is told to end.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use envconfig::Envconfig as _;
use sqlx::migrate::MigrateError;
use tokio::net::TcpListener;

use crate::bucket::Bucket;
use crate::configuration::{Configuration, ConfigurationError, Role};
use crate::http::{self, Services};
use crate::shutdown;
use crate::store::Store;

/// Why the program ended before it was told to.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("{0}")]
    Configuration(#[from] ConfigurationError),
    #[error("preparing the database: {0}")]
    Prepare(#[from] MigrateError),
    #[error("serving: {0}")]
    Io(#[from] io::Error),
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
    let stop = shutdown::requested()?;
    let store = Store::new(&configuration.databases()?);
    store.prepare().await?;
    // TODO(step-08.4): connect to the broker (`broker::connect`), and carry accepted jobs to it.
    // TODO(step-08.5): a worker sweeps, too: one of them at a time. And when `stop` is done, what is in hand is finished or
    // given back.
    let router = match configuration.role {
        Role::Web => http::router(Services {
            store,
            bucket: Bucket::new(&configuration.bucket)?,
            tokens: Arc::new(configuration.tokens.clone()),
        }),
        Role::Worker => http::probes(),
    };
    let listener = TcpListener::bind((configuration.host.as_str(), configuration.port)).await?;
    tracing::info!(address = %listener.local_addr()?, role = ?configuration.role, "listening");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).with_graceful_shutdown(stop).await?)
}
