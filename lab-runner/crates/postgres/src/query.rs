//! One statement of the grader's, with bound values.

use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, FromRow, PgPool, Postgres, Type};

use super::log::Log;
use super::refusal::{self, Refusal};
use lab_check::{CheckResult, Failure};

/// A statement of the grader's, run with the rights of the database's owner. What does not fit the learner's schema fails the learner, in
/// words that say what is missing.
///
/// ```
/// # use lab_postgres::LabPostgres as _;
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab) -> CheckResult<()> {
/// let db = lab.postgres().await?;
/// db.sql("insert into customers (email) values ($1)").bind(lab.email()).execute().await?;
/// # Ok(()) }
/// ```
#[must_use = "it is run by `execute`, `scalar`, `optional` or `rows`"]
pub struct Sql<'a> {
    pool: &'a PgPool,
    log: &'a Log,
    text: String,
    arguments: Result<PgArguments, BoxDynError>,
}

impl<'a> Sql<'a> {
    pub(super) fn new(pool: &'a PgPool, log: &'a Log, text: String) -> Self {
        Self { pool, log, text, arguments: Ok(PgArguments::default()) }
    }

    /// Binds the next value: the first call `$1`, the second `$2`.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let insert = "insert into customers (email, balance_cents) values ($1, $2)";
    /// lab.postgres().await?.sql(insert).bind(lab.email()).bind(500_i64).execute().await?;
    /// # Ok(()) }
    /// ```
    pub fn bind<'t, T: Encode<'t, Postgres> + Type<Postgres>>(mut self, value: T) -> Self {
        if let Ok(arguments) = &mut self.arguments
            && let Err(error) = arguments.add(value)
        {
            self.arguments = Err(error);
        }
        self
    }

    /// Runs it, and gives the number of rows that changed.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, event: i64) -> CheckResult<()> {
    /// let db = lab.postgres().await?;
    /// db.sql("update events set title = 'new' where id = $1").bind(event).execute().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, if the statement does not fit the schema; ours, if Postgres does not serve.
    pub async fn execute(self) -> CheckResult<u64> {
        let Self { pool, log, text, arguments } = self;
        run(pool, &text, arguments).await.map_err(|error| refusal::explain(&error, &text, log))
    }

    /// Runs it and expects Postgres to refuse it, because the schema forbids `what`, such as "a negative price". Any
    /// refusal by a constraint, a type or a trigger will do.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, event: i64) -> CheckResult<()> {
    /// let db = lab.postgres().await?;
    /// let update = db.sql("update events set price_cents = -1 where id = $1").bind(event);
    /// update.expect_refused("a negative price").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, if Postgres accepts it, or refuses it because a table or column is missing.
    pub async fn expect_refused(self, what: &str) -> CheckResult<Refusal> {
        let Self { pool, log, text, arguments } = self;
        match run(pool, &text, arguments).await {
            Ok(rows) => Err(Failure::learner(format!("the schema allows {what}"))
                .expected(format!("Postgres to refuse: {}", refusal::on_one_line(&text)))
                .actual(format!("it was accepted ({rows} rows changed)"))),
            Err(error) => Refusal::of(&error).ok_or_else(|| refusal::explain(&error, &text, log)),
        }
    }

    /// The one value that it gives.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, event: i64) -> CheckResult<()> {
    /// let db = lab.postgres().await?;
    /// let sold: i64 = db.sql("select sold::int8 from events where id = $1").bind(event).scalar().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Sql::execute`]; the learner's failure, if there is no row or its type is another.
    pub async fn scalar<T>(self) -> CheckResult<T>
    where
        T: for<'r> sqlx::Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
    {
        let (value,) = self.row().await?;
        Ok(value)
    }

    /// The one row that it gives.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, event: i64) -> CheckResult<()> {
    /// let db = lab.postgres().await?;
    /// let read = db.sql("select seats::int8, price_cents::int8 from events where id = $1").bind(event);
    /// let (seats, price): (i64, i64) = read.row().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Sql::scalar`].
    pub async fn row<T: for<'r> FromRow<'r, PgRow> + Send + Unpin>(self) -> CheckResult<T> {
        let Self { pool, log, text, arguments } = self;
        let arguments = arguments.map_err(|error| unbound(error, &text, log))?;
        let query = sqlx::query_as_with(AssertSqlSafe(text.clone()), arguments);
        let mut connection = pool.acquire().await.map_err(|error| refusal::explain(&error, &text, log))?;
        let read = query.fetch_one(&mut *connection).await;
        give_back(connection).await;
        read.map_err(|error| refusal::explain(&error, &text, log))
    }

    /// The one row that it gives, if there is any.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, email: String) -> CheckResult<()> {
    /// let db = lab.postgres().await?;
    /// let found: Option<(i64,)> = db.sql("select id::int8 from customers where email = $1").bind(email).optional().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Sql::scalar`], without the missing row.
    pub async fn optional<T: for<'r> FromRow<'r, PgRow> + Send + Unpin>(self) -> CheckResult<Option<T>> {
        let Self { pool, log, text, arguments } = self;
        let arguments = arguments.map_err(|error| unbound(error, &text, log))?;
        let query = sqlx::query_as_with(AssertSqlSafe(text.clone()), arguments);
        let mut connection = pool.acquire().await.map_err(|error| refusal::explain(&error, &text, log))?;
        let read = query.fetch_optional(&mut *connection).await;
        give_back(connection).await;
        read.map_err(|error| refusal::explain(&error, &text, log))
    }

    /// Every row that it gives.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, event: i64) -> CheckResult<()> {
    /// let db = lab.postgres().await?;
    /// let orders: Vec<(i64,)> = db.sql("select id::int8 from orders where event_id = $1").bind(event).rows().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Sql::scalar`], without the missing row.
    pub async fn rows<T: for<'r> FromRow<'r, PgRow> + Send + Unpin>(self) -> CheckResult<Vec<T>> {
        let Self { pool, log, text, arguments } = self;
        let arguments = arguments.map_err(|error| unbound(error, &text, log))?;
        let query = sqlx::query_as_with(AssertSqlSafe(text.clone()), arguments);
        let mut connection = pool.acquire().await.map_err(|error| refusal::explain(&error, &text, log))?;
        let read = query.fetch_all(&mut *connection).await;
        give_back(connection).await;
        read.map_err(|error| refusal::explain(&error, &text, log))
    }
}

/// Without values, the simple protocol takes several statements at once.
async fn run(pool: &PgPool, text: &str, arguments: Result<PgArguments, BoxDynError>) -> sqlx::Result<u64> {
    let arguments = arguments.map_err(sqlx::Error::Encode)?;
    let text = AssertSqlSafe(text.to_owned());
    let mut connection = pool.acquire().await?;
    let result = if arguments.len() > 0 {
        sqlx::query_with(text, arguments).execute(&mut *connection).await
    } else {
        sqlx::raw_sql(text).execute(&mut *connection).await
    };
    give_back(connection).await;
    Ok(result?.rows_affected())
}

/// Has the next statement find this connection. Dropped, it would come back a moment too late, and the next would
/// open another, which costs more than the statement.
async fn give_back(mut connection: PoolConnection<Postgres>) {
    connection.return_to_pool().await;
}

fn unbound(error: BoxDynError, text: &str, log: &Log) -> Failure {
    refusal::explain(&sqlx::Error::Encode(error), text, log)
}
