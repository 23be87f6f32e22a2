//! Settings from the environment: where to listen, which database, which secret, how much patience with guessers.

use std::env::{self, VarError};
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use crate::auth::{Limits, Secret};

/// The server's settings.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// `HOST`: the address to listen on.
    pub host: String,
    /// `PORT`: the port to listen on; 0 lets the system pick one.
    pub port: u16,
    /// `DATABASE_URL`: where Postgres is.
    pub database_url: SecretString,
    /// `JWT_SECRET`: what tokens are signed with.
    pub jwt_secret: Secret,
    /// `BCRYPT_COST`: each step doubles the work of a log-in, and of a thief.
    pub bcrypt_cost: u32,
    /// `LOGIN_…`: how often somebody may guess.
    pub throttle: Limits,
}

/// A variable that is missing or makes no sense. The value is left out: it may be a secret.
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
            database_url: url("DATABASE_URL")?,
            jwt_secret: secret("JWT_SECRET")?,
            bcrypt_cost: cost("BCRYPT_COST")?,
            throttle: Limits {
                per_account: variable("LOGIN_FAILURES_PER_ACCOUNT")?.unwrap_or(5),
                per_address: variable("LOGIN_FAILURES_PER_ADDRESS")?.unwrap_or(100),
                window: Duration::from_secs(variable("LOGIN_WINDOW_SECONDS")?.unwrap_or(900)),
            },
        })
    }
}

// TODO(step-04.3): anybody who reads this line can sign tokens. Refuse to start without a secret or with a short one,
// with an error that names the variable but not its value.
fn secret(name: &'static str) -> Result<Secret, ConfigurationError> {
    Ok(Secret::new(variable(name)?.unwrap_or_else(|| "secret".to_owned())))
}

// TODO(step-04.1): a cost below 10 is a mistake. Refuse to start with it.
fn cost(name: &'static str) -> Result<u32, ConfigurationError> {
    Ok(variable(name)?.unwrap_or(12))
}

/// A URL is not to be printed: it may hold a password.
fn url(name: &'static str) -> Result<SecretString, ConfigurationError> {
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
