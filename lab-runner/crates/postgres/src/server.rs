//! The administrator's side of the Postgres of a run: what it is, and how databases are made and dropped on it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, PgPool};

use lab_check::naming::{self, RunKey};
use lab_check::{CheckResult, Failure, Ours as _};
use lab_proxy::Upstream;

/// The oldest version that the labs are written for.
const OLDEST: i32 = 150_000;
/// A cluster that has just been started refuses connections for a while.
const STARTING_UP: Duration = Duration::from_secs(15);
/// How often a starting cluster is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// Connections of the run itself, beside its first.
const CONNECTIONS: u32 = 5;
/// How often the making of a database is tried, as another session may hold the source for a moment.
const TRIES: u32 = 3;

/// A database and the role that owns it. Both have the same name.
#[derive(Debug)]
pub(super) struct Database {
    pub name: String,
    pub password: String,
}

/// What is asked of a cluster when the run begins.
#[derive(Debug)]
struct Facts {
    version: String,
    number: i32,
    fsync: bool,
    connections: i32,
    superuser: bool,
    /// Whether the system knows the locale `C.UTF-8`.
    has_c_utf8: bool,
}

const ASK_FACTS: &str = "
    select current_setting('server_version'), current_setting('server_version_num')::int4,
        current_setting('fsync')::bool, current_setting('max_connections')::int4,
        (select rolsuper from pg_roles where rolname = current_user),
        exists (select from pg_collation where collname in ('C.UTF-8', 'C.utf8') and collprovider = 'c')";

/// One run's view of a cluster.
#[derive(Debug)]
pub(super) struct Server {
    pub key: RunKey,
    pub version: String,
    pub pool: PgPool,
    options: PgConnectOptions,
    next: AtomicU64,
    superuser: bool,
    how_to_clone: String,
    /// How many connections one role may have.
    limit: i32,
}

impl Server {
    /// Connects, and takes the run's lock on that first connection, which is to stay open as long as the run.
    pub async fn connect(url: &str, run: &str) -> CheckResult<(Self, PgConnection)> {
        let key = RunKey::of(run);
        let options: PgConnectOptions = url.parse().ours("reading the URL of Postgres")?;
        let options = match options.get_database() {
            Some(_) => options,
            None => options.database("postgres"),
        };
        let options = options.application_name(&key.connection_name());
        let mut first = connect_with_retry(&options).await?;
        let facts = Facts::ask(&mut first).await.ours("asking Postgres for its version")?;
        if facts.number < OLDEST {
            return Err(Failure::Ours(format!("Postgres {} is too old: the labs need 15 or newer", facts.version)));
        }
        // Nothing is made before the lock is held: whatever bears the key of a free lock is left over.
        sqlx::query("select pg_advisory_lock($1)")
            .bind(key.lock())
            .execute(&mut first)
            .await
            .ours("locking the run")?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
        let server = Self {
            key,
            version: format!("PostgreSQL {}", facts.version.split(' ').next().unwrap_or_default()),
            pool: pool.acquire_timeout(STARTING_UP).connect_lazy_with(options.clone()),
            options,
            next: AtomicU64::new(1),
            superuser: facts.superuser,
            how_to_clone: facts.how_to_clone(),
            limit: (facts.connections / 3).clamp(33, 100),
        };
        Ok((server, first))
    }

    /// Makes a role and a database of its own: it may do there what it likes, and nothing elsewhere.
    pub async fn make(&self) -> CheckResult<Database> {
        let mut tried = 1;
        loop {
            match self.try_to_make().await {
                Ok(made) => return Ok(made),
                Err(error) if tried == TRIES => return Err(Failure::ours("making a database", &error)),
                Err(_) => tried += 1,
            }
            tokio::time::sleep(ASK_AGAIN * tried).await;
        }
    }

