//! Where Postgres is, or may be.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use url::Url;

/// The URL of a database, whose password is not shown.
#[derive(Clone)]
pub struct Database {
    url: Url,
    options: PgConnectOptions,
}

impl Database {
    /// What the driver connects with.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The role's name.
    pub fn user(&self) -> String {
        decoded(self.url.username())
    }

    /// The database's name.
    pub fn name(&self) -> String {
        decoded(self.url.path().trim_start_matches('/'))
    }

    /// The same for Postgres's own programs. What is given to a program as an argument, everybody on the machine can read.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = self.url.port().unwrap_or(5432).to_string();
        let password = decoded(self.url.password().unwrap_or_default());
        vec![("PGHOST", host), ("PGPORT", port), ("PGUSER", self.user()), ("PGPASSWORD", password)]
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl FromStr for Database {
    type Err = sqlx::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|error| sqlx::Error::Configuration(error.into()))?;
        Ok(Self { options: PgConnectOptions::from_url(&url)?, url })
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({}:{}/{})", self.options.get_host(), self.options.get_port(), self.name())
    }
}

/// One or several databases that are copies of each other, one of which is the primary.
#[derive(Debug, Clone)]
pub struct Databases(Vec<Database>);

impl Databases {
    /// One that is always the primary.
    pub fn one(database: Database) -> Self {
        Self(vec![database])
    }

    /// Where to connect first.
    pub fn first(&self) -> PgConnectOptions {
        self.0.first().map(Database::options).unwrap_or_default()
    }

    /// All of them, if there is a choice.
    pub fn choice(&self) -> Option<Vec<PgConnectOptions>> {
        (self.0.len() > 1).then(|| self.0.iter().map(Database::options).collect())
    }
}

impl FromStr for Databases {
    type Err = sqlx::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(|url| url.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}
