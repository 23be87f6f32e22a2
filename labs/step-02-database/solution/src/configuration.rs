//! What the environment says: where to listen, which database, how many connections, how long to wait.

use std::env::{self, VarError};
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

/// The server's settings.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// `HOST`: the address to listen on.
    pub host: String,
    /// `PORT`: the port to listen on; 0 lets the system pick one.
    pub port: u16,
    /// `DATABASE_URL`: where Postgres is. It holds a password: whoever prints the configuration prints no URL.
    pub database_url: SecretString,
    /// `DATABASE_MAX_CONNECTIONS`: the most connections to keep open at once.
    pub database_max_connections: u32,
    /// `DATABASE_TIMEOUT_MS`: the longest that one request waits for the database.
    pub database_timeout: Duration,
}

/// A variable that is missing or makes no sense. The value is left out: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A variable without a default is not set.
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
            database_url: variable::<String>("DATABASE_URL")?
                .ok_or(ConfigurationError::Missing("DATABASE_URL"))?
                .into(),
            database_max_connections: variable("DATABASE_MAX_CONNECTIONS")?.unwrap_or(10),
            database_timeout: Duration::from_millis(variable("DATABASE_TIMEOUT_MS")?.unwrap_or(5_000)),
        })
    }
}

fn variable<T: FromStr>(name: &'static str) -> Result<Option<T>, ConfigurationError> {
    match env::var(name) {
        Ok(text) => text.parse().map(Some).map_err(|_| ConfigurationError::Invalid(name)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(ConfigurationError::Invalid(name)),
    }
}
