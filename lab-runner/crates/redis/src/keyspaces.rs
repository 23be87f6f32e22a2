//! The Redis of one run of a suite.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::instance::Instance;
use super::server::User;
use super::watch::{Watch, patiently};
use lab_check::service::Access;
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
    version: String,
    watch: Watch,
    dead: AtomicBool,
    /// What dead runs had left, and is removed.
    left: Arc<AtomicUsize>,
    used: Mutex<Option<mpsc::UnboundedSender<Given>>>,
    reaper: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

/// What a check has.
#[derive(Debug)]
pub(super) struct Given {
    pub instance: Arc<Instance>,
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
        Self::by(Access::to(admin_url, run)).await
    }

    /// The same for a Redis that may have to be ended, and that another can be had in place of.
    ///
    /// ```
    /// # async fn example(access: lab_check::service::Access) -> lab_kit::CheckResult<()> {
    /// let keyspaces = lab_redis::Keyspaces::by(access).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Keyspaces::connect`].
    pub async fn by(access: Access) -> CheckResult<Self> {
        let instance = Arc::new(Instance::connect(&access.url, &access.run).await?);
        let left = Arc::default();
        let (used, todo) = mpsc::unbounded_channel();
        let reaper = tokio::spawn(clean(Arc::clone(&instance), Arc::clone(&left), todo));
        let inner = Inner {
            version: instance.server.version.clone(),
            watch: Watch::start(access, instance),
            dead: AtomicBool::new(false),
            left,
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
        &self.inner.version
    }

    /// Whether it has served without a break since the run began, but for those that another took the place of.
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
        let alive = self.serves().await;
        if !alive {
            self.inner.dead.store(true, Ordering::SeqCst);
        }
        alive
    }

    async fn serves(&self) -> bool {
        loop {
            let Ok(instance) = self.inner.watch.instance().await else { return false };
            // A script that does not end is ended, and until then a refusal is an answer, too.
            let ping = async { patiently(|| instance.server.ping()).await.is_ok() };
            let answered = tokio::select! {
                () = self.inner.watch.given_up() => false,
                answered = timeout(TIMEOUT, ping) => answered == Ok(true),
            };
            if answered {
                return true;
            }
            if !self.inner.watch.moves_on(&instance).await {
                return false;
            }
        }
    }

    /// Why there is no Redis any more, if more is known than that it does not answer.
    pub(crate) fn failure(&self) -> Option<String> {
        self.inner.watch.lost()
    }

    /// What whoever reads the result should know of it.
    pub(crate) fn notes(&self) -> Vec<String> {
        let left = match self.inner.left.load(Ordering::Relaxed) {
            0 => None,
            1 => Some("what an earlier run had left on Redis was removed: 1 user or keyspace".to_owned()),
            left => Some(format!("what earlier runs had left on Redis was removed: {left} users and keyspaces")),
        };
        left.into_iter().chain(self.inner.watch.notes()).collect()
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
            let instance = self.inner.watch.instance().await?;
            patiently(|| instance.server.remove_run()).await.ours("removing the run's keys and users")?;
        }
        Ok(())
    }

    /// A database and a user for it; waits, where all databases are in use by this run.
    pub(super) async fn take(&self) -> CheckResult<Given> {
        if lock(&self.inner.used).is_none() {
            return Err(Failure::Ours("the run's keyspaces have already been removed".into()));
        }
        loop {
            let instance = self.inner.watch.instance().await?;
            match take_from(&instance).await {
                Err(_) if self.inner.watch.moves_on(&instance).await => {}
                taken => return taken,
            }
        }
    }

    /// Has a keyspace emptied when there is time.
    pub(super) fn give_back(&self, given: Given) {
        if let Some(used) = lock(&self.inner.used).as_ref() {
            let _ = used.send(given);
        }
    }

    /// The watch over its Redis.
    pub(super) fn watch(&self) -> &Watch {
        &self.inner.watch
    }
}

async fn take_from(instance: &Arc<Instance>) -> CheckResult<Given> {
    let server = &instance.server;
    let database = match timeout(IN_USE, instance.database()).await {
        Ok(database) => database.ours("taking a database of Redis")?,
        Err(_) => {
            let what = "no database of Redis is free: all of them contain keys or are in use";
            return Err(Failure::Ours(format!("{what} ({} were checked)", server.databases())));
        }
    };
    let user = patiently(|| server.make_user(database)).await.ours("making a user of Redis")?;
    Ok(Given { instance: Arc::clone(instance), database, user })
}

/// Begins with what dead runs left, then empties what checks give back.
async fn clean(first: Arc<Instance>, left: Arc<AtomicUsize>, mut todo: mpsc::UnboundedReceiver<Given>) {
    // What cannot be removed now is tried again at the end of this run, or by the next.
    if let Ok(removed) = patiently(|| first.server.remove_dead_runs()).await {
        left.store(removed, Ordering::Relaxed);
    }
    while let Some(given) = todo.recv().await {
        given.instance.clean(&given.user, given.database).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
