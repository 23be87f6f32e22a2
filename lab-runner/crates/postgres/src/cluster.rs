//! The Postgres of one run of a suite.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::database_pool::DatabasePool;
use super::reaper::Reaper;
use super::server::{Database, Server};
use super::sweep;
use lab_check::service::Access;
use lab_check::{CheckResult, Failure, Ours as _};

/// A cluster that does not answer its own administrator for so long serves nobody.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long locks are waited for that others hold.
const CALM: Duration = Duration::from_secs(15);

/// How often, while a check waits for its database, the cluster is asked whether it lives.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// The Postgres of one run: where each check's database comes from. Clones share it.
///
/// ```
/// # async fn example() -> lab_kit::CheckResult<()> {
/// use lab_postgres::{Cluster, Postgres};
/// use lab_check::transcript::Transcript;
///
/// let cluster = Cluster::connect("postgres://postgres:secret@127.0.0.1:5432/postgres", "a nonce").await?;
/// let db = Postgres::create(&cluster, Transcript::default()).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    server: Arc<Server>,
    /// The run's first connection. It holds the run's lock, and it does not survive a crash of the cluster.
    sentinel: Mutex<PgConnection>,
    dead: AtomicBool,
    database_pool: DatabasePool,
    reaper: Reaper,
    /// Its program, where that is on this machine.
    program: Option<PathBuf>,
}

impl Cluster {
    /// Connects to the cluster at `admin_url`, whose role may make roles and databases, for the run with the secret
    /// `run`. Begins to make databases ahead of time, and to remove what runs left that were killed.
    ///
    /// ```
    /// # async fn example() -> lab_kit::CheckResult<()> {
    /// use lab_postgres::Cluster;
    ///
    /// let cluster = Cluster::connect("postgres://postgres:secret@127.0.0.1:5432/postgres", "a nonce").await?;
    /// assert!(cluster.is_alive().await);
    /// cluster.remove_all().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be reached or is older than version 15.
    pub async fn connect(admin_url: &str, run: &str) -> CheckResult<Self> {
        Self::by(&Access::to(admin_url, run)).await
    }

    /// The same for a cluster that may have been started for grading.
    ///
    /// ```
    /// # async fn example(access: lab_check::service::Access) -> lab_kit::CheckResult<()> {
    /// let cluster = lab_postgres::Cluster::by(&access).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Cluster::connect`].
    pub async fn by(access: &Access) -> CheckResult<Self> {
        let (server, sentinel) = Server::connect(access).await?;
        let server = Arc::new(server);
        let inner = Inner {
            sentinel: Mutex::new(sentinel),
            dead: AtomicBool::new(false),
            database_pool: DatabasePool::start(&server),
            reaper: Reaper::start(&server),
            program: access.program.clone(),
            server,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What the cluster says it is, such as `PostgreSQL 15.18`.
    ///
    /// ```
    /// # fn example(cluster: &lab_postgres::Cluster) {
    /// assert!(cluster.version().starts_with("PostgreSQL "));
    /// # }
    /// ```
    pub fn version(&self) -> &str {
        &self.inner.server.version
    }

    /// Whether it has served without a break since the run began. A cluster that crashed and came back has ended
    /// every connection, the learner's too, and so nothing that failed since can be held against anyone.
    ///
    /// ```
    /// # async fn example(cluster: &lab_postgres::Cluster) {
    /// if !cluster.is_alive().await {
    ///     // the verdict is `error`, not `failed`
    /// }
    /// # }
    /// ```
    pub async fn is_alive(&self) -> bool {
        if self.inner.dead.load(Ordering::SeqCst) {
            return false;
        }
        let answers = async { self.inner.sentinel.lock().await.ping().await.is_ok() };
        let alive = matches!(timeout(TIMEOUT, answers).await, Ok(true));
        if !alive {
            self.inner.dead.store(true, Ordering::SeqCst);
        }
        alive
    }

    /// Waits until at least half of the cluster's lock table is free and its disk has room, and tells if that does not come
    /// about: others use it up.
    ///
    /// ```
    /// # async fn example(cluster: &lab_postgres::Cluster) {
    /// assert_eq!(cluster.until_calm().await, None);
    /// # }
    /// ```
    pub async fn until_calm(&self) -> Option<String> {
        let deadline = Instant::now() + CALM;
        loop {
            let short = self.short().await?;
            if Instant::now() >= deadline {
                return Some(short.into());
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// What others have used up, in a sentence.
    async fn short(&self) -> Option<&'static str> {
        let server = &self.inner.server;
        // The question itself needs a few locks.
        let (held, room) = server.locks().await.unwrap_or((i64::MAX, 1));
        if held > room / 2 {
            return Some("the lock table of Postgres is in use by others");
        }
        (!server.has_room().await.unwrap_or(false)).then_some("the disk of Postgres is full")
    }

    /// Drops every database and role of this run. No database can be made afterwards.
    ///
    /// ```
    /// # async fn example(cluster: &lab_postgres::Cluster) -> lab_kit::CheckResult<()> {
    /// cluster.remove_all().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if something could not be dropped; the next run tries again.
    pub async fn remove_all(&self) -> CheckResult {
        let inner = &self.inner;
        if inner.server.pool.is_closed() {
            return Ok(());
        }
        if !self.is_alive().await {
            // It may be gone for good, and then everything would wait for a connection. Or it is back already.
            inner.database_pool.abandon().await;
            inner.reaper.abandon().await;
            return self.remove_if_back().await;
        }
        inner.database_pool.close().await;
        inner.reaper.finish().await;
        let removed = sweep::remove_run(&inner.server).await.ours("dropping the run's databases");
        inner.server.pool.close().await;
        removed
    }

    /// Connections from before a crash fail once each, and so there is more than one try.
    async fn remove_if_back(&self) -> CheckResult {
        let server = &self.inner.server;
        let again = async {
            while sweep::remove_run(server).await.is_err() {
                tokio::time::sleep(ASK_AGAIN / 10).await;
            }
        };
        let gone = |_| Failure::Ours("Postgres is down, and the run's databases may still be on it".into());
        timeout(TIMEOUT, again).await.map_err(gone)
    }

    /// What whoever reads the result should know of it.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.inner.server.left.told()
    }

    /// The next database; gives up as soon as the cluster is dead.
    pub(super) async fn take(&self) -> CheckResult<Database> {
        loop {
            match timeout(ASK_AGAIN, self.inner.database_pool.take()).await {
                Ok(Some(made)) => return made,
                Ok(None) => return Err(Failure::Ours("the run's databases have already been removed".into())),
                Err(_) if self.is_alive().await => {}
                Err(_) => return Err(Failure::Ours("Postgres no longer responds".into())),
            }
        }
    }

    /// Has a database dropped when there is time.
    pub(super) fn discard(&self, name: &str) {
        self.inner.reaper.discard(name);
    }

    pub(super) fn program(&self) -> Option<&Path> {
        self.inner.program.as_deref()
    }

    pub(super) fn server(&self) -> &Server {
        &self.inner.server
    }
}
