//! Task 4: a job, from the request to the ticket.

use futures::future::try_join_all;
use lab_kit::prelude::*;
use lab_nats::LabNats as _;
use tokio::time::{Instant, sleep};

use crate::support::{Job, Order, Queue, SOON, Site};

/// How long the store is away.
const AWAY: Duration = Duration::from_secs(2);
/// From a failed try to the next, and what the two pauses between three tries come to at least.
const RETRY_MS: u64 = 700;
const PAUSES: Duration = Duration::from_millis(1_200);

/// What takes long is promised now and done later (RFC 9110, section 15.3.3; Microsoft REST API Guidelines, long-running
/// operations).
#[check(title = "a ticket is promised with 202, printed by a worker, and downloaded", task = 4, points = 3, needs = ["upload"],
        hints = ["202, and `Location` says where the job can be watched.",
                 "The web server puts a message into a stream; the worker takes it out, prints, and acknowledges.",
                 "An order has one job: what does a second request get?"])]
async fn ticket(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let app = site.web().start().await?;
    let order = Order::place(&site, &app, &format!("Zoë {}", lab.word())).await?;
    let answer = order.ask(&site, &app).await?.expect_status(202)?;
    let id: String = answer.at("/job")?;
    answer
        .expect_header_where("location", "ends with the job's path", |value| value.ends_with(&format!("/jobs/{id}")))?;
    let job = Job::read(&site, &app, &id).await?;
    expect_equal("the state of a job that no worker has seen", &job.state.as_str(), &"queued")?;
    expect_equal("how often it was tried", &job.tries, &0)?;
    expect_equal("the job of a second request", &order.ticket(&site, &app).await?, &id)?;
    let mut others = Vec::new();
    for order in Order::place_all(&site, &app, 3).await? {
        let at_once = try_join_all((0..6).map(|_| order.ticket(&site, &app))).await?;
        let one = at_once.iter().all(|other| *other == at_once[0]);
        expect_that(one, format!("an order has several jobs: {at_once:?}"))?;
        others.extend(at_once.into_iter().next());
    }
    let worker = site.worker().start().await?;
    expect_nothing_else(&site, &worker).await?;
    let file = Job::done(&site, &app, &id).await?;
    expect_equal("how often it was tried", &Job::read(&site, &app, &id).await?.tries, &1)?;
    let printed = order.expect_ticket(&site, &app, &file).await?;
    let again = order.ask(&site, &app).await?.expect_status_in(&[200, 202])?;
    expect_equal("the job of a request when it is done", &again.at("/job")?, &id)?;
    site.more_sweeps(&app, 2).await?;
    let later = Job::read(&site, &app, &id).await?;
    expect_equal("the file of a job that was asked for again", &later.file.as_ref(), &Some(&file))?;
    // never fails alone: the file is the same, an order is printed in one way, and the sweeper waits for a minute
    expect_equal("the ticket", &order.expect_ticket(&site, &app, &file).await?, &printed)?;
    for job in &others {
        Job::done(&site, &app, job).await?;
    }
    site.expect_objects(1 + others.len()).await
}

/// A worker has work to do, and answers who wants to know whether it does.
async fn expect_nothing_else(site: &Site<'_>, worker: &App) -> CheckResult {
    match site.post(worker, "/orders").json(&json!({ "event": "Jazz", "name": "Ada" })).await {
        Ok(answer) if answer.status() < 400 => {
            Err(answer.failure("a worker takes orders").expected("it answers GET /health and nothing else"))
        }
        Ok(_) | Err(Failure::Learner(_)) => Ok(()),
        Err(ours) => Err(ours),
    }
}

/// 202 is a promise. It is kept by a disk, and not by a process (RFC 9110, section 15.3.3; NATS documentation, JetStream,
/// Streams, Storage).
#[check(title = "a job that was accepted is done, though web server and broker are killed", task = 4, points = 4, needs = ["ticket"],
        hints = ["Where is the job when the answer is on its way: in a task of this process, or on a disk?",
                 "Is your publish acknowledged, and did you wait for that? Does the stream keep its messages in files?"])]
async fn survives(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let nats = lab.nats().await?;
    let mut app = site.web().start().await?;
    let orders = Order::place_all(&site, &app, 6).await?;
    let jobs = Order::tickets(&orders, &site, &app).await?;
    app.kill().await?;
    nats.kill().await?;
    nats.start_again().await?;
    let app = site.web().start().await?;
    let _worker = site.worker().start().await?;
    for (order, job) in orders.iter().zip(&jobs) {
        let file = Job::done(&site, &app, job).await.because("the job was accepted with 202 before")?;
        // never fails alone: `ticket` asks the same
        order.expect_ticket(&site, &app, &file).await?;
    }
    // never fails alone: `once` asks the same of a job whose message comes twice
    site.expect_objects(orders.len()).await
}

