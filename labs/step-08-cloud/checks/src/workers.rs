//! Task 5: workers that come and go.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use lab_kit::prelude::*;

use crate::support::{Job, Order, SOON, Site};

/// Machines fail and are replaced, and nobody waits for them (The Twelve-Factor App, IX; NATS documentation, JetStream
/// consumers, pull consumers).
#[check(title = "three workers, one killed, one told to end: every ticket is printed once", task = 5, points = 4, needs = ["retried"],
        hints = ["All workers are one consumer: each message goes to one of them.",
                 "SIGTERM: take nothing more, end what is in hand, then exit with 0."])]
async fn workers(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let site = site.env("JOB_ACK_WAIT_MS", 1_200).env("JOB_WORK_MS", 100).env("WORKER_CONCURRENCY", 2);
    // What the worker leaves that is killed, is swept.
    let site = site.env("SWEEP_AFTER_MS", 1_000).env("SWEEP_EVERY_MS", 100);
    let app = site.web().start().await?;
    let orders = Order::place_all(&site, &app, 36).await?;
    let mut workers = site.worker().start_together(3, SOON).await?;
    let jobs = Order::tickets(&orders, &site, &app).await?;
    lab.eventually("the first tickets are printed", SOON, || async {
        let done = Job::count_done(&site, &app, &jobs).await?;
        expect_that(done >= 4, format!("{done} jobs are done"))
    })
    .await?;
    workers[0].kill().await?;
    workers[1].terminate()?;
    let exit = workers[1].exited(SOON).await?;
    expect_equal("the exit code of the worker that was told to end", &exit.code, &Some(0))?;
    let mut files = BTreeSet::new();
    for (order, job) in orders.iter().zip(&jobs) {
        let file = Job::done(&site, &app, job).await.because("one worker was killed, one told to end, and one runs")?;
        order.expect_ticket(&site, &app, &file).await?;
        files.insert(file);
    }
    expect_equal("how many tickets there are", &files.len(), &orders.len())?;
    site.expect_one_object(orders.len()).await
}

/// Who is asked to end has time to put things in order; who puts nothing in order leaves it to the broker's patience (NATS
/// documentation, JetStream consumers, AckNak; Kubernetes documentation, Pod Lifecycle, Termination of Pods).
#[check(title = "a worker that is told to end leaves nothing behind for which others have to wait", task = 5, points = 4, needs = ["ticket"],
        hints = ["JOB_ACK_WAIT_MS is a minute here. Who waits for it?",
                 "What is in hand is ended, or given back with a negative acknowledgement.",
                 "What was fetched and not begun is in hand, too."])]
async fn drain(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let site = site.env("JOB_ACK_WAIT_MS", 60_000).env("WORKER_CONCURRENCY", 2).env("JOB_WORK_MS", 800);
    let app = site.web().start().await?;
    let orders = Order::place_all(&site, &app, 6).await?;
    let jobs = Order::tickets(&orders, &site, &app).await?;
    let mut first = site.worker().start().await?;
    lab.eventually("a worker has taken jobs", SOON, || async {
        let jobs = try_join_all(jobs.iter().map(|job| Job::read(&site, &app, job))).await?;
        let failure = || Failure::learner("no job was begun").expected("two are in hand").actual("all wait");
        if jobs.iter().any(|job| job.tries > 0) { Ok(()) } else { Err(failure()) }
    })
    .await?;
    first.terminate()?;
    let exit = first.exited(SOON).await?;
    expect_equal("the exit code of the worker that was told to end", &exit.code, &Some(0))?;
    let _second = site.worker().start().await?;
    for (order, job) in orders.iter().zip(&jobs) {
        let file = Job::done(&site, &app, job).await.because("a worker was told to end, and another runs")?;
        order.expect_ticket(&site, &app, &file).await?;
    }
    site.expect_objects(orders.len()).await
}
