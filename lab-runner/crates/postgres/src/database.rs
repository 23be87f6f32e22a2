//! One check's own database.

use std::future::IntoFuture;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::{PgPoolOptions, PgRow};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::cluster::Cluster;
use super::connection::Recording;
use super::log::Log;
use super::login::Account;
use super::own_cluster::OwnCluster;
use super::query::Sql;
use super::refusal;
use super::statement::{Recorded, Statements};
use super::transaction::Transaction;
use lab_check::naming;
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure, Ours as _};
use lab_proxy::{Failpoints, Proxy};
use lab_sandbox::Network;

/// The grader's connections of one check.
const CONNECTIONS: u32 = 5;
/// How long the grader waits for one of them.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long ended sessions are given until they are gone.
const SESSIONS_END: Duration = Duration::from_secs(2);

/// One check's own database, and the proxy through which the server under test reaches it.
///
/// What is asked through this type is asked around the proxy: it is neither counted nor hit by the proxy's faults. It is
/// asked with the rights of the database's owner, the server under test: its triggers and functions run in our statements
/// too, and may do no more there.
///
/// ```
/// # use lab_postgres::LabPostgres as _;
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
/// let db = lab.postgres().await?;
/// app.post("/customers").json(&json!({"email": lab.email()})).await?.expect_status(201)?;
/// expect_equal("customers", &db.scalar::<i64>("select count(*) from customers").await?, &1)?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    name: String,
    url: String,
    pool: PgPool,
    proxy: Proxy,
    log: Log,
    /// Looks for waits for locks.
    looking: AbortHandle,
    removed: AtomicBool,
    /// Where the server under test is, once that is known, and the proxies that are to be opened there.
    ways: Mutex<Ways>,
    transcript: Transcript,
}

/// The proxies to clusters of the check's own.
#[derive(Debug, Default)]
struct Ways {
    network: Option<Network>,
    proxies: Vec<Arc<Proxy>>,
}

impl Postgres {
    /// Takes a fresh database from the run's cluster. A check gets its own from [`crate::LabPostgres::postgres`].
    ///
    /// ```
    /// # async fn example(cluster: &lab_postgres::Cluster) -> lab_kit::CheckResult<()> {
    /// use lab_check::transcript::Transcript;
    /// use lab_postgres::Postgres;
    ///
    /// let db = Postgres::create(cluster, Transcript::default()).await?;
    /// assert!(db.url().starts_with("postgres://"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if none can be made.
    pub async fn create(cluster: &Cluster, transcript: Transcript) -> CheckResult<Self> {
        let made = cluster.take().await?;
        let (log, failpoints) = (Log::new(transcript.clone()), Failpoints::default());
        let password = naming::password();
        let account = Account { role: made.name.clone(), password: password.clone(), secret: made.secret.clone() };
        let recording = Recording { log: log.clone(), failpoints: failpoints.clone(), account };
        let server = cluster.server();
        let proxy = Proxy::start("Postgres", server.upstream(), Arc::new(recording), failpoints, transcript.clone());
        let proxy = proxy.ours("opening a port for the proxy of Postgres")?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(TIMEOUT);
        let looking = tokio::spawn(log.waits().look(server.pool.clone())).abort_handle();
        Ok(Self {
            url: format!("postgres://{0}:{password}@{1}/{0}", made.name, proxy.address()),
            pool: pool.connect_lazy_with(server.options_for(&made)),
            name: made.name,
            cluster: cluster.clone(),
            proxy,
            log,
            looking,
            removed: AtomicBool::new(false),
            ways: Mutex::default(),
            transcript,
        })
    }

    /// Starts a cluster of the check's own, which the server under test reaches wherever it is.
    pub(super) async fn own_cluster(&self) -> CheckResult<OwnCluster> {
        let cluster = OwnCluster::start(self.cluster.program(), self.transcript.clone()).await?;
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        for proxy in cluster.proxies() {
            if let Some(network) = &ways.network {
                proxy.open_in(network).ours("opening a proxy's port in the servers' network")?;
            }
            ways.proxies.push(Arc::clone(proxy));
        }
        drop(ways);
        Ok(cluster)
    }

