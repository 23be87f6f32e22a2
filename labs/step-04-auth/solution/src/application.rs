//! Puts the parts together: a store that is connected and migrated, the keys, a router, a listener.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use tokio::net::TcpListener;

use crate::auth::{LogIn, TokenKeys};
use crate::configuration::Configuration;
use crate::store::Store;
use crate::{http, web};

/// What every request can use.
#[derive(Debug, Clone, FromRef)]
pub struct AppState {
    /// The database.
    pub store: Store,
    /// Signs and verifies tokens.
    pub keys: Arc<TokenKeys>,
    /// Turns an e-mail address and a password into an account.
    pub log_in: LogIn,
}

/// A server that is ready to run.
#[derive(Debug)]
pub struct Application {
    listener: TcpListener,
    router: Router,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database does not answer, or its URL makes no sense.
    #[error("connecting to the database: {0}")]
    Connect(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("running the migrations: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The address is taken or not ours.
    #[error("listening: {0}")]
    Listen(#[from] std::io::Error),
}

impl Application {
    /// Connects, migrates and listens. Only then is the server ready: it never answers on half a schema.
    ///
    /// # Errors
    /// What failed of the three.
    pub async fn build(configuration: &Configuration) -> Result<Self, StartError> {
        let store = Store::connect(&configuration.database_url).await.map_err(StartError::Connect)?;
        store.migrate().await?;
        let state = AppState {
            store: store.clone(),
            keys: Arc::new(TokenKeys::new(&configuration.jwt_secret)),
            log_in: LogIn::new(store, configuration.bcrypt_cost, configuration.throttle),
        };
        let listener = TcpListener::bind((configuration.host.as_str(), configuration.port)).await?;
        Ok(Self {
            listener,
            router: http::router().merge(web::router()).layer(middleware::from_fn(traced)).with_state(state),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not know.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process is stopped.
    ///
    /// # Errors
    /// What the listener says.
    pub async fn run(self) -> std::io::Result<()> {
        // The client's address comes from the connection: a header says what its sender likes.
        axum::serve(self.listener, self.router.into_make_service_with_connect_info::<SocketAddr>()).await
    }
}

/// Whatever is logged for a request is logged in its span, and so says which request it was for. The query string is left
/// out: it holds what a visitor typed.
#[tracing::instrument(name = "request", skip_all, fields(method = %request.method(), path = request.uri().path()))]
async fn traced(request: Request, next: Next) -> Response {
    next.run(request).await
}
