//! The administrator's side of the Redis of a run: what it is, and how users and databases are given and taken.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisResult, Script,
};

use super::rewrite::NO_DATABASE;
use super::told::Facts;
use lab_check::naming::{self, RunKey};
use lab_check::{CheckResult, Failure, Ours as _};
use lab_proxy::Upstream;

/// Where runs write down which database is whose: in the database of the administrator's URL, and nowhere else.
const CLAIMS: &str = "backend-labs:claims";
/// The first version whose access control the users here need.
const OLDEST: u32 = 7;
/// How long Redis may take to answer its administrator.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many databases Redis has if it does not tell.
const USUAL_DATABASES: i64 = 16;

/// What nobody may do who shares a Redis: everything of an administrator's, what reaches beyond one's own database, what
/// tells of others (the proxy answers some of that itself), and the functions and scripts of others. Keys that are tracked are
/// known by their names alone, whatever their database.
const FORBIDDEN: &str = "-@admin -flushall -swapdb -move -copy -migrate -debug -shutdown -replicaof -slaveof -module \
                         -config -acl -function -script|flush -script|kill -script|debug -select -info -role -pubsub \
                         -memory -client|id -client|info -client|tracking";
/// What clients do all the same, although it counts as administration or is dangerous. Not every version has it.
const ALLOWED: [&str; 7] =
    ["keys", "flushdb", "client|setname", "client|setinfo", "client|no-evict", "client|no-touch", "memory|usage"];

/// Gives a database that nobody uses: an empty one that nobody claims, or that of a run that no longer lives, emptied.
/// In one step, so that two runs never take the same.
const CLAIM: &str = "
    local mine, total, own = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
    local dead = {}
    for i = 4, #ARGV do dead[ARGV[i]] = true end
    for db = 0, total - 1 do
        if db ~= own then
            local owner = redis.call('hget', KEYS[1], db)
            if not owner or dead[owner] then
                redis.call('select', db)
                if owner then redis.call('flushdb') end
                local free = redis.call('dbsize') == 0
                redis.call('select', own)
                if free then
                    redis.call('hset', KEYS[1], db, mine)
                    return db
                end
            end
        end
    end
    return -1";

