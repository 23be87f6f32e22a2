//! The end of what the server under test was doing.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::database::Postgres;
use lab_check::{CheckResult, Failure};

/// From one look at the transactions to the next.
const PAUSE: Duration = Duration::from_millis(10);

impl Postgres {
    /// Waits until the server under test has no transaction under way any more: what it did is done, or is undone. For
    /// whoever is about to look at the rows after a fault or a lock is gone.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.postgres().await?.until_settled(Duration::from_secs(10)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, by time, if one is still under way when `within` is over; ours, if Postgres does not
    /// serve.
    pub async fn until_settled(&self, within: Duration) -> CheckResult {
        let sql = "select count(*) from pg_stat_activity where usename = $1 and state <> 'idle'";
        let deadline = Instant::now() + within;
        loop {
            let busy: i64 = self.administrator(sql).bind(self.name().to_owned()).scalar().await?;
            if busy == 0 {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let message =
                    format!("{busy} transactions are under way after {within:?}, though nothing holds them up");
                return Err(Failure::learner(message).by_time());
            }
            sleep(PAUSE).await;
        }
    }
}
