//! Requests that take as long as the grader wants: orders that wait for a lock on their table.

use lab_kit::prelude::*;
use lab_postgres::{LabPostgres as _, Transaction};

use super::SOON;

/// As long as this lives, nobody can write to the table `orders`, nor read it. Everything else goes on.
#[derive(Debug)]
pub struct Gate(Transaction);

impl Gate {
    /// Locks the table.
    pub async fn shut(lab: &Lab) -> CheckResult<Self> {
        let mut lock = lab.postgres().await?.begin().await?;
        lock.execute("lock table orders in access exclusive mode").await?;
        lab.note("the grader has locked the table `orders`: orders have to wait");
        Ok(Self(lock))
    }

    /// Waits until this many orders wait for the lock.
    pub async fn until_waiting(&self, lab: &Lab, orders: i64) -> CheckResult {
        let db = lab.postgres().await?;
        lab.eventually("the orders reach the locked table", SOON, || async {
            let waiting = db.waiting_sessions().await?;
            expect_that(waiting >= orders, format!("{waiting} of {orders} statements wait for the lock on `orders`"))
        })
        .await
    }

    /// Lets them go on.
    pub async fn open(self, lab: &Lab) -> CheckResult {
        self.0.rollback().await?;
        lab.note("the table `orders` is free again");
        Ok(())
    }
}
