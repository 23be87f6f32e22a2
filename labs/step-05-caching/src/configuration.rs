//! Settings from the environment: where to listen, which services, how long things live.

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
    /// `DATABASE_URL`: where Postgres is.
    pub database_url: SecretString,
    /// `DATABASE_MAX_CONNECTIONS`: the most connections to keep open at once.
    pub database_max_connections: u32,
    /// `REDIS_URL`: where Redis is.
    pub redis_url: SecretString,
    /// `REDIS_TIMEOUT_MS`: the longest that one command waits for Redis.
    pub redis_timeout: Duration,
    /// `CACHE_TTL_SECONDS`: the longest that a copy is kept. Zero turns the cache off.
    pub cache_ttl: Duration,
    /// `LOCK_TTL_MS`: the longest that one reader keeps the others waiting.
    pub lock_ttl: Duration,
    /// When sessions end.
    pub sessions: SessionLimits,
    /// `RATE_LIMIT`: how many attempts to log in an address has in a window.
    pub rate_limit: u64,
    /// `RATE_WINDOW_SECONDS`: how long a window is.
    pub rate_window: Duration,
}

/// When a session ends.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// `SESSION_IDLE_SECONDS`: so long after its last use.
    pub idle: Duration,
    /// `SESSION_MAX_SECONDS`: so long after its begin, whatever its use.
    pub max: Duration,
}

/// A variable that is missing or invalid. The value is left out, because it may contain a password.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A variable without a default is not set.
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
        Ok(Self {
            host: variable("HOST")?.unwrap_or_else(|| "127.0.0.1".into()),
            port: variable("PORT")?.unwrap_or(8080),
            database_url: secret("DATABASE_URL")?,
            database_max_connections: variable("DATABASE_MAX_CONNECTIONS")?.unwrap_or(10),
            redis_url: secret("REDIS_URL")?,
            redis_timeout: Duration::from_millis(variable("REDIS_TIMEOUT_MS")?.unwrap_or(250)),
            cache_ttl: Duration::from_secs(variable("CACHE_TTL_SECONDS")?.unwrap_or(60)),
            lock_ttl: Duration::from_millis(variable("LOCK_TTL_MS")?.unwrap_or(5_000)),
            sessions: SessionLimits {
                idle: Duration::from_secs(variable("SESSION_IDLE_SECONDS")?.unwrap_or(1_800)),
                max: Duration::from_secs(variable("SESSION_MAX_SECONDS")?.unwrap_or(43_200)),
            },
            rate_limit: variable("RATE_LIMIT")?.unwrap_or(10),
            rate_window: Duration::from_secs(variable("RATE_WINDOW_SECONDS")?.unwrap_or(60)),
        })
    }
}

/// A value that is not to be printed, such as a URL with a password in it.
fn secret(name: &'static str) -> Result<SecretString, ConfigurationError> {
    let text: String = variable(name)?.ok_or(ConfigurationError::Missing(name))?;
    Ok(text.into())
}

fn variable<T: FromStr>(name: &'static str) -> Result<Option<T>, ConfigurationError> {
    match env::var(name) {
        Ok(text) => text.parse().map(Some).map_err(|_| ConfigurationError::Invalid(name)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(ConfigurationError::Invalid(name)),
    }
}
