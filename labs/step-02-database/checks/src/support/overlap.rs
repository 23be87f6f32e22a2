//! Requests that meet each other in the database.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

/// How much later the database answers. On one machine a transaction may be over before the next one begins, and a
/// race would be seen on one run and not on the other.
const LATE: Duration = Duration::from_millis(2);

/// Two instances of the server on one database. What keeps order between requests has to be in the database: a lock
/// in the memory of one process keeps out nobody in the other.
#[derive(Debug)]
pub struct Instances([App; 2]);

impl Instances {
    /// Starts them, one after the other.
    pub async fn start(lab: &Lab) -> CheckResult<Self> {
        // Four connections each are enough for any race, and cheap.
        let server = || lab.server().env("DATABASE_MAX_CONNECTIONS", "4").start();
        Ok(Self([server().await?, server().await?]))
    }

    /// One of them, for requests that race with nobody.
    pub fn one(&self) -> &App {
        &self.0[0]
    }

    /// Sends a request for each of `wanted` at the same moment, to the one and the other instance in turn; the answers
    /// come in the same order.
    pub async fn race<'a, T>(
        &self,
        lab: &Lab,
        wanted: &'a [T],
        request: impl Fn(&App, &'a T) -> Request,
    ) -> CheckResult<Vec<Response>> {
        // Who makes others wait for a lock, or lets them try again, answers the last of them late; a busy machine later
        // still. How long it takes is not what these checks are about.
        let limit = Duration::from_secs(40);
        let turns = wanted.iter().enumerate().map(|(turn, wanted)| request(&self.0[turn % 2], wanted).within(limit));
        let requests: Vec<_> = turns.collect();
        lab.burst(requests).await
    }

    /// Has the servers open their connections, by `harmless` requests: a race among requests that first wait for
    /// connections is none.
    pub async fn warm_up(&self, lab: &Lab, harmless: impl Fn(&App) -> Request) -> CheckResult {
        let requests: Vec<_> = (0..8).map(|turn| harmless(&self.0[turn % 2])).collect();
        lab.burst(requests).await?;
        Ok(())
    }

    /// Makes the requests that follow overlap, where they are few: every answer of the database is a little late, as
    /// on a network.
    pub async fn overlap(&self, lab: &Lab) -> CheckResult {
        lab.postgres().await?.proxy().delay(LATE);
        Ok(())
    }
}