/// Empties a database that a run claims, and ends the claim if asked to.
const EMPTY: &str = "
    if redis.call('hget', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
    redis.call('select', ARGV[1])
    redis.call('flushdb')
    redis.call('select', ARGV[3])
    if ARGV[4] == 'release' then redis.call('hdel', KEYS[1], ARGV[1]) end
    return 1";

/// One run's view of a Redis.
pub(super) struct Server {
    pub key: RunKey,
    pub version: String,
    /// What checks are told of it.
    pub facts: Facts,
    /// The run's first connection. Its name tells other runs that this one lives.
    pub admin: MultiplexedConnection,
    info: ConnectionInfo,
    databases: i64,
    /// The access rules of every user, beside its database.
    rules: Vec<String>,
    next: AtomicU64,
}

/// A user who can reach one database.
#[derive(Debug)]
pub(super) struct User {
    pub name: String,
    pub password: String,
}

impl Server {
    pub async fn connect(url: &str, run: &str) -> CheckResult<Self> {
        let key = RunKey::of(run);
        let info = url.into_connection_info().ours("reading the URL of Redis")?;
        let mut admin = open(&info).await.ours("connecting to Redis")?;
        let asked: RedisResult<(String, Vec<redis::Value>)> = redis::pipe()
            .cmd("CLIENT")
            .arg("SETNAME")
            .arg(key.connection_name())
            .ignore()
            .cmd("INFO")
            .arg("server")
            .cmd("COMMAND")
            .arg("INFO")
            .arg(&ALLOWED)
            .query_async(&mut admin)
            .await;
        let (facts, known) = asked.ours("asking Redis for its version")?;
        let version = version(&facts)?;
        let allowed = ALLOWED.iter().zip(known).filter(|(_, known)| *known != redis::Value::Nil);
        let rules = FORBIDDEN.split_whitespace().map(str::to_owned);
        let rules = rules.chain(allowed.map(|(name, _)| format!("+{name}"))).collect();
        let databases = databases(&mut admin).await;
        Ok(Self { key, version, facts: Facts::of(&facts), admin, info, databases, rules, next: AtomicU64::new(1) })
    }

    /// Asks whether it answers.
    pub async fn ping(&self) -> RedisResult<()> {
        redis::cmd("PING").exec_async(&mut self.admin.clone()).await
    }

    /// Takes a database for this run, if there is one.
    pub async fn claim(&self) -> RedisResult<Option<i64>> {
        let mut admin = self.admin.clone();
        let dead = self.dead_claims().await?;
        let script = Script::new(CLAIM);
        let mut call = script.key(CLAIMS);
        call.arg(self.key.hex()).arg(self.databases).arg(self.own());
        for run in dead {
            call.arg(run.hex());
        }
        let database: i64 = call.invoke_async(&mut admin).await?;
        Ok(u32::try_from(database).is_ok().then_some(database))
    }

    /// Makes a user who can do there what they like, and nothing elsewhere.
    pub async fn make_user(&self, database: i64) -> RedisResult<User> {
        let user =
            User { name: self.key.name(self.next.fetch_add(1, Ordering::Relaxed)), password: naming::password() };
        redis::cmd("ACL")
            .arg("SETUSER")
            .arg(&user.name)
            .arg(&["reset", "on", "~*", "&*", "+@all"])
            .arg(format!(">{}", user.password))
            .arg(&self.rules)
            .arg(format!("+select|{database}"))
            .arg(format!("+select|{NO_DATABASE}"))
            .exec_async(&mut self.admin.clone())
            .await?;
        Ok(user)
    }

    /// Ends a user's connections and removes it.
    pub async fn remove_user(&self, name: &str) -> RedisResult<()> {
        if RunKey::of_name(name).is_none() {
            return Ok(());
        }
        redis::cmd("ACL").arg("DELUSER").arg(name).exec_async(&mut self.admin.clone()).await
    }

    /// Empties a database of this run, which stays this run's.
    pub async fn empty(&self, database: i64) -> RedisResult<()> {
        self.flush(database, self.key, "keep").await
    }

    /// Removes all users and keys of this run, and its claims.
    pub async fn remove_run(&self) -> RedisResult<()> {
        self.remove(&BTreeSet::from([self.key])).await.map(drop)
    }

    /// Removes all that runs left which no longer live. Tells how many users and databases that were.
    pub async fn remove_dead_runs(&self) -> RedisResult<usize> {
        let users = self.users().await?.into_iter().filter_map(|name| RunKey::of_name(&name));
        let known: BTreeSet<RunKey> = users.chain(self.claims().await?.into_iter().map(|(_, run)| run)).collect();
        let dead = self.dead_among(known).await?;
        self.remove(&dead).await
    }

    /// A connection to `database` as administrator.
    pub async fn connection(&self, database: i64) -> RedisResult<MultiplexedConnection> {
        let settings = self.info.redis_settings().clone().set_db(0);
        let mut connection = open(&self.info.clone().set_redis_settings(settings)).await?;
        // A driver that is refused here does not say why, and it may be only for a moment.
        redis::cmd("SELECT").arg(database).exec_async(&mut connection).await?;
        Ok(connection)
    }

    pub fn upstream(&self) -> CheckResult<Upstream> {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, port) => Ok(Upstream::Tcp(host.clone(), *port)),
            ConnectionAddr::Unix(path) => Ok(Upstream::Unix(path.clone())),
            other => Err(Failure::Ours(format!(
                "the labs cannot use a Redis at {other}: only plain connections are supported"
            ))),
        }
    }

    /// How many databases there are for all runs together.
    pub fn databases(&self) -> i64 {
        self.databases - 1
    }

    /// The database of the administrator's URL, which is never given away.
    fn own(&self) -> i64 {
        self.info.redis_settings().db()
    }

    async fn remove(&self, runs: &BTreeSet<RunKey>) -> RedisResult<usize> {
        let mut removed = 0;
        for name in
            self.users().await?.iter().filter(|name| RunKey::of_name(name).is_some_and(|run| runs.contains(&run)))
        {
            self.remove_user(name).await?;
            removed += 1;
        }
        for (database, run) in self.claims().await?.into_iter().filter(|(_, run)| runs.contains(run)) {
            self.flush(database, run, "release").await?;
            removed += 1;
        }
        Ok(removed)
    }

    async fn flush(&self, database: i64, run: RunKey, then: &str) -> RedisResult<()> {
        let script = Script::new(EMPTY);
        let mut call = script.key(CLAIMS);
        call.arg(database).arg(run.hex()).arg(self.own()).arg(then);
        call.invoke_async(&mut self.admin.clone()).await
    }

    async fn users(&self) -> RedisResult<Vec<String>> {
        redis::cmd("ACL").arg("USERS").query_async(&mut self.admin.clone()).await
    }

    async fn claims(&self) -> RedisResult<Vec<(i64, RunKey)>> {
        let claims: Vec<(i64, String)> = redis::cmd("HGETALL").arg(CLAIMS).query_async(&mut self.admin.clone()).await?;
        Ok(claims.into_iter().filter_map(|(database, run)| Some((database, RunKey::of_hex(&run)?))).collect())
    }

    async fn dead_claims(&self) -> RedisResult<BTreeSet<RunKey>> {
        let claims = self.claims().await?;
        self.dead_among(claims.into_iter().map(|(_, run)| run).collect()).await
    }

    /// Those of `runs` that no longer live. A run bears its name before it claims anything, so one that is known
    /// from its traces is seen here if it lives: the traces have to be read first.
    async fn dead_among(&self, mut runs: BTreeSet<RunKey>) -> RedisResult<BTreeSet<RunKey>> {
        runs.remove(&self.key);
        if runs.is_empty() {
            return Ok(runs);
        }
        let clients: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut self.admin.clone()).await?;
        let names = clients.split_whitespace().filter_map(|field| field.strip_prefix("name="));
        for living in names.filter_map(RunKey::of_connection_name) {
            runs.remove(&living);
        }
        Ok(runs)
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("version", &self.version).finish_non_exhaustive()
    }
}

async fn open(info: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(Some(TIMEOUT));
    Client::open(info.clone())?.get_multiplexed_async_connection_with_config(&config).await
}

/// `Valkey 9.1.2`, which also says `redis_version:7.2.4`, or `Redis 7.0.15`.
fn version(facts: &str) -> CheckResult<String> {
    let fact = |name: &str| facts.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
    if let Some(version) = fact("valkey_version") {
        return Ok(format!("Valkey {version}"));
    }
    let version = fact("redis_version").ok_or_else(|| Failure::Ours("Redis does not report its version".into()))?;
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    if major < OLDEST {
        return Err(Failure::Ours(format!("Redis {version} is too old: the labs need {OLDEST} or newer")));
    }
    Ok(format!("Redis {version}"))
}

async fn databases(admin: &mut MultiplexedConnection) -> i64 {
    let asked: RedisResult<(String, i64)> = redis::cmd("CONFIG").arg("GET").arg("databases").query_async(admin).await;
    // A hosted Redis may not let anybody ask.
    asked.map_or(USUAL_DATABASES, |(_, count)| count)
}
