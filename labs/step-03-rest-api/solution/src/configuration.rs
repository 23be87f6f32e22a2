//! What the environment says: where to listen, which database, which web page may call us.

use std::env::{self, VarError};
use std::str::FromStr;

use axum::http::HeaderValue;
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
    /// `CORS_ALLOWED_ORIGIN`: the one origin whose pages may call us; none if it is not set.
    pub cors_allowed_origin: Option<HeaderValue>,
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
            database_url: secret("DATABASE_URL")?,
            database_max_connections: variable("DATABASE_MAX_CONNECTIONS")?.unwrap_or(10),
            cors_allowed_origin: variable("CORS_ALLOWED_ORIGIN")?,
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
