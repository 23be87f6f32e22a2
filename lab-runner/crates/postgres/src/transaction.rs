//! A transaction of the grader's own, which holds what others wait for.

use sqlx::AssertSqlSafe;

use super::log::Log;
use super::refusal;
use lab_check::CheckResult;

/// A transaction of the grader's own, begun by [`crate::Postgres::begin`]. Dropped, it is rolled back.
///
/// ```
/// # use lab_postgres::LabPostgres as _;
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab) -> CheckResult<()> {
/// let mut lock = lab.postgres().await?.begin().await?;
/// lock.execute("lock table events in access exclusive mode").await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, sqlx::Postgres>,
    log: Log,
}

impl Transaction {
    pub(super) fn new(inner: sqlx::Transaction<'static, sqlx::Postgres>, log: Log) -> Self {
        Self { inner, log }
    }

    /// Runs one statement or several in it, and gives the number of rows that changed.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(mut lock: lab_postgres::Transaction) -> CheckResult<()> {
    /// lock.execute("lock table orders in share mode").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, if the statement does not fit the schema; ours, if Postgres does not serve.
    pub async fn execute(&mut self, sql: &str) -> CheckResult<u64> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *self.inner).await;
        done.map(|done| done.rows_affected()).map_err(|error| refusal::explain(&error, sql, &self.log))
    }

    /// Undoes it, and lets go of what it holds.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lock: lab_postgres::Transaction) -> CheckResult<()> {
    /// lock.rollback().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Postgres does not serve.
    pub async fn rollback(self) -> CheckResult {
        self.inner.rollback().await.map_err(|error| refusal::explain(&error, "rollback", &self.log))
    }
}
