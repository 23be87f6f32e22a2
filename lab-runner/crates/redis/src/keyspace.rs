//! One check's own keyspace.

use std::future::IntoFuture;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, RedisResult};
use tokio::sync::OnceCell;

use super::command::{Commands, Recorded};
use super::instance::Instance;
use super::keyspaces::{Given, Keyspaces};
use super::log::Log;
use super::rewrite::CommandRewriter;
use super::scripts::Scripts;
use super::session::Recorder;
use super::subscriptions::Subscriptions;
use super::watch::patiently;
use lab_check::naming;
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Ours as _};
use lab_proxy::{Failpoints, Protocol, Proxy, Session};

/// One check's own keyspace, and the proxy through which the server under test reaches it.
///
/// What is asked through this type is asked as administrator and around the proxy: it is neither counted nor hit by
/// the proxy's faults.
///
/// ```
/// # use lab_redis::LabRedis as _;
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
/// let cache = lab.redis().await?;
/// app.get("/events/7").await?.expect_status(200)?;
/// expect_that(!cache.keys().await?.is_empty(), "the answer is kept in Redis")?;
/// # Ok(()) }
/// ```
pub struct Redis {
    keyspaces: Keyspaces,
    instance: Arc<Instance>,
    database: i64,
    given: Mutex<Option<Given>>,
    url: String,
    connection: OnceCell<MultiplexedConnection>,
    proxy: Proxy,
    log: Log,
    scripts: Scripts,
    made: Instant,
}

/// Records each connection into the same log.
struct Recording {
    log: Log,
    failpoints: Failpoints,
    rewriter: CommandRewriter,
    user: String,
    password: String,
    /// How many connections there have been.
    connections: AtomicU64,
}

impl Protocol for Recording {
    fn session(&self) -> Box<dyn Session> {
        let (log, failpoints) = (self.log.of_a_connection(), self.failpoints.clone());
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let rewriter = CommandRewriter { connection, ..self.rewriter.clone() };
        Box::new(Recorder::new(log, failpoints, rewriter, &self.user, &self.password))
    }

    fn unreachable(&self, reason: &str) {
        self.log.service_failed(format!("Redis could not be reached: {reason}"));
    }
}

impl Redis {
    /// Takes an empty keyspace from the run's Redis. A check gets its own from [`crate::LabRedis::redis`].
    ///
    /// ```
    /// # async fn example(keyspaces: &lab_redis::Keyspaces) -> lab_kit::CheckResult<()> {
    /// use lab_check::transcript::Transcript;
    /// use lab_redis::Redis;
    ///
    /// let cache = Redis::create(keyspaces, Transcript::default()).await?;
    /// assert!(cache.url().starts_with("redis://127.0.0.1:"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if none can be had.
    pub async fn create(keyspaces: &Keyspaces, transcript: Transcript) -> CheckResult<Self> {
        let given = keyspaces.take().await?;
        let (log, failpoints) = (Log::new(transcript.clone()), Failpoints::default());
        let scripts = Scripts::new(&given.user.name);
        let recording = Recording {
            log: log.clone(),
            failpoints: failpoints.clone(),
            rewriter: CommandRewriter {
                database: given.database.to_string(),
                // A script publishes past the proxy: nobody else knows this.
                prefix: format!("{}:", naming::password()),
                scripts: scripts.clone(),
                subscriptions: Subscriptions::default(),
                facts: given.instance.server.facts.clone(),
                connection: 0,
            },
            user: given.user.name.clone(),
            password: given.user.password.clone(),
            connections: AtomicU64::new(0),
        };
        let upstream = given.instance.server.upstream()?;
        let proxy = Proxy::start("Redis", upstream, Arc::new(recording), failpoints, transcript);
        let proxy = proxy.ours("opening a port for the proxy of Redis")?;
        Ok(Self {
            keyspaces: keyspaces.clone(),
            instance: Arc::clone(&given.instance),
            database: given.database,
            given: Mutex::new(Some(given)),
            url: format!("redis://{}", proxy.address()),
            connection: OnceCell::new(),
            proxy,
            log,
            scripts,
            made: Instant::now(),
        })
    }

    /// The URL that the server under test is given. It needs no password and no database: the proxy sees to both.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let url = lab.redis().await?.url();
    /// # Ok(()) }
    /// ```
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The administrator's connection to this keyspace. Clones share it.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// use lab_redis::AsyncCommands as _;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let mut cache = lab.redis().await?.connection().await?;
    /// let _: () = cache.set("event:7", "no JSON").await.ours("spoiling the cache")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Redis does not serve.
    pub async fn connection(&self) -> CheckResult<MultiplexedConnection> {
        let open = || patiently(|| self.instance.server.connection(self.database));
        self.connection.get_or_try_init(open).await.ours("connecting to Redis").cloned()
    }

