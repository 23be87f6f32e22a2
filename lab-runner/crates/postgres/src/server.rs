//! The administrator's side of the Postgres of a run: what it is, and how databases are made and dropped on it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool};

use super::keeper::Keeper;
use super::left::Left;
use super::room::is_full_disk;
use lab_check::naming::{self, RunKey};
use lab_check::service::Access;
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
/// How many connections the grader's role of one database may have.
const GRADERS: i32 = 20;
/// How long a full disk may keep a database from being made.
const NO_ROOM: Duration = Duration::from_secs(15);
/// How often the making of a database is tried, as another session may hold the source for a moment.
const TRIES: u32 = 3;

/// A database, the role that owns it, and the role of the grader's statements. None of these roles may do anything that
/// the others may not: what the submission has in its tables' triggers runs with its own rights, whoever wakes it.
#[derive(Debug)]
pub(super) struct Database {
    /// Its name, and that of its owner.
    pub name: String,
    /// What the proxy signs in with as the owner. The submission never learns it.
    pub secret: String,
    /// The grader's role: a member of the owner's, and of no other.
    pub grader: String,
    grader_secret: String,
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

/// What a cluster keeps in one place for all databases, and anybody can write about their own: comments, labels, and
/// settings, which two views show as well. Whoever reads none of it finds no word of another check's server there.
const SECLUDE: &str = "
    revoke select on pg_shdescription, pg_shseclabel, pg_db_role_setting, pg_roles, pg_user from public;
    grant select (rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit,
        rolpassword, rolvaliduntil, rolbypassrls, oid) on pg_roles to public;
    grant select (usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, passwd, valuntil) on pg_user to public";

/// One run's view of a cluster.
#[derive(Debug)]
pub(super) struct Server {
    pub key: RunKey,
    pub version: String,
    pub pool: PgPool,
    keeper: Keeper,
    options: PgConnectOptions,
    next: AtomicU64,
    superuser: bool,
    /// Whether it was started for grading, and its databases may be kept from what others have left.
    ours: bool,
    how_to_clone: String,
    /// How many connections one role may have.
    limit: i32,
    /// What was found that should not have been there.
    pub left: Left,
}

impl Server {
    /// Connects, and takes the run's lock on that first connection, which is to stay open as long as the run. On a cluster
    /// that was started for grading, the databases that nobody made for a check are closed to those who may sign in.
    pub async fn connect(access: &Access) -> CheckResult<(Self, PgConnection)> {
        let key = RunKey::of(&access.run);
        let options: PgConnectOptions = access.url.parse().ours("reading the URL of Postgres")?;
        let options = match options.get_database() {
            Some(_) => options,
            None => options.database("postgres"),
        };
        let options = options.application_name(&key.connection_name());
        let administrator = administrator(&options);
        let mut first = connect_with_retry(&administrator).await?;
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
        let ours = access.replacement.is_some() && facts.superuser;
        if ours {
            close_to_others(&mut first).await.ours("closing the databases of Postgres that belong to no check")?;
        }
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
        let server = Self {
            keeper: Keeper::start(&administrator).await.ours("connecting to Postgres")?,
            key,
            version: format!("PostgreSQL {}", facts.version.split(' ').next().unwrap_or_default()),
            pool: pool.acquire_timeout(STARTING_UP).connect_lazy_with(administrator),
            options,
            next: AtomicU64::new(1),
            superuser: facts.superuser,
            ours,
            how_to_clone: facts.how_to_clone(),
            limit: (facts.connections / 3).clamp(33, 100),
            left: Left::default(),
        };
        Ok((server, first))
    }

    /// Makes a role and a database of its own: it may do there what it likes, and nothing elsewhere.
    pub async fn make(&self) -> CheckResult<Database> {
        let mut tried = 1;
        let deadline = Instant::now() + NO_ROOM;
        loop {
            match self.try_to_make().await {
                Ok(made) => return Ok(made),
                // What fills the disk may be a submission's, and goes with its database.
                Err(error) if is_full_disk(&error) && Instant::now() < deadline => {}
                Err(error) if tried == TRIES => return Err(Failure::ours("making a database", &error)),
                Err(_) => tried += 1,
            }
            tokio::time::sleep(ASK_AGAIN * tried).await;
        }
    }

    async fn try_to_make(&self) -> sqlx::Result<Database> {
        let [name, grader] = [(); 2].map(|()| self.key.name(self.next.fetch_add(1, Ordering::Relaxed)));
        let [secret, grader_secret] = [(); 2].map(|()| naming::password());
        let mut connection = self.pool.acquire().await?;
        let mut run = async |sql: String| connection.execute(AssertSqlSafe(sql)).await.map(drop);
        run(create_role(&name, &secret, self.limit)).await?;
        run(format!("{} in role {name}", create_role(&grader, &grader_secret, GRADERS))).await?;
        if !self.superuser {
            // Who is no superuser may give a database only to a role that they belong to, and end no other's sessions.
            run(format!("grant {name}, {grader} to current_user")).await?;
        }
        run(format!("create database {name} owner {name} {}", self.how_to_clone)).await?;
        run(format!("revoke connect, temporary on database {name} from public")).await?;
        if self.ours {
            // Nobody has been told of it yet, and so nothing of anybody's is in it.
            let mut inside = self.administrator_of(&name).connect().await?;
            inside.execute(SECLUDE).await?;
            inside.close().await?;
        }
        self.keeper.hold(&[(&name, self.limit), (&grader, GRADERS)]).await?;
        Ok(Database { name, secret, grader, grader_secret })
    }

