//! What the environment says: where to listen, which database, which secret, how much patience with guessers.

use std::env::{self, VarError};
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use crate::auth::{Limits, Secret};

/// OWASP's least work factor for bcrypt; at 31 a single log-in takes days.
const COSTS: std::ops::RangeInclusive<u32> = 10..=31;

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
    /// A variable cannot be read as what it stands for.
    #[error("{0} cannot be understood")]
    Invalid(&'static str),
    /// A secret that can be guessed is none.
    #[error("{name} is too short: it needs at least {least} bytes")]
    TooShort {
        /// The variable.
        name: &'static str,
        /// The least length in bytes.
        least: usize,
    },
    /// A number outside what is safe.
    #[error("{name} is out of range: {least} to {most}")]
    OutOfRange {
        /// The variable.
        name: &'static str,
        /// The least that is accepted.
        least: u32,
        /// The most that is accepted.
        most: u32,
    },
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

/// A secret has no default: one that stands in the source is known to everybody who can read it.
fn secret(name: &'static str) -> Result<Secret, ConfigurationError> {
    let text: String = variable(name)?.ok_or(ConfigurationError::Missing(name))?;
    Secret::new(text).ok_or(ConfigurationError::TooShort { name, least: Secret::LEAST_BYTES })
}

fn cost(name: &'static str) -> Result<u32, ConfigurationError> {
    let cost = variable(name)?.unwrap_or(12);
    let out_of_range = ConfigurationError::OutOfRange { name, least: *COSTS.start(), most: *COSTS.end() };
    COSTS.contains(&cost).then_some(cost).ok_or(out_of_range)
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