/// A job that fails each time must not be tried for ever, and must not vanish (Enterprise Integration Patterns, Dead
/// Letter Channel; NATS documentation, JetStream consumers, MaxDeliver).
#[check(title = "what cannot be printed is tried three times and put aside, and others are printed", task = 4, points = 4, needs = ["ticket"],
        hints = ["The printer has no ł. Is the job to fail, or the customer to be called `?`?",
                 "The message knows how often it was delivered.",
                 "The last failed try: state `failed`, a message to `tickets.dead`, and then the message is done with."])]
async fn poison(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("WORKER_CONCURRENCY", 1).env("JOB_MAX_TRIES", 3).env("JOB_RETRY_MS", RETRY_MS);
    let (app, nats) = (site.web().start().await?, lab.nats().await?);
    let mut dead_letters = nats.subscribe("tickets.dead").await?;
    let bad = Order::place(&site, &app, &format!("Łukasz {}", lab.word())).await?;
    let good = Order::place_all(&site, &app, 4).await?;
    let _worker = site.worker().start().await?;
    // What is waited for is no worker's start.
    let began = Instant::now();
    let poisoned = bad.ticket(&site, &app).await?;
    let jobs = Order::tickets(&good, &site, &app).await?;
    for (order, job) in good.iter().zip(&jobs) {
        let file = Job::done(&site, &app, job).await.because("another job fails each time that it is tried")?;
        // never fails alone: `ticket` asks the same
        order.expect_ticket(&site, &app, &file).await?;
    }
    let failed = Job::until(&site, &app, &poisoned, "failed", SOON).await?;
    let took = began.elapsed();
    if took < PAUSES {
        let failure = Failure::learner("a job that failed was tried again too soon");
        let expected = format!("JOB_RETRY_MS, which is {RETRY_MS}, from a failed try to the next");
        return Err(failure.expected(expected).actual(format!("three tries in {} ms", took.as_millis())));
    }
    expect_equal("how often it was tried", &failed.tries, &3)?;
    expect_equal("the file of a job that failed", &failed.file, &None)?;
    let Some(letter) = dead_letters.next(SOON).await else {
        let failure = Failure::learner("there was no message on `tickets.dead` for a job that failed three times");
        return Err(failure.expected("one message").actual("none").by_time());
    };
    let text = String::from_utf8_lossy(&letter).into_owned();
    let letter: Value = serde_json::from_slice(&letter).unwrap_or_default();
    for (name, expected) in [("job", json!(poisoned)), ("order", json!(bad.id)), ("tries", json!(3))] {
        if letter.get(name) != Some(&expected) {
            let failure = Failure::learner("the message on `tickets.dead` does not say which job has failed");
            return Err(failure.expected(format!("\"{name}\": {expected}")).actual(text));
        }
    }
    if letter.get("error").and_then(Value::as_str).is_none_or(str::is_empty) {
        let failure = Failure::learner("the message on `tickets.dead` does not say why the job has failed");
        return Err(failure.expected("\"error\": a string").actual(text));
    }
    Queue::until_settled(lab, nats).await?;
    let later = Job::read(&site, &app, &poisoned).await?;
    // never fails alone: nobody has a message any more that says to try it
    expect_equal("how often it was tried", &later.tries, &3)?;
    // never fails alone: nobody has a message any more that says to try it
    expect_equal("the job's state", &later.state.as_str(), &"failed")?;
    site.expect_objects(good.len()).await?;
    printed_when_the_store_is_back(&site, &app).await
}

/// The store is away when a job is tried, which is not the job's fault.
async fn printed_when_the_store_is_back(site: &Site<'_>, app: &App) -> CheckResult {
    let store = site.store().await?.server_proxy();
    let order = Order::place(site, app, "Grace").await?;
    store.cut();
    let job = order.ticket(site, app).await?;
    let end = Instant::now() + AWAY;
    while Instant::now() < end {
        let now = Job::read(site, app, &job).await?;
        expect_that(now.state != "done", "a job is done, and the store where its ticket would be is away")?;
        expect_that(now.state != "failed", "a job has failed because the store was away for a moment")?;
        sleep(Duration::from_millis(50)).await;
    }
    store.restore();
    let file = Job::done(site, app, &job).await.because("the store is back, and the job was accepted")?;
    // never fails alone: `ticket` asks the same
    order.expect_ticket(site, app, &file).await?;
    Ok(())
}
