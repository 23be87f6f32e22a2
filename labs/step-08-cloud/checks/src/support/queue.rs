//! The broker's side of the jobs: which of them wait, and which are in somebody's hands.

use std::collections::BTreeSet;

use lab_kit::prelude::*;
use lab_nats::{Consumer, Nats};
use tokio::time::sleep;

use super::{Job, Order, SOON, Site};

/// How long the job takes by which the consumers are found.
const WORK_MS: u64 = 1_000;

/// The consumers that hand out jobs. A server may have others, with messages that are nobody's business but its own.
#[derive(Debug)]
pub struct Queue(BTreeSet<(String, String)>);

impl Queue {
    /// Finds them by one job, which a worker of its own does: such a consumer has delivered nothing while there was no
    /// worker, and has a message in hand for as long as the job runs.
    pub async fn find(site: &Site<'_>, app: &App, nats: &Nats) -> CheckResult<Self> {
        let job = Order::place(site, app, "Ada").await?.ticket(site, app).await?;
        let used = |consumer: &&Consumer| consumer.delivered > 0;
        let others: BTreeSet<_> = nats.consumers().await?.iter().filter(used).map(name).collect();
        let mut worker = site.worker().env("JOB_WORK_MS", &WORK_MS.to_string()).start().await?;
        Job::begun(site, app, &job).await?;
        let mut found: Option<BTreeSet<_>> = None;
        loop {
            let holds = |consumer: &&Consumer| consumer.in_hand > 0 && !others.contains(&name(consumer));
            let holding: BTreeSet<_> = nats.consumers().await?.iter().filter(holds).map(name).collect();
            if Job::read(site, app, &job).await?.state != "running" {
                break;
            }
            found = Some(found.map_or(holding.clone(), |found| &found & &holding));
            sleep(Duration::from_millis(20)).await;
        }
        Job::done(site, app, &job).await?;
        worker.terminate()?;
        worker.exited(SOON).await?;
        Ok(Self(found.unwrap_or_default()))
    }

    /// How many messages were delivered and not acknowledged.
    pub async fn in_hand(&self, nats: &Nats) -> CheckResult<u64> {
        let consumers = nats.consumers().await?;
        Ok(consumers.iter().filter(|one| self.0.contains(&name(one))).map(|one| one.in_hand).sum())
    }

    /// Waits until nothing is left of what was ever handed out: no message waits, and none is in anybody's hands. Consumers
    /// that nobody has asked for anything do not count.
    pub async fn until_settled(lab: &Lab, nats: &Nats) -> CheckResult {
        lab.eventually("no message is left for the workers", SOON, || async {
            let consumers = nats.consumers().await?;
            let used = consumers.iter().filter(|consumer| consumer.delivered > 0);
            let left: u64 = used.map(|consumer| consumer.pending + consumer.in_hand).sum();
            let what = format!("{left} messages are queued or in a worker's hands");
            expect_that(left == 0, what).map_err(|failure| failure.expected("none").actual(left.to_string()))
        })
        .await
    }
}

fn name(consumer: &Consumer) -> (String, String) {
    (consumer.stream.clone(), consumer.name.clone())
}
