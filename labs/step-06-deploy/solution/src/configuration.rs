//! What the environment says. Whatever is missing or makes no sense ends the start: a server that runs on a guess
//! fails later, and nobody knows why.
//!
//! Each variable is parsed into a type that cannot hold anything else, so that nobody has to look at it again. The error
//! of a variable names it and leaves its value out, which may hold a password.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::str::FromStr;
use std::time::Duration;

use envconfig::Envconfig;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use subtle::ConstantTimeEq as _;

/// A variable that is missing or makes no sense.
pub use envconfig::Error as ConfigurationError;

/// The server's settings. `Configuration::init_from_env` reads the environment.
#[derive(Debug, Clone, Envconfig)]
pub struct Configuration {
    /// The address to listen on.
    #[envconfig(from = "HOST", default = "127.0.0.1")]
    pub host: String,
    /// The port to listen on.
    #[envconfig(from = "PORT", default = "8080")]
    pub port: u16,
    /// Where Postgres is.
    #[envconfig(from = "DATABASE_URL")]
    pub database: Database,
    /// The most connections to keep open at once.
    #[envconfig(from = "DATABASE_MAX_CONNECTIONS", default = "10")]
    pub database_max_connections: NonZeroU32,
    /// What clients must show before they may write.
    #[envconfig(from = "API_TOKEN")]
    pub api_token: ApiToken,
    /// What one request, and all of them together, may take.
    #[envconfig(nested)]
    pub limits: Limits,
    /// How long to go on accepting after we said that we are no longer ready, in milliseconds.
    #[envconfig(from = "DRAIN_DELAY_MS", default = "5000")]
    pub drain_delay_ms: u64,
    /// How long requests may take to finish after that.
    #[envconfig(from = "SHUTDOWN_TIMEOUT_MS", default = "20000")]
    pub shutdown_timeout: Timeout,
}

/// Bounds, so that nobody can take more than we have.
#[derive(Debug, Clone, Copy, Envconfig)]
pub struct Limits {
    /// The longest that one request may take.
    #[envconfig(from = "REQUEST_TIMEOUT_MS", default = "10000")]
    pub request_timeout: Timeout,
    /// The largest body that is read, in bytes.
    #[envconfig(from = "MAX_BODY_BYTES", default = "65536")]
    pub body_bytes: NonZeroUsize,
    /// How many requests are worked on at once.
    #[envconfig(from = "MAX_IN_FLIGHT", default = "100")]
    pub in_flight: NonZeroUsize,
}

/// A time to wait, given in milliseconds. None is zero: nothing would ever be in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout(NonZeroU64);

impl Timeout {
    /// As the standard library has it.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0.get())
    }
}

impl FromStr for Timeout {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Where Postgres is, as the driver understands it, whose own `Debug` shows the password.
#[derive(Clone)]
pub struct Database(PgConnectOptions);

impl Database {
    /// What the driver connects with.
    pub fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

impl FromStr for Database {
    type Err = sqlx::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(options) = self;
        write!(
            f,
            "Database({}:{}/{})",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        )
    }
}

/// The token, which is never empty and never shown: not by `Debug`, and to nobody who asks for it.
#[derive(Debug, Clone)]
pub struct ApiToken(SecretString);

impl ApiToken {
    /// Whether this is it. Takes the same time wherever the two differ.
    pub fn is(&self, shown: &str) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

/// Anybody could show an empty token.
#[derive(Debug, thiserror::Error)]
#[error("it is empty")]
pub struct EmptyToken;

impl FromStr for ApiToken {
    type Err = EmptyToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() { Err(EmptyToken) } else { Ok(Self(text.into())) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const REQUIRED: [(&str, &str); 2] =
        [("DATABASE_URL", "postgres://office:hunter2@db:5433/box_office"), ("API_TOKEN", "s3cret")];

    fn configuration(more: &[(&str, &str)]) -> Result<Configuration, ConfigurationError> {
        let variables = REQUIRED.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Configuration::init_from_hashmap(&variables.collect::<HashMap<_, _>>())
    }

    #[test]
    fn what_has_a_default_may_be_left_out() {
        let configuration = configuration(&[]).unwrap();
        assert_eq!((configuration.host.as_str(), configuration.port), ("127.0.0.1", 8080));
        assert_eq!(configuration.limits.request_timeout.duration(), Duration::from_secs(10));
        assert_eq!(configuration.shutdown_timeout.duration(), Duration::from_secs(20));
        assert_eq!((configuration.drain_delay_ms, configuration.limits.in_flight.get()), (5_000, 100));
    }

    #[test]
    fn an_error_names_the_variable_and_not_its_value() {
        let bad = [
            ("REQUEST_TIMEOUT_MS", "soon"),
            ("REQUEST_TIMEOUT_MS", "0"),
            ("SHUTDOWN_TIMEOUT_MS", "5s"),
            ("MAX_IN_FLIGHT", "-1"),
            ("DATABASE_URL", "hunter2"),
            ("PORT", "70000"),
        ];
        for (name, value) in bad {
            let error = configuration(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains(value), "{error}");
        }
        assert!(configuration(&[("API_TOKEN", "")]).unwrap_err().to_string().contains("API_TOKEN"));
        let error = Configuration::init_from_hashmap(&HashMap::new()).unwrap_err().to_string();
        assert!(error.contains("DATABASE_URL"), "{error}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", configuration(&[]).unwrap());
        assert!(shown.contains("db:5433/box_office"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token: ApiToken = "s3cret".parse().unwrap();
        assert!(token.is("s3cret"));
        assert!(["", "s3cre", "s3cret ", "S3cret"].iter().all(|other| !token.is(other)));
    }
}
