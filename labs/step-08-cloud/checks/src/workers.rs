//! Task 5: workers that come and go.

use std::collections::BTreeSet;

use futures::future::{try_join, try_join_all};
use lab_kit::prelude::*;

use crate::support::{Document, Job, Order, SOON, Site};

/// SHUTDOWN_TIMEOUT_MS of a worker whose job takes longer, and how late it may be on a busy machine.
const END_MS: u64 = 1_000;
const LATE_END: Duration = Duration::from_secs(4);
/// How late the store's answers are when the web server is told to end.
const LATE: Duration = Duration::from_millis(300);

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
    // The database is empty, and whoever starts prepares it.
    let (mut workers, app) = try_join(site.worker().start_together(3, SOON), site.web().start()).await?;
    let orders = Order::place_all(&site, &app, 36).await?;
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
        // never fails alone: `ticket` asks the same
        order.expect_ticket(&site, &app, &file).await?;
        files.insert(file);
    }
    // never fails alone: each file had the lines of its own order
    expect_equal("how many tickets there are", &files.len(), &orders.len())?;
    site.expect_one_object(orders.len()).await
}

/// Who is asked to end has time to put things in order; who puts nothing in order leaves it to the broker's patience (NATS
/// documentation, JetStream consumers, AckNak; Kubernetes documentation, Pod Lifecycle, Termination of Pods).
#[check(title = "whoever is told to end leaves nothing behind for which others have to wait", task = 5, points = 4, needs = ["ticket"],
        hints = ["JOB_ACK_WAIT_MS is a minute here. Who waits for it?",
                 "What is in hand is ended, or given back with a negative acknowledgement.",
                 "What was fetched and not begun is in hand, too.",
                 "And what takes longer than SHUTDOWN_TIMEOUT_MS?"])]
async fn drain(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let site = site.env("JOB_ACK_WAIT_MS", 60_000).env("WORKER_CONCURRENCY", 2).env("JOB_WORK_MS", 800);
    let app = site.web().start().await?;
    answered_though_told_to_end(&site).await?;
    let long = given_up_in_time(&site, &app).await?;
    let orders = Order::place_all(&site, &app, 6).await?;
    let jobs = Order::tickets(&orders, &site, &app).await?;
    let mut first = site.worker().start().await?;
    lab.eventually("a worker has taken jobs", SOON, || async {
        let jobs = try_join_all(jobs.iter().map(|job| Job::read(&site, &app, job))).await?;
        // never fails alone: a worker has begun another job before
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
        // never fails alone: `ticket` asks the same
        order.expect_ticket(&site, &app, &file).await?;
    }
    Job::done(&site, &app, &long)
        .await
        .because("a worker was told to end before it had done this, and another runs")?;
    // One of them is a file that was uploaded.
    site.expect_objects(orders.len() + 2).await
}

/// A web server is told to end in the middle of a request.
async fn answered_though_told_to_end(site: &Site<'_>) -> CheckResult {
    let store = site.store().await?;
    let mut app = site.web().start().await?;
    let upload = site.send(&app, &Document::png(site.lab, 3_000)).await?;
    let before = store.traffic().server_sent;
    store.server_proxy().delay(LATE);
    let completing = tokio::spawn(site.complete(&app, &upload).into_future());
    let asked = site.lab.eventually("the server asks the store about an upload", SOON, || async {
        // never fails alone: `upload` asks whether anything was sent, which only the store can tell
        expect_that(store.traffic().server_sent > before, "it has asked nothing")
    });
    asked.await?;
    app.terminate()?;
    let answer = completing.await.ours("waiting for an answer")?;
    store.server_proxy().restore();
    answer
        .and_then(|answer| answer.expect_status(200))
        .because("the server was told to end when it had this request in hand")?;
    let exit = app.exited(SOON).await?;
    expect_equal("the exit code of the web server that was told to end", &exit.code, &Some(0))
}

/// A worker is told to end in the middle of a job that takes longer than the end may. Gives the job.
async fn given_up_in_time(site: &Site<'_>, app: &App) -> CheckResult<String> {
    let job = Order::place(site, app, "Ada").await?.ticket(site, app).await?;
    let slow = site.worker().env("JOB_WORK_MS", "60000").env("SHUTDOWN_TIMEOUT_MS", &END_MS.to_string());
    let mut slow = slow.start().await?;
    Job::begun(site, app, &job).await?;
    slow.terminate()?;
    let exit = slow.exited(Duration::from_millis(END_MS) + LATE_END).await;
    let exit = exit.because("SHUTDOWN_TIMEOUT_MS is 1000, however long a job takes")?;
    expect_equal("the exit code of the worker that was told to end", &exit.code, &Some(0))?;
    Ok(job)
}
