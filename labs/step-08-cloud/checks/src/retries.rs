//! Task 4: done once, though tried more than once.

use lab_kit::prelude::*;
use lab_nats::{LabNats as _, Nats};

use crate::support::{Job, Order, Queue, SOON, Site};

/// An acknowledgement says that it is done, and nobody asks again (NATS documentation, JetStream consumers, AckExplicit).
#[check(title = "a job whose worker was killed is done by another", task = 4, points = 4, needs = ["ticket"],
        hints = ["What does the broker do with a message that was acknowledged when it was taken?",
                 "First the work, then the acknowledgement. The broker gives the message to somebody else when JOB_ACK_WAIT_MS is over."])]
async fn retried(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("JOB_ACK_WAIT_MS", 1_000);
    let app = site.web().start().await?;
    let order = Order::place(&site, &app, "Ada").await?;
    let job = order.ticket(&site, &app).await?;
    let mut first = site.worker().env("JOB_WORK_MS", "60000").start().await?;
    Job::until(&site, &app, &job, "running", SOON).await?;
    first.kill().await?;
    let _second = site.worker().start().await?;
    let file = Job::done(&site, &app, &job).await.because("the worker that had it was killed")?;
    // never fails alone: `ticket` asks the same
    order.expect_ticket(&site, &app, &file).await?;
    site.expect_objects(1).await
}

/// A message comes at least once. That its effect is there exactly once is your work (Designing Data-Intensive
/// Applications, chapter 11, Idempotence; NATS documentation, JetStream, exactly once semantics).
#[check(title = "a worker killed between the ticket and the acknowledgement: one ticket", task = 4, points = 4, needs = ["retried"],
        hints = ["The second worker gets the same message. What does it find in the database?",
                 "A ticket whose row says `done` is done: acknowledge, and nothing else.",
                 "And if the object is there and the row is not? A key that follows from the job is found again."])]
async fn once(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("JOB_ACK_WAIT_MS", 1_500).env("SWEEP_AFTER_MS", 1_000).env("SWEEP_EVERY_MS", 100);
    let (app, nats) = (site.web().start().await?, lab.nats().await?);
    lose_acknowledgement(&site, &app, nats).await?;
    kill_behind_object(&site, &app, nats).await
}

/// The broker is out of reach from when the job is taken: the ticket is printed, and nobody is told.
async fn lose_acknowledgement(site: &Site<'_>, app: &App, nats: &Nats) -> CheckResult {
    let lab = site.lab;
    let order = Order::place(site, app, "Ada").await?;
    let job = order.ticket(site, app).await?;
    let mut first = site.worker().env("JOB_WORK_MS", "700").start().await?;
    Job::begun(site, app, &job).await?;
    nats.proxy().cut();
    // A worker may give up without its broker. Then this is a job that was never done, as others are.
    let printed = Job::done_within(site, app, &job, Duration::from_secs(3)).await;
    let before = match &printed {
        // never fails alone: `ticket` asks the same
        Ok(file) => Some(order.expect_ticket(site, app, file).await?),
        Err(Failure::Learner(_)) => None,
        Err(ours) => return Err(ours.clone()),
    };
    first.kill().await?;
    nats.proxy().restore();
    let _second = site.worker().start().await?;
    Queue::until_settled(lab, nats).await?;
    let file = Job::done(site, app, &job).await?;
    let after = order.expect_ticket(site, app, &file).await?;
    if let (Ok(printed), Some(before)) = (printed, before) {
        let why = "the job was done, and then its message came once more";
        expect_equal("the job's file", &file, &printed).because(why)?;
        expect_that(after == before, "the ticket that was seen first is not the one that is there now").because(why)?;
    }
    // never fails alone: who prints it again has another file, which was compared
    site.expect_one_object(1).await
}

/// The worker dies when the object is there, and the database knows nothing of it yet.
async fn kill_behind_object(site: &Site<'_>, app: &App, nats: &Nats) -> CheckResult {
    let (lab, store) = (site.lab, site.store().await?);
    let order = Order::place(site, app, "Grace").await?;
    let job = order.ticket(site, app).await?;
    let slow = lab.proxy("the database of one worker", site.database().await?.proxy().address())?;
    let url = site.database_through(&slow).await?;
    let mut first = site.worker().env("DATABASE_URL", &url).env("JOB_WORK_MS", "300").start().await?;
    Job::begun(site, app, &job).await?;
    slow.delay(Duration::from_millis(150));
    lab.eventually("the ticket is in the store", SOON, || async {
        // never fails alone: a second ticket is printed as the first one was
        expect_that(store.objects().await?.len() >= 2, "there is no second object")
    })
    .await?;
    first.kill().await?;
    let _second = site.worker().start().await?;
    let file = Job::done(site, app, &job).await.because("the worker that had it was killed")?;
    // never fails alone: `ticket` asks the same
    order.expect_ticket(site, app, &file).await?;
    Queue::until_settled(lab, nats).await?;
    // never fails alone: the ticket of the other order was read as late
    order.expect_ticket(site, app, &file).await?;
    site.expect_one_object(2).await
}

/// The broker takes a worker that says nothing for dead. A worker that works has to say so (NATS documentation, JetStream
/// consumers, AckWait; AckProgress).
#[check(title = "a job that takes longer than the broker waits is run once", task = 4, points = 4, needs = ["ticket"],
        hints = ["JOB_ACK_WAIT_MS is over, and the job is not. What does the broker do?",
                 "There is an acknowledgement that says: still at it."])]
async fn long_job(lab: &Lab) -> CheckResult {
    // Long enough for a worker on a busy machine to say in time that it is at it.
    let site = Site::new(lab).env("JOB_ACK_WAIT_MS", 2_500).env("JOB_WORK_MS", 6_500);
    let (app, nats) = (site.web().start().await?, lab.nats().await?);
    let order = Order::place(&site, &app, "Ada").await?;
    let job = order.ticket(&site, &app).await?;
    let _workers = site.worker().start_together(2, SOON).await?;
    let file = lab
        .eventually("the job is done", SOON, || async {
            let now = Job::read(&site, &app, &job).await?;
            match now.file {
                _ if now.tries > 1 => Ok(None),
                Some(file) if now.state == "done" => Ok(Some(file)),
                _ => Err(Failure::learner(format!("the job is {}", now.state))
                    .expected("done")
                    .actual(format!("{}, try {}", now.state, now.tries))),
            }
        })
        .await?;
    let Some(file) = file else {
        let failure = Failure::learner("a job in work was begun again by another worker, though its worker is alive");
        // A machine that stands still for so long is nobody's fault.
        return Err(failure.expected("one try").actual("two of them").by_time());
    };
    // never fails alone: `ticket` asks the same
    order.expect_ticket(&site, &app, &file).await?;
    Queue::until_settled(lab, nats).await?;
    expect_equal("how often it was tried", &Job::read(&site, &app, &job).await?.tries, &1)?;
    site.expect_objects(1).await
}