    /// Drops a database, if it is there and ours.
    pub async fn remove_database(&self, name: &str) -> sqlx::Result<()> {
        if RunKey::of_name(name).is_none() {
            return Ok(());
        }
        let drop = format!("drop database if exists {name} with (force)");
        if self.run(drop.clone()).await.is_err() {
            self.free(name).await?;
            self.run(drop).await?;
        }
        Ok(())
    }

    /// Drops a role, if it is there and ours. Its databases must be gone, and [`Server::let_go`] called.
    pub async fn remove_role(&self, name: &str) -> sqlx::Result<()> {
        if RunKey::of_name(name).is_none() {
            return Ok(());
        }
        let drop = format!("drop role if exists {name}");
        if self.run(drop.clone()).await.is_err() {
            self.disown(name).await?;
            self.run(drop).await?;
        }
        Ok(())
    }

    async fn run(&self, sql: String) -> sqlx::Result<()> {
        let mut connection = self.pool.acquire().await?;
        connection.execute(AssertSqlSafe(sql)).await?;
        Ok(())
    }

    /// Undoes what an owner can do against the end of a database: it calls it a template, or leaves transactions prepared.
    async fn free(&self, name: &str) -> sqlx::Result<()> {
        let template: Option<bool> = sqlx::query_scalar("select datistemplate from pg_database where datname = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        if template == Some(true) {
            self.left.template();
            self.run(format!("alter database {name} is_template false")).await?;
        }
        let prepared: Vec<String> = sqlx::query_scalar("select gid from pg_prepared_xacts where database = $1")
            .bind(name)
            .fetch_all(&self.pool)
            .await?;
        if !prepared.is_empty() {
            self.left.prepared(prepared.len());
            let mut inside = self.administrator_of(name).connect().await?;
            for gid in prepared {
                inside.execute(AssertSqlSafe(format!("rollback prepared '{}'", gid.replace('\'', "''")))).await?;
            }
        }
        Ok(())
    }

    /// Removes what a role has left in databases that are not of our making, such as large objects.
    async fn disown(&self, name: &str) -> sqlx::Result<()> {
        let ask = "select distinct datname::text from pg_shdepend join pg_database on pg_database.oid = dbid
                   where refclassid = 'pg_authid'::regclass
                   and refobjid = (select oid from pg_roles where rolname = $1)";
        let places: Vec<String> = sqlx::query_scalar(ask).bind(name).fetch_all(&self.pool).await?;
        for place in places {
            self.left.elsewhere(&place);
            let mut inside = self.administrator_of(&place).connect().await?;
            inside.execute(AssertSqlSafe(format!("drop owned by {name}"))).await?;
        }
        Ok(())
    }

    /// Lets go of the run's roles, which can be dropped from now on.
    pub async fn let_go(&self) {
        self.keeper.let_go().await;
    }

    /// How many locks are held on the cluster, and for how many there is room (PostgreSQL manual, 19.12).
    pub async fn locks(&self) -> sqlx::Result<(i64, i64)> {
        let ask = "select (select count(*) from pg_locks where not fastpath),
            current_setting('max_locks_per_transaction')::int8
            * (current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8)";
        sqlx::query_as(ask).fetch_one(&self.pool).await
    }

    /// The grader's way into a database: with the rights of its owner, and no more.
    pub fn options_for(&self, database: &Database) -> PgConnectOptions {
        let options = self.options.clone().database(&database.name).application_name("lab grader");
        let options = options.username(&database.grader).password(&database.grader_secret);
        // A learner's migration may change a table between two reads of it: no plan is kept. And a lock that the
        // learner's server holds for ever must not hang the check.
        let settings = [("lock_timeout", "10s"), ("role", database.name.as_str())];
        options.statement_cache_capacity(0).options(settings)
    }

    /// The administrator's way into a database, for locks on what is Postgres's own there.
    pub fn administrator_of(&self, database: &str) -> PgConnectOptions {
        administrator(&self.options).database(database)
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

/// For the administrator nothing that somebody else has made goes by the name of what is Postgres's own.
fn administrator(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options([("search_path", "pg_catalog")])
}

/// Closes the databases that every cluster has to everybody but superusers: the roles of submissions sign in to their own
/// databases only. Elsewhere they are not ours to change, and the proxy alone keeps submissions from them.
async fn close_to_others(connection: &mut PgConnection) -> sqlx::Result<()> {
    let open = "select datname::text from pg_database
                where datname in ('postgres', 'template1') and has_database_privilege('public', oid, 'connect')";
    let open: Vec<String> = sqlx::query_scalar(open).fetch_all(&mut *connection).await?;
    for name in open {
        let close = format!("revoke connect, temporary on database {name} from public");
        if let Err(error) = connection.execute(AssertSqlSafe(close)).await {
            // Another run may do the same at this moment, which Postgres calls an internal error.
            let code = error.as_database_error().and_then(|error| error.code());
            if code.as_deref() != Some("XX000") {
                return Err(error);
            }
        }
    }
    Ok(())
}

/// A role that may sign in and nothing else. Only programs of ours sign in, and so one round of hashing will do.
fn create_role(name: &str, secret: &str, limit: i32) -> String {
    let verifier = lab_scram::verifier(secret, &rand::random());
    format!(
        "create role {name} login password '{verifier}' nosuperuser nocreatedb nocreaterole noreplication \
         connection limit {limit}"
    )
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
