//! Puts the parts together: a store that is connected and migrated, the cache in front of it, a router, a listener.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::FromRef;
use tokio::net::TcpListener;

use crate::cache::Cache;
use crate::catalog::Catalog;
use crate::configuration::Configuration;
use crate::http;
use crate::rate_limit::RateLimit;
use crate::redis_client::Redis;
use crate::sessions::Sessions;
use crate::store::Store;

/// What every request can use.
#[derive(Debug, Clone, FromRef)]
pub struct AppState {
    /// Events, from the cache where that is right.
    pub catalog: Catalog,
    /// The database, for what is never cached.
    pub store: Store,
    /// Who is logged in.
    pub sessions: Sessions,
    /// How often somebody may try to log in.
    pub attempts: RateLimit,
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
    /// The URL of Redis makes no sense.
    #[error("reading REDIS_URL: {0}")]
    Redis(#[from] redis::RedisError),
    /// The address is taken or not ours.
    #[error("listening: {0}")]
    Listen(#[from] std::io::Error),
}

impl Application {
    /// Connects, migrates and listens. Redis is not waited for: without it the server is slower, not wrong.
    ///
    /// # Errors
    /// What failed of these.
    pub async fn build(configuration: &Configuration) -> Result<Self, StartError> {
        let store = Store::connect(configuration).await.map_err(StartError::Connect)?;
        store.migrate().await?;
        let redis = Redis::open(&configuration.redis_url, configuration.redis_timeout)?;
        let cache = Cache::new(redis.clone(), configuration.cache_ttl, configuration.lock_ttl);
        let state = AppState {
            catalog: Catalog::new(store.clone(), cache),
            store,
            sessions: Sessions::new(redis.clone(), configuration.sessions),
            attempts: RateLimit::new(redis, configuration.rate_limit, configuration.rate_window),
        };
        let listener = TcpListener::bind((configuration.host.as_str(), configuration.port)).await?;
        Ok(Self { listener, router: http::router().with_state(state) })
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