    /// Opens in `network` what leads to clusters of the check's own, now and later.
    pub(super) fn open_clusters_in(&self, network: &Network) -> std::io::Result<()> {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.network = Some(network.clone());
        ways.proxies.iter().try_for_each(|proxy| proxy.open_in(network))
    }

    /// The URL that the server under test is given: a role that owns the database and nothing else, through the
    /// proxy.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let url = lab.postgres().await?.url();
    /// # Ok(()) }
    /// ```
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The grader's connections to this database, for what the other methods do not cover. They have the rights of its
    /// owner.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let db = lab.postgres().await?;
    /// let connection = db.pool().acquire().await.ours("connecting to Postgres")?;
    /// # Ok(()) }
    /// ```
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The path between the server under test and this database, where faults are made.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// lab.postgres().await?.proxy().cut();
    /// # Ok(()) }
    /// ```
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// A statement whose values are bound with [`Sql::bind`].
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, event: i64) -> CheckResult<()> {
    /// let db = lab.postgres().await?;
    /// let left: i64 = db.sql("select seats - sold from events where id = $1").bind(event).scalar().await?;
    /// # Ok(()) }
    /// ```
    pub fn sql(&self, text: impl Into<String>) -> Sql<'_> {
        Sql::new(&self.pool, &self.log, text.into())
    }

    /// Runs one statement or several, separated by semicolons, and gives the number of rows that changed.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let gone = lab.postgres().await?.execute("delete from orders").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, if the statement does not fit the schema; ours, if Postgres does not serve.
    pub async fn execute(&self, sql: &str) -> CheckResult<u64> {
        self.sql(sql).execute().await
    }

    /// The one value that a statement gives. Cast it to the type you read: a learner may have chosen another integer.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let orders: i64 = lab.postgres().await?.scalar("select count(*) from orders").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Postgres::execute`]; the learner's failure, if there is no row or its type is another.
    pub async fn scalar<T>(&self, sql: &str) -> CheckResult<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        self.sql(sql).scalar().await
    }

    /// Every row of a statement, as tuples.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let db = lab.postgres().await?;
    /// let events = db.rows::<(i64, String)>("select id::int8, title from events order by id").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Postgres::scalar`].
    pub async fn rows<T>(&self, sql: &str) -> CheckResult<Vec<T>>
    where
        T: for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin,
    {
        self.sql(sql).rows().await
    }

    /// Awaits `action` and gives what it came to, with the statements that reached Postgres meanwhile.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.postgres().await?.record(app.get("/events")).await?;
    /// seen.statements.expect_at_most(2, "a list does not need a query for each of its rows")?;
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
        Ok(Recorded { value, statements: self.log.since(mark) })
    }

    /// Every statement so far that the server under test sent.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let statements = lab.postgres().await?.statements();
    /// let refused = statements.iter().any(|statement| statement.is_error());
    /// # Ok(()) }
    /// ```
    pub fn statements(&self) -> Statements {
        self.log.all()
    }

    /// How many connections the server under test has, as Postgres counts them.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// expect_that(lab.postgres().await?.sessions().await? <= 10, "the pool is bounded")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Postgres does not serve.
    pub async fn sessions(&self) -> CheckResult<i64> {
        let count = "select count(*) from pg_stat_activity where usename = $1 and backend_type = 'client backend'";
        self.administrator(count).bind(self.name.clone()).scalar().await
    }

    /// The process ids of the server's connections, as Postgres tells them: each connection has its own.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let open = lab.postgres().await?.session_ids().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Postgres does not serve.
    pub async fn session_ids(&self) -> CheckResult<Vec<i32>> {
        let ask = "select pid from pg_stat_activity where usename = $1 and backend_type = 'client backend'";
        let ids: Vec<(i32,)> = self.administrator(ask).bind(self.name.clone()).rows().await?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }

    /// Keeps everybody from making a table in this database, until the transaction that this gives is over: a lock on
    /// `pg_class`, which only a superuser may take. Nothing, where the administrator is none.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let gate = lab.postgres().await?.forbid_new_tables().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Postgres does not serve.
    pub async fn forbid_new_tables(&self) -> CheckResult<Option<Transaction>> {
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(TIMEOUT);
        let pool = pool.connect_lazy_with(self.cluster.server().administrator_of(&self.name));
        let mut begun = pool.begin().await.ours("connecting to Postgres")?;
        let lock = "lock table pg_catalog.pg_class in share row exclusive mode";
        match sqlx::query(lock).execute(&mut *begun).await {
            Ok(_) => Ok(Some(Transaction::new(begun, self.log.clone()))),
            Err(error) if error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42501")) => {
                Ok(None)
            }
            Err(error) => Err(Failure::ours("locking pg_class", &error)),
        }
    }

    /// Has Postgres end every connection of the server under test, as an administrator or a fail-over would, and
    /// gives how many there were.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// lab.postgres().await?.terminate_sessions().await?;
    /// app.get("/events").await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Postgres does not serve.
    pub async fn terminate_sessions(&self) -> CheckResult<i64> {
        // In the WHERE clause the function might be called first, and for everybody's sessions.
        let end = "select pid, pg_terminate_backend(pid) from pg_stat_activity
                   where usename = $1 and backend_type = 'client backend'";
        let ended: Vec<(i32, bool)> = self.administrator(end).bind(self.name.clone()).rows().await?;
        let pids: Vec<i32> = ended.into_iter().filter(|(_, ended)| *ended).map(|(pid, _)| pid).collect();
        // The function can wait by itself, but looks once in 100 ms, at one session after the other.
        let left = "select count(*) from pg_stat_activity where usename = $1 and pid = any($2)";
        let deadline = Instant::now() + SESSIONS_END;
        while self.administrator(left).bind(self.name.clone()).bind(pids.clone()).scalar::<i64>().await? > 0 {
            if Instant::now() > deadline {
                break;
            }
            sleep(Duration::from_millis(2)).await;
        }
        Ok(i64::try_from(pids.len()).unwrap_or(i64::MAX))
    }

    /// How Postgres would run a statement: `EXPLAIN (FORMAT JSON)`. The plan's root is at `/0/Plan`.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let plan = lab.postgres().await?.explain("select * from events order by starts_at limit 20").await?;
    /// expect_that(!plan.to_string().contains("Seq Scan"), "an index serves the list")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Postgres::execute`].
    pub async fn explain(&self, sql: &str) -> CheckResult<Value> {
        self.scalar(&format!("explain (format json) {sql}")).await
    }

    /// What went wrong with Postgres itself while the server under test used it, such as a full disk: then a failed
    /// check says nothing of the submission.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// assert_eq!(lab.postgres().await?.service_error(), None);
    /// # Ok(()) }
    /// ```
    pub fn service_error(&self) -> Option<String> {
        self.log.service_error()
    }

    /// What was used up that others on the cluster use too, such as its lock table.
    pub(crate) fn shortage(&self) -> Option<String> {
        self.log.shortage()
    }

    /// Begins a transaction, in which a check holds a lock, for instance. It is rolled back when it is dropped.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let mut lock = lab.postgres().await?.begin().await?;
    /// lock.execute("lock table events in access exclusive mode").await?;
    /// lock.rollback().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Postgres does not serve.
    pub async fn begin(&self) -> CheckResult<Transaction> {
        let begun = self.pool.begin().await;
        Ok(Transaction::new(begun.map_err(|error| refusal::explain(&error, "begin", &self.log))?, self.log.clone()))
    }

    /// A question about sessions and locks: asked as administrator, in the database of the administrator's own URL, where
    /// no submission has made anything.
    pub(super) fn administrator(&self, text: &str) -> Sql<'_> {
        Sql::new(&self.cluster.server().pool, &self.log, text.to_owned())
    }

    /// The name of the database and of the server's role.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn note(&self, text: &str) {
        self.log.note(text.to_owned());
    }

    /// Gives the database back: its connections end now, and it is dropped soon.
    pub(crate) async fn remove(&self) {
        self.looking.abort();
        self.proxy.shut();
        *self.ways.lock().unwrap_or_else(PoisonError::into_inner) = Ways::default();
        // A connection that a crashed check still holds must not hold us.
        let _ = timeout(Duration::from_secs(1), self.pool.close()).await;
        self.discard();
    }

    fn discard(&self) {
        if !self.removed.swap(true, Ordering::SeqCst) {
            self.cluster.discard(&self.name);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.looking.abort();
        self.discard();
    }
}
