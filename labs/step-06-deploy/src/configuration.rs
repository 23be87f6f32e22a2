//! What the environment says.

use std::env;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// The server's settings.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// `HOST`: the address to listen on.
    pub host: String,
    /// `PORT`: the port to listen on.
    pub port: u16,
    /// `DATABASE_URL`: where Postgres is, as the driver understands it. Its `Debug` shows the password.
    pub database: PgConnectOptions,
    /// `DATABASE_MAX_CONNECTIONS`: the most connections to keep open at once.
    pub database_max_connections: u32,
    /// `API_TOKEN`: what clients must show before they may write.
    pub api_token: String,
    /// What one request, and all of them together, may take.
    pub limits: Limits,
    /// `DRAIN_DELAY_MS`: how long to go on accepting after we said that we are no longer ready.
    pub drain_delay: Duration,
    /// `SHUTDOWN_TIMEOUT_MS`: how long requests may take to finish after that.
    pub shutdown_timeout: Duration,
}

/// Bounds, so that nobody can take more than we have.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `REQUEST_TIMEOUT_MS`: the longest that one request may take.
    pub request_timeout: Duration,
    /// `MAX_BODY_BYTES`: the largest body that is read.
    pub body_bytes: usize,
    /// `MAX_IN_FLIGHT`: how many requests are worked on at once.
    pub in_flight: usize,
}

/// A variable that is missing or invalid. The value is left out, because it may contain a password.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A variable without a default is not set, or empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A variable cannot be parsed.
    #[error("{0} cannot be understood")]
    Invalid(&'static str),
}

impl Configuration {
    /// Reads the environment.
    ///
    /// # Errors
    /// The first variable that is missing or invalid.
    pub fn from_env() -> Result<Self, ConfigurationError> {
        // TODO(step-06.1): all of these are guesses. Which variables must be set? What if one is invalid? Name it, but
        // never print its value. The crate `envconfig` does both, and `secrecy` has types whose `Debug` shows nothing.
        let database_url: String = variable("DATABASE_URL", "postgres://postgres@127.0.0.1/postgres".into());
        Ok(Self {
            host: variable("HOST", "127.0.0.1".into()),
            port: variable("PORT", 8080),
            database: database_url.parse().map_err(|_| ConfigurationError::Invalid("DATABASE_URL"))?,
            database_max_connections: variable("DATABASE_MAX_CONNECTIONS", 10),
            api_token: variable("API_TOKEN", "secret".into()),
            limits: Limits {
                request_timeout: milliseconds("REQUEST_TIMEOUT_MS", 10_000),
                body_bytes: variable("MAX_BODY_BYTES", 65_536),
                in_flight: variable("MAX_IN_FLIGHT", 100),
            },
            drain_delay: milliseconds("DRAIN_DELAY_MS", 5_000),
            shutdown_timeout: milliseconds("SHUTDOWN_TIMEOUT_MS", 20_000),
        })
    }
}

fn milliseconds(name: &str, default: u64) -> Duration {
    Duration::from_millis(variable(name, default))
}

fn variable<T: FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