    /// The path between the server under test and this keyspace, where faults are made.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// lab.redis().await?.proxy().cut();
    /// # Ok(()) }
    /// ```
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Every key there is, in the order of the alphabet.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// expect_that(!lab.redis().await?.keys().await?.is_empty(), "the cache is filled")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Redis does not serve.
    pub async fn keys(&self) -> CheckResult<Vec<String>> {
        let connection = self.connection().await?;
        let mut keys = patiently(|| scan(connection.clone())).await.ours("listing the keys")?;
        // SCAN may give a key twice.
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// How long a key will live: nothing if it lives for ever, no time at all if it is gone.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let cache = lab.redis().await?;
    /// for key in cache.keys().await? {
    ///     expect_that(cache.ttl(&key).await?.is_some(), format!("the key `{key}` expires"))?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Redis does not serve.
    pub async fn ttl(&self, key: &str) -> CheckResult<Option<Duration>> {
        let connection = self.connection().await?;
        let ask = || async { connection.clone().pttl(key).await };
        let milliseconds: i64 = patiently(ask).await.ours("asking for a key's expiry")?;
        // PTTL answers -1 for a key without an expiry and -2 for no key.
        Ok(if milliseconds == -1 {
            None
        } else {
            Some(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)))
        })
    }

    /// Awaits `action` and gives what it came to, with the commands that reached Redis meanwhile.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.redis().await?.record(app.get("/events/7")).await?;
    /// seen.commands.expect_at_least(1, "the cache is looked into")?;
    /// seen.value.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// What `action` fails with.
    pub async fn record<T, F>(&self, action: F) -> CheckResult<Recorded<T>>
    where
        F: IntoFuture<Output = CheckResult<T>>,
    {
        let mark = self.log.mark();
        let value = action.await?;
        Ok(Recorded { value, commands: self.log.since(mark) })
    }

    /// Every command so far that the server under test sent.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let deletions = lab.redis().await?.commands().named(&["DEL", "UNLINK"]);
    /// # Ok(()) }
    /// ```
    pub fn commands(&self) -> Commands {
        self.log.all()
    }

    /// The text of every script so far that the server under test sent (`EVAL`, `SCRIPT LOAD`), of long ones the first
    /// 4 KiB; each is there once.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let scripts = lab.redis().await?.scripts();
    /// # Ok(()) }
    /// ```
    pub fn scripts(&self) -> Vec<String> {
        self.log.scripts()
    }

    /// Has Redis know none of the scripts that the server under test has loaded, as after a restart or `SCRIPT FLUSH`;
    /// those of other checks stay.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// lab.redis().await?.forget_scripts();
    /// # Ok(()) }
    /// ```
    pub fn forget_scripts(&self) {
        self.scripts.forget();
    }

    /// What went wrong with Redis itself while the server under test used it: then a failed check says nothing of
    /// the submission.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// assert_eq!(lab.redis().await?.service_error(), None);
    /// # Ok(()) }
    /// ```
    pub fn service_error(&self) -> Option<String> {
        // A script that took Redis with it explains every connection that failed.
        let explained = self.keyspaces.watch().was_ended_since(self.made);
        self.log.service_error().filter(|_| !explained)
    }

    /// What held up everybody who uses this Redis while the check had its keyspace.
    pub(crate) fn shortage(&self) -> Option<String> {
        self.keyspaces.watch().trouble_since(self.made).map(str::to_owned)
    }

    /// Gives the keyspace back: its connections end now, and it is emptied soon.
    pub(crate) fn remove(&self) {
        self.proxy.shut();
        if let Some(given) = self.given.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.keyspaces.give_back(given);
        }
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("url", &self.url).field("database", &self.database).finish_non_exhaustive()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.remove();
    }
}

async fn scan(mut connection: MultiplexedConnection) -> RedisResult<Vec<String>> {
    let mut keys = Vec::new();
    let mut cursor = 0_u64;
    loop {
        let (next, found): (u64, Vec<Vec<u8>>) =
            redis::cmd("SCAN").arg(cursor).arg("COUNT").arg(1_000).query_async(&mut connection).await?;
        keys.extend(found.iter().map(|key| String::from_utf8_lossy(key).into_owned()));
        cursor = next;
        if cursor == 0 {
            return Ok(keys);
        }
    }
}
