//! The Redis of one run of a suite.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::server::{Server, User};
use super::watch::{Watch, patiently};
use lab_check::{CheckResult, Failure, Ours as _};

/// A Redis that does not answer its own administrator for so long serves nobody.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a check waits for a database where all are in use.
const IN_USE: Duration = Duration::from_secs(60);

/// The Redis of one run: where each check's keyspace comes from. Clones share it.
///
/// ```
/// # async fn example() -> lab_kit::CheckResult<()> {
/// use lab_redis::{Keyspaces, Redis};
/// use lab_check::transcript::Transcript;
///
/// let keyspaces = Keyspaces::connect("redis://:secret@127.0.0.1:6379", "a nonce").await?;
/// let cache = Redis::create(&keyspaces, Transcript::default()).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Keyspaces {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    server: Arc<Server>,
    watch: Watch,
    dead: AtomicBool,
    pool: Arc<Pool>,
    used: Mutex<Option<mpsc::UnboundedSender<Given>>>,
    reaper: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

/// The databases that this run claims.
#[derive(Debug, Default)]
struct Pool {
    free: Mutex<Vec<i64>>,
    /// Tells that one has become free.
    freed: Notify,
}

/// What a check has.
#[derive(Debug)]
pub(super) struct Given {
    pub database: i64,
    pub user: User,
}

impl Keyspaces {
    /// Connects to the Redis or Valkey at `admin_url`, whose user may do anything there, for the run with the secret
    /// `run`. Begins to remove what runs left that were killed.
    ///
    /// ```
    /// # async fn example() -> lab_kit::CheckResult<()> {
    /// use lab_redis::Keyspaces;
    ///
    /// let keyspaces = Keyspaces::connect("redis://:secret@127.0.0.1:6379", "a nonce").await?;
    /// assert!(keyspaces.is_alive().await);
    /// keyspaces.remove_all().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be reached or is older than Redis 7.
    pub async fn connect(admin_url: &str, run: &str) -> CheckResult<Self> {
        let server = Arc::new(Server::connect(admin_url, run).await?);
        let pool = Arc::new(Pool::default());
        let (used, todo) = mpsc::unbounded_channel();
        let reaper = tokio::spawn(clean(Arc::clone(&server), Arc::clone(&pool), todo));
        let inner = Inner {
            watch: Watch::start(server.admin.clone()),
            server,
            dead: AtomicBool::new(false),
            pool,
            used: Mutex::new(Some(used)),
            reaper: tokio::sync::Mutex::new(Some(reaper)),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What it says it is: `Redis 7.0.15` or `Valkey 9.1.2`.
    ///
    /// ```
    /// # fn example(keyspaces: &lab_redis::Keyspaces) {
    /// let is_valkey = keyspaces.version().starts_with("Valkey");
    /// # }
    /// ```
    pub fn version(&self) -> &str {
        &self.inner.server.version
    }

    /// Whether it has served without a break since the run began.
    ///
    /// ```
    /// # async fn example(keyspaces: &lab_redis::Keyspaces) {
    /// if !keyspaces.is_alive().await {
    ///     // the verdict is `error`, not `failed`
    /// }
    /// # }
    /// ```
    pub async fn is_alive(&self) -> bool {
        if self.inner.dead.load(Ordering::SeqCst) {
            return false;
        }
        // A script that does not end is killed, and until then a refusal is an answer, too.
        let ping = async { patiently(|| self.inner.server.ping()).await.is_ok() };
        let alive = matches!(timeout(TIMEOUT, ping).await, Ok(true));
        if !alive {
            self.inner.dead.store(true, Ordering::SeqCst);
        }
        alive
    }

    /// Removes every key, user and claim of this run. No keyspace can be made afterwards.
    ///
    /// ```
    /// # async fn example(keyspaces: &lab_redis::Keyspaces) -> lab_kit::CheckResult<()> {
    /// keyspaces.remove_all().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if something could not be removed; the next run tries again.
    pub async fn remove_all(&self) -> CheckResult {
        drop(lock(&self.inner.used).take());
        if let Some(reaper) = self.inner.reaper.lock().await.take() {
            let _ = reaper.await;
            patiently(|| self.inner.server.remove_run()).await.ours("removing the run's keys and users")?;
        }
        Ok(())
    }

    /// A database and a user for it; waits, where all databases are in use by this run.
    pub(super) async fn take(&self) -> CheckResult<Given> {
        if lock(&self.inner.used).is_none() {
            return Err(Failure::Ours("the run's keyspaces have already been removed".into()));
        }
        let database = match timeout(IN_USE, self.database()).await {
            Ok(database) => database.ours("taking a database of Redis")?,
            Err(_) => {
                let count = self.inner.server.databases();
                let what = "no database of Redis is free: all of them contain keys or are in use";
                return Err(Failure::Ours(format!("{what} ({count} were checked)")));
            }
        };
        let user = patiently(|| self.inner.server.make_user(database)).await;
        let user = user.ours("making a user of Redis")?;
        Ok(Given { database, user })
    }

    async fn database(&self) -> redis::RedisResult<i64> {
        loop {
            let freed = self.inner.pool.freed.notified();
            let free = lock(&self.inner.pool.free).pop();
            if let Some(database) = free {
                return Ok(database);
            }
            if let Some(database) = patiently(|| self.inner.server.claim()).await? {
                return Ok(database);
            }
            // Another run may give one back too, which nobody tells us.
            let _ = timeout(Duration::from_millis(200), freed).await;
        }
    }

    /// Has a keyspace emptied when there is time.
    pub(super) fn give_back(&self, given: Given) {
        if let Some(used) = lock(&self.inner.used).as_ref() {
            let _ = used.send(given);
        }
    }

    /// Whether a script held everybody up after `moment`.
    pub(super) fn was_busy_since(&self, moment: Instant) -> bool {
        self.inner.watch.was_busy_since(moment)
    }

    pub(super) fn server(&self) -> &Server {
        &self.inner.server
    }
}

/// Begins with what dead runs left, then empties what checks give back.
async fn clean(server: Arc<Server>, pool: Arc<Pool>, mut todo: mpsc::UnboundedReceiver<Given>) {
    // What cannot be removed now is tried again at the end of this run, or by the next.
    let _ = patiently(|| server.remove_dead_runs()).await;
    while let Some(given) = todo.recv().await {
        // The user first: it must not write into the next check's database.
        let removed = patiently(|| server.remove_user(&given.user.name)).await;
        if removed.is_ok() && patiently(|| server.empty(given.database)).await.is_ok() {
            lock(&pool.free).push(given.database);
            pool.freed.notify_one();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
