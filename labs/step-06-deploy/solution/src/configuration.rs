//! What the environment says. Whatever is missing or makes no sense ends the start: a server that runs on a guess
//! fails later, and nobody knows why.

use std::env::{self, VarError};
use std::fmt;
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
    /// `DATABASE_URL`: where Postgres is, as the driver understands it. Its `Debug` shows no password.
    pub database: PgConnectOptions,
    /// `DATABASE_MAX_CONNECTIONS`: the most connections to keep open at once.
    pub database_max_connections: u32,
    /// `API_TOKEN`: what clients must show before they may write.
    pub api_token: Secret,
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

/// A value that never appears in a log: its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The value itself, for the one place that compares it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A variable that is missing or makes no sense. The value is left out: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A variable without a default is not set, or empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A variable cannot be read as what it stands for.
    #[error("{0} cannot be understood")]
    Invalid(&'static str),
}

impl Configuration {
    /// Reads the environment.
    ///
    /// # Errors
    /// The first variable that is missing or makes no sense.
    pub fn from_env() -> Result<Self, ConfigurationError> {
        Ok(Self {
            host: variable("HOST")?.unwrap_or_else(|| "127.0.0.1".into()),
            port: variable("PORT")?.unwrap_or(8080),
            database: required("DATABASE_URL")?,
            database_max_connections: variable("DATABASE_MAX_CONNECTIONS")?.unwrap_or(10),
            api_token: Secret(required("API_TOKEN")?),
            limits: Limits {
                request_timeout: milliseconds("REQUEST_TIMEOUT_MS", 10_000)?,
                body_bytes: variable("MAX_BODY_BYTES")?.unwrap_or(65_536),
                in_flight: variable("MAX_IN_FLIGHT")?.unwrap_or(100),
            },
            drain_delay: milliseconds("DRAIN_DELAY_MS", 5_000)?,
            shutdown_timeout: milliseconds("SHUTDOWN_TIMEOUT_MS", 20_000)?,
        })
    }
}

fn required<T: FromStr>(name: &'static str) -> Result<T, ConfigurationError> {
    variable(name)?.ok_or(ConfigurationError::Missing(name))
}

fn milliseconds(name: &'static str, default: u64) -> Result<Duration, ConfigurationError> {
    Ok(Duration::from_millis(variable(name)?.unwrap_or(default)))
}

fn variable<T: FromStr>(name: &'static str) -> Result<Option<T>, ConfigurationError> {
    match env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => text.parse().map(Some).map_err(|_| ConfigurationError::Invalid(name)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(ConfigurationError::Invalid(name)),
    }
}
