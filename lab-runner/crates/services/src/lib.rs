//! Services: the Postgres and the Redis that a suite makes its databases and keyspaces on, and where they come from.
//!
//! Each service is provided by the first provider that works (DESIGN.md, "Services: the provider chain"). One thread
//! looks for it, starts it if it must, and stays with it until the run is over: the kernel ends a child when the
//! *thread* that started it ends, so whoever starts a server has to live as long as it.

mod account;
mod cache;
mod chain;
mod command;
mod containers;
mod doctor;
mod down;
mod embedded;
mod external;
mod fix;
mod identity;
mod instance;
mod machine;
mod native;
mod probe;
mod problem;
mod ready;
mod remedy;
mod slot;
mod tell;

use std::fmt;
use std::thread;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use tell::Tell;

pub use doctor::{DoctorReport, Finding, State};
pub use down::DownReport;
pub use machine::Fact;
pub use problem::{Problem, ServicesError};
pub use ready::Ready;

/// Which services a lab asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// It makes databases on Postgres.
    pub postgres: bool,
    /// It makes keyspaces on Redis.
    pub redis: bool,
}

/// What `--services` and `LAB_SERVICES` say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// The first provider that works, for each service.
    #[default]
    Auto,
    /// The servers that `LAB_POSTGRES_URL` and `LAB_REDIS_URL` name.
    External,
    /// Containers that are kept warm between runs.
    Containers,
    /// Private instances of the programs found on this machine.
    Native,
    /// Private instances of programs fetched once into the user's cache.
    Embedded,
}

/// Where a service came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// A server that already runs and that a variable names.
    External,
    /// A container of ours.
    Containers,
    /// A program found on this machine.
    Native,
    /// A program fetched into the user's cache.
    Embedded,
}

impl Provider {
    /// Every provider, in the order in which `auto` tries them.
    pub const ALL: [Self; 4] = [Self::External, Self::Containers, Self::Native, Self::Embedded];

    /// The word for it in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::External => "external",
            Self::Containers => "containers",
            Self::Native => "native",
            Self::Embedded => "embedded",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// Redis, or Valkey in its place.
    Redis,
}

impl Kind {
    /// Its name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "Postgres",
            Self::Redis => "Redis",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A service that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The administrator's URL, password included: not for reports.
    pub url: String,
    /// Where it came from.
    pub provider: Provider,
    /// What is known of its version without asking it, such as `PostgreSQL 15.12` or an image's tag. The suite asks
    /// the server itself.
    pub version: Option<String>,
}

/// Finds or starts the services that are `wanted`, all at once, and tells `progress` what takes long.
///
/// Nothing is asked of the user: whatever is fetched goes into the user's own cache.
///
/// # Errors
/// No provider of the `choice` could serve: never the submission's fault.
pub async fn start(
    choice: Choice,
    wanted: Wanted,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<Ready, ServicesError> {
    ready::start(choice, wanted, progress).await
}

/// Removes the containers and instances that were kept warm and that no run uses now; with `all`, the cache as well.
///
/// # Errors
/// There is no cache to look in. What could not be removed is in the report.
pub async fn down(all: bool) -> Result<DownReport, Problem> {
    aside(move || down::down(all)).await.unwrap_or_else(|| Err(Problem::new("the thread that cleans up has gone")))
}

/// Tries every provider and looks at the machine. With `fix`, sets up a provider for a service that has none;
/// `consent` is asked before anything is installed outside the cache.
pub async fn doctor(
    fix: bool,
    consent: impl Fn(&str) -> bool + Send + 'static,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Option<DoctorReport> {
    let (tell, mut told) = Tell::channel();
    let listen = async {
        while let Some(text) = told.recv().await {
            progress(text);
        }
    };
    let (report, ()) = tokio::join!(aside(move || doctor::examine(fix, &consent, &tell)), listen);
    report
}

/// Runs `work` on a thread of its own, which lives as long as the servers that it starts; `None` if it panics.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = oneshot::channel();
    thread::Builder::new().name("services".to_owned()).spawn(move || done.send(work()).ok()).ok()?;
    result.await.ok()
}
