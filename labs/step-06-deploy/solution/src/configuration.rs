//! What the environment says. Whatever is missing or makes no sense ends the start: a server that runs on a guess
//! fails later, and nobody knows why.
//!
//! Each variable is parsed into a type that cannot hold anything else, so that nobody has to look at it again. The error
//! of a variable names it and leaves its value out, which may hold a password.

use std::collections::HashMap;
use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::str::FromStr;
use std::time::Duration;
use std::{env, fmt};

use envconfig::Envconfig;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use subtle::ConstantTimeEq as _;

/// A variable that is missing or makes no sense.
pub use envconfig::Error as ConfigurationError;

/// The server's settings. `Configuration::from_env` reads the environment.
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

/// Every variable that is read. A test holds this list against the fields.
const VARIABLES: [&str; 10] = [
    "HOST",
    "PORT",
    "DATABASE_URL",
    "DATABASE_MAX_CONNECTIONS",
    "API_TOKEN",
    "DRAIN_DELAY_MS",
    "SHUTDOWN_TIMEOUT_MS",
    "REQUEST_TIMEOUT_MS",
    "MAX_BODY_BYTES",
    "MAX_IN_FLIGHT",
];

impl Configuration {
    /// Reads the environment.
    ///
    /// # Errors
    /// The first variable that is missing or makes no sense.
    pub fn from_env() -> Result<Self, ConfigurationError> {
        Self::read(env::vars_os())
    }

    /// To envconfig a variable that is not Unicode is one that is not set, and a default would take its place.
    fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, ConfigurationError> {
        let mut readable = HashMap::new();
        for (name, value) in variables {
            let Some(name) = VARIABLES.into_iter().find(|known| name == *known) else { continue };
            let value = value.into_string().map_err(|_| ConfigurationError::ParseError { name })?;
            readable.insert(name.to_owned(), value);
        }
        Self::init_from_hashmap(&readable)
    }
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
    use super::*;

    const REQUIRED: [(&str, &str); 2] =
        [("DATABASE_URL", "postgres://office:hunter2@db:5433/box_office"), ("API_TOKEN", "s3cret")];

    fn configuration(more: &[(&str, &str)]) -> Result<Configuration, ConfigurationError> {
        Configuration::read(REQUIRED.iter().chain(more).map(|(name, value)| (name.into(), value.into())))
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
        let error = Configuration::read(std::iter::empty()).unwrap_err().to_string();
        assert!(error.contains("DATABASE_URL"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_unicode_makes_no_sense_and_is_not_a_missing_one() {
        use std::os::unix::ffi::OsStringExt as _;

        for name in VARIABLES {
            let required = REQUIRED.iter().map(|(name, value)| (name.into(), value.into()));
            let latin = (name.into(), OsString::from_vec(b"caf\xe9".to_vec()));
            let error = Configuration::read(required.chain([latin])).unwrap_err();
            assert_eq!(error, ConfigurationError::ParseError { name });
        }
    }

    #[test]
    fn every_variable_of_a_field_is_read() {
        let fields = include_str!("configuration.rs")
            .lines()
            .filter_map(|line| line.trim().strip_prefix("#[envconfig(from = \""));
        let mut names: Vec<&str> = fields.filter_map(|rest| rest.split('"').next()).collect();
        let mut known = VARIABLES.to_vec();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known);
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