    async fn try_to_make(&self) -> sqlx::Result<Database> {
        let name = self.key.name(self.next.fetch_add(1, Ordering::Relaxed));
        let password = naming::password();
        // Only the proxy signs in with it, and so one round of hashing will do.
        let verifier = lab_scram::verifier(&password, &rand::random());
        let mut connection = self.pool.acquire().await?;
        let mut run = async |sql: String| connection.execute(AssertSqlSafe(sql)).await.map(drop);
        run(format!(
            "create role {name} login password '{verifier}' nosuperuser nocreatedb nocreaterole noreplication \
             connection limit {}",
            self.limit
        ))
        .await?;
        if !self.superuser {
            // Who is no superuser may give a database only to a role that they belong to.
            run(format!("grant {name} to current_user")).await?;
        }
        run(format!("create database {name} owner {name} {}", self.how_to_clone)).await?;
        run(format!("revoke connect, temporary on database {name} from public")).await?;
        Ok(Database { name, password })
    }

    /// Drops a database and its role, if they are there and ours.
    pub async fn remove(&self, name: &str) -> sqlx::Result<()> {
        if RunKey::of_name(name).is_none() {
            return Ok(());
        }
        let mut connection = self.pool.acquire().await?;
        connection.execute(AssertSqlSafe(format!("drop database if exists {name} with (force)"))).await?;
        connection.execute(AssertSqlSafe(format!("drop role if exists {name}"))).await?;
        Ok(())
    }

    /// The administrator's way into the database `name`.
    pub fn options_for(&self, name: &str) -> PgConnectOptions {
        // A learner's migration may change a table between two reads of it: no plan is kept. And a lock that the
        // learner's server holds for ever must not hang the check.
        self.options.clone().database(name).statement_cache_capacity(0).options([("lock_timeout", "10s")])
    }

    pub fn upstream(&self) -> Upstream {
        match self.options.get_socket() {
            Some(folder) => Upstream::Unix(folder.join(format!(".s.PGSQL.{}", self.options.get_port()))),
            None if self.options.get_host().starts_with('/') => {
                Upstream::Unix(format!("{}/.s.PGSQL.{}", self.options.get_host(), self.options.get_port()).into())
            }
            // An IPv6 address stands in brackets in a URL.
            None => Upstream::Tcp(self.options.get_host().trim_matches(['[', ']']).to_owned(), self.options.get_port()),
        }
    }
}

impl Facts {
    async fn ask(connection: &mut PgConnection) -> sqlx::Result<Self> {
        let (version, number, fsync, connections, superuser, has_c_utf8) =
            sqlx::query_as(ASK_FACTS).fetch_one(connection).await?;
        Ok(Self { version, number, fsync, connections, superuser, has_c_utf8 })
    }

    /// Template0 is the one source that nobody can be connected to. Whatever the cluster's own locale is, the copy is
    /// UTF-8, knows every letter's other case, and sorts by code point: a check sees the same wherever it runs.
    ///
    /// Copying files is twice as fast as writing them through the log, but it flushes the whole cluster twice: fine
    /// on one that keeps nothing (measured 15 ms against 37), a nuisance on one that somebody else works with.
    fn how_to_clone(&self) -> String {
        let strategy = if self.fsync { "wal_log" } else { "file_copy" };
        let locale = match (self.number, self.has_c_utf8) {
            (170_000.., _) => "locale_provider builtin builtin_locale 'C.UTF-8' lc_collate 'C' lc_ctype 'C'",
            (_, true) => "locale_provider libc lc_collate 'C' lc_ctype 'C.UTF-8'",
            (_, false) => "locale_provider libc lc_collate 'C' lc_ctype 'C'",
        };
        format!("template template0 strategy {strategy} encoding 'UTF8' {locale}")
    }
}

/// Connects, and waits for a cluster that says it is starting up.
async fn connect_with_retry(options: &PgConnectOptions) -> CheckResult<PgConnection> {
    let deadline = Instant::now() + STARTING_UP;
    loop {
        match options.connect().await {
            Ok(connection) => return Ok(connection),
            Err(error) if is_starting_up(&error) && Instant::now() < deadline => tokio::time::sleep(ASK_AGAIN).await,
            Err(error) => return Err(Failure::ours("connecting to Postgres", &error)),
        }
    }
}

fn is_starting_up(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => error.code().as_deref() == Some("57P03"),
        // What a container's port says before the program inside listens.
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::ConnectionReset,
        _ => false,
    }
}
