//! Puts the host together, and runs it until it is told to end.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use envconfig::Envconfig as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::configuration::{Configuration, ConfigurationError};
use crate::http::{self, Services};
use crate::merge::{self, Queue};
use crate::push::{Rules, RulesError};

/// Why the host does not run.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    /// A variable is missing or makes no sense.
    #[error("{0}")]
    Configuration(#[from] ConfigurationError),
    /// The rules for pushes cannot be set up.
    #[error("{0}")]
    Rules(#[from] RulesError),
    /// The address is taken or not ours, or the listener failed.
    #[error("serving: {0}")]
    Io(#[from] io::Error),
}

/// Reads the environment and serves.
pub fn serve() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr).init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the host stopped");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run() -> Result<(), ServeError> {
    let configuration = Configuration::init_from_env()?;
    let router = router(&configuration)?;
    merge::remove_leftovers();
    let listener = TcpListener::bind((configuration.host.as_str(), configuration.port)).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(axum::serve(listener, router).with_graceful_shutdown(stop).await?)
}

fn router(configuration: &Configuration) -> Result<Router, RulesError> {
    Ok(http::router(Services {
        repositories: configuration.repositories.clone(),
        users: Arc::new(configuration.users.clone()),
        rules: Arc::new(Rules::install(configuration.repositories.path(), &configuration.allowed_signers)?),
        queue: Queue::new(configuration.test_command.clone(), configuration.test_timeout.duration()),
    }))
}
