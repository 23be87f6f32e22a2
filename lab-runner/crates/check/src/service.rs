//! What a suite asks of a service: the traits that a service's crate implements, so that the kit names no service.
//!
//! A suite registers a [`ServiceDriver`] for each service of its lab. A run connects once and holds a [`Service`]. Each
//! check that needs it gets a [`Tenant`]: its own share, such as a database, which no other check sees. What a
//! server asks of it, the driver records in an [`ExchangeLog`](crate::exchanges::ExchangeLog).

use std::any::Any;
use std::fmt::{self, Debug};
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use lab_sandbox::Network;

use crate::failure::{CheckResult, Failure};
use crate::transcript::Transcript;

/// How a driver reaches its service as its administrator.
#[derive(Debug, Clone)]
pub struct Access {
    /// The administrator's URL.
    pub url: String,
    /// The secret of the run.
    pub run: String,
    /// Gets another server in place of this one, if this one was started for grading and may be ended. None of others.
    pub replacement: Option<Replacement>,
    /// Its program, where it runs one of this machine's: with it, a check can have an instance of its own.
    pub program: Option<PathBuf>,
}

impl Access {
    /// The way to a server at `url` that is not ours, for the run with the secret `run`.
    pub fn to(url: impl Into<String>, run: impl Into<String>) -> Self {
        Self { url: url.into(), run: run.into(), replacement: None, program: None }
    }
}

/// Gets another server in place of one that has ended.
#[derive(Clone)]
pub struct Replacement(Arc<Ask>);

type Ask = dyn Fn(String) -> BoxFuture<'static, CheckResult<String>> + Send + Sync;

impl Replacement {
    /// A replacement that `ask` gets, which is told why it is needed and gives the new administrator's URL.
    pub fn new(ask: impl Fn(String) -> BoxFuture<'static, CheckResult<String>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// Asks for another server, and says `why`. Gives its administrator's URL.
    ///
    /// # Errors
    /// Ours, if there is none.
    pub async fn get(&self, why: &str) -> CheckResult<String> {
        (self.0)(why.to_owned()).await
    }
}

impl Debug for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replacement")
    }
}

/// A kind of service, as a suite's `main` registers it.
pub trait ServiceDriver: Debug + Send + Sync {
    /// The name under which a lab's manifest asks for it, such as `postgres`.
    fn name(&self) -> &str;

    /// Its name in a sentence, such as `Postgres`.
    fn title(&self) -> &str;

    /// Connects to the service by `access`. Begins to remove what runs left that were killed.
    ///
    /// # Errors
    /// Ours, if it cannot be reached or is too old.
    fn connect(&self, access: Access) -> BoxFuture<'_, CheckResult<Box<dyn Service>>>;
}

/// What one run has of a service: the administrator's way to it.
pub trait Service: Debug + Send + Sync {
    /// What it says it is, with its version: `PostgreSQL 15.18`.
    fn version(&self) -> &str;

    /// Whether it has served without a break since the run began. Where it has not, what failed since can be held
    /// against nobody.
    fn is_alive(&self) -> BoxFuture<'_, bool>;

    /// Why it has not, if more is known than that it does not answer: a sentence.
    fn failure(&self) -> Option<String> {
        None
    }

    /// What whoever reads the result should know of it when it is closed, such as what a submission has left outside of
    /// its own share and had to be removed: sentences.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Waits a while until what all who use the service share, such as its memory for locks, is mostly free. Tells what is
    /// not, if others go on using it up.
    fn until_calm(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(std::future::ready(None))
    }

    /// Makes one check's own share, whose use is recorded in `transcript`.
    ///
    /// # Errors
    /// Ours, if none can be made.
    fn tenant(&self, transcript: Transcript) -> BoxFuture<'_, CheckResult<Box<dyn Tenant>>>;

    /// Removes everything that this run made. No tenant can be made afterwards.
    ///
    /// # Errors
    /// Ours, if something could not be removed; the next run tries again.
    fn close(&self) -> BoxFuture<'_, CheckResult>;
}

/// One check's own share of a service.
pub trait Tenant: Any + Debug + Send + Sync {
    /// The URL that the server under test is given.
    fn url(&self) -> &str;

    /// The variables that the server under test is given, with their values.
    fn variables(&self) -> Vec<(String, String)>;

    /// What went wrong with the service itself while the server under test used it: then a failed check says nothing of
    /// the submission.
    fn service_error(&self) -> Option<String>;

    /// What was used up that all who use the service share, while the server under test or the check used it. Whether it
    /// was this submission that used it up, a second try shows, with nothing beside it.
    fn shortage(&self) -> Option<String> {
        None
    }

    /// Opens what the server under test connects to in `network` as well, at the same address: an isolated server reaches
    /// nothing outside of its network. Called once, before the server is started.
    ///
    /// # Errors
    /// The system says why not.
    fn open_in(&self, network: &Network) -> std::io::Result<()>;

    /// Takes back every fault that the check has made on the way to it. Tells whether there was one.
    fn restore(&self) -> bool;

    /// Gives the share back: its connections end now, and its data is removed soon.
    fn release(&self) -> BoxFuture<'_, ()>;
}

/// What holds a check's tenants: the kit's `Lab`. A service's crate extends every host with a method of its own, such as
/// `lab.postgres()`.
pub trait ServiceHost: Sync {
    /// The check's tenant of the service `name`, made on first use.
    ///
    /// # Errors
    /// Ours, if it cannot be made or the suite has no such service; not applicable, if the server under test was not
    /// started by the grader.
    fn tenant<'a>(&'a self, name: &'a str) -> BoxFuture<'a, CheckResult<&'a dyn Tenant>>;
}

/// The check's tenant of the service `name`, as the type that its driver makes.
///
/// # Errors
/// As [`ServiceHost::tenant`]; ours, if another driver was registered under this name.
pub async fn tenant_of<'a, T: Tenant>(host: &'a (impl ServiceHost + ?Sized), name: &'a str) -> CheckResult<&'a T> {
    let tenant: &dyn Any = host.tenant(name).await?;
    tenant.downcast_ref().ok_or_else(|| Failure::Ours(format!("another driver is registered as `{name}`")))
}
