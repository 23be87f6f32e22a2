//! Task 4: a long queue.

use lab_kit::prelude::*;
use lab_nats::LabNats as _;
use tokio::time::{Instant, sleep};

use crate::support::{Job, Order, Queue, SOON, Site};

/// How many jobs wait.
const QUEUED: usize = 200;
/// How many a worker may have in hand.
const AT_ONCE: u64 = 3;
/// How many looks in a row must see too many: an acknowledgement may be on its way when the next message is asked for.
const IN_A_ROW: u32 = 15;

/// A queue is there so that nobody has to hold everything at once. Who takes it all has only moved it into his own memory,
/// from where others cannot have it (Site Reliability Engineering, chapter 22; NATS documentation, JetStream consumers,
/// MaxAckPending).
#[check(title = "however long the queue, a worker has no more in hand than it was told", task = 4, points = 4, needs = ["ticket"],
        hints = ["How many messages does your worker ask for, and when does it ask for more?",
                 "Fetched and waiting in a channel is in hand, too.",
                 "Ask for a message when there is a hand free for it: a semaphore with WORKER_CONCURRENCY permits."])]
async fn bounded(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("WORKER_CONCURRENCY", AT_ONCE).env("JOB_WORK_MS", 150);
    let (app, nats) = (site.web().start().await?, lab.nats().await?);
    let queue = Queue::find(&site, &app, nats).await?;
    let orders = Order::place_all(&site, &app, QUEUED).await?;
    let jobs = Order::tickets(&orders, &site, &app).await?;
    let mut workers = vec![site.worker().start().await?];
    let mut most = 0;
    let deadline = Instant::now() + SOON;
    let (mut looks, mut too_many) = (0, 0);
    while Instant::now() < deadline {
        let in_hand = queue.in_hand(nats).await?;
        most = most.max(in_hand);
        let allowed = AT_ONCE * workers.len() as u64;
        too_many = if in_hand > allowed { too_many + 1 } else { 0 };
        if too_many == IN_A_ROW {
            let what = format!("{in_hand} of {QUEUED} messages are in the hands of {} workers", workers.len());
            let failure = Failure::learner(what).expected(format!("at most {allowed}: WORKER_CONCURRENCY for each"));
            return Err(failure.actual(in_hand.to_string()));
        }
        looks += 1;
        if looks % 10 == 0 {
            let done = Job::count_done(&site, &app, &jobs[..30]).await?;
            match workers.len() {
                1 if done >= 9 => workers.push(site.worker().start().await?),
                2 if done >= 27 => break,
                _ => {}
            }
        }
        sleep(Duration::from_millis(10)).await;
    }
    lab.note(format!("at most {most} messages were in hand at once"));
    let done = Job::count_done(&site, &app, &jobs[..30]).await?;
    if done >= 27 {
        return Ok(());
    }
    let failure = Failure::learner("the jobs that were ordered first are not done, though two workers run");
    Err(failure.expected("27 of the first 30 or more").actual(done.to_string()).by_time())
}
