//! Sessions of the server under test that wait for one another, seen and brought about.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::database::Postgres;
use lab_check::CheckResult;

/// From one look at the sessions to the next.
const PAUSE: Duration = Duration::from_millis(5);

impl Postgres {
    /// How many sessions of the server under test wait for a lock.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// expect_equal("sessions that wait", &lab.postgres().await?.waiting_sessions().await?, &0)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Postgres does not serve.
    pub async fn waiting_sessions(&self) -> CheckResult<i64> {
        let count = "select count(*) from pg_stat_activity where usename = $1 and wait_event_type = 'Lock'";
        self.administrator(count).bind(self.name().to_owned()).scalar().await
    }

    /// Waits until at least `count` sessions of the server under test wait for a lock; whether they did before `within`
    /// was over.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let waits = lab.postgres().await?.until_waiting(2, Duration::from_secs(5)).await?;
    /// expect_that(waits, "the second order did not wait for the first")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if Postgres does not serve.
    pub async fn until_waiting(&self, count: i64, within: Duration) -> CheckResult<bool> {
        let deadline = Instant::now() + within;
        while self.waiting_sessions().await? < count {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(PAUSE).await;
        }
        Ok(true)
    }

    /// Awaits `action` while `table` is locked against everybody, until `sessions` of the server's sessions wait for a
    /// lock or `within` is over; then lets all of them go at once. What would meet only by chance meets for certain:
    /// requests that write the same rows, servers that migrate the same database.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let orders = lab.burst((0..2).map(|_| app.post("/orders").json(&json!({"seats": 1}))));
    /// let answers = lab.postgres().await?.overlap("orders", 2, Duration::from_secs(5), orders).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// What `action` fails with; the learner's failure if there is no such table; ours, if Postgres does not serve.
    pub async fn overlap<T, F>(&self, table: &str, sessions: i64, within: Duration, action: F) -> CheckResult<T>
    where
        F: IntoFuture<Output = CheckResult<T>>,
    {
        let mut held = self.begin().await?;
        held.execute(&format!("lock table {table} in access exclusive mode")).await?;
        let mut action = pin!(action.into_future());
        let met = tokio::select! {
            // What ends without waiting has nothing to overlap with, and needs nobody to let it go.
            value = &mut action => return value,
            met = self.until_waiting(sessions, within) => met?,
        };
        self.note(if met { "sessions wait for the table, and are let go at once" } else { "too few sessions wait" });
        held.rollback().await?;
        action.await
    }
}
