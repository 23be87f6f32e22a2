//! Task 2: alive, ready, and waiting.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;
use tokio::time::{Instant, sleep};

use crate::support::{SOON, START, until_status};

/// How long `/readyz` may take: the three seconds that the README gives it, and what a busy machine needs.
const ANSWER: Duration = Duration::from_secs(6);
/// How long a server is watched while its database is away.
const LONG_ENOUGH: Duration = Duration::from_millis(1_600);

/// A dead instance is restarted, one that is not ready gets no requests. A restart does not fix a database, so not
/// being ready must not look like being dead (Kubernetes documentation, Configure Liveness, Readiness and Startup
/// Probes).
#[check(title = "without its database the server is alive but not ready", task = 2, points = 5,
        hints = ["Which of the two probes may ask the database, and how long does it wait for the answer?",
                 "`/livez` returns 200 without asking anybody. `/readyz` runs `SELECT 1`, and waits for it a second at most."])]
async fn live_is_not_ready(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let db = lab.postgres().await?;
    expect_away_and_back(lab, &app, || db.proxy().cut()).await.because("the database's connections were cut")?;
    expect_away_and_back(lab, &app, || db.proxy().stop()).await.because("the database no longer answered")
}

async fn expect_away_and_back(lab: &Lab, app: &App, fault: impl FnOnce()) -> CheckResult {
    app.get("/livez").await?.expect_status(200)?;
    until_status(lab, app, "/readyz", 200).await?;
    fault();
    let unready = || async { app.get("/readyz").within(ANSWER).await?.expect_status(503) };
    lab.eventually("GET /readyz is 503", SOON, unready)
        .await
        .hint("How long does `/readyz` wait for a database that says nothing? Whoever asks waits for it, too.")?;
    app.get("/livez").await?.expect_status(200)?;
    lab.postgres().await?.proxy().restore();
    until_status(lab, app, "/readyz", 200).await?;
    Ok(())
}

/// Nobody starts things in order: machines come up together, and a database takes longer than its clients
/// (The Twelve-Factor App, IX Disposability; Docker documentation, Control startup order).
#[check(title = "started before its database, the server waits for it", task = 2, points = 4, needs = ["live_is_not_ready"],
        hints = ["What does your server do first: listen, or connect?",
                 "Listen first, so that the probes can be answered; then keep trying to connect and migrate, and become ready afterwards."])]
async fn waits_for_database(lab: &Lab) -> CheckResult {
    let db = lab.postgres().await?;
    db.proxy().refuse();
    let mut app = lab.server().without_waiting().start().await?;
    lab.eventually("GET /livez is 200 while the database is down", SOON, || async {
        app.get("/livez").await?.expect_status(200)
    })
    .await?;
    let mut waits = async || {
        expect_that(app.is_running(), "the server exited when it should have waited for its database")?;
        app.get("/readyz").await?.expect_status(503)
    };
    waits().await?;
    // Another fault: the host is there, and hangs up. Whoever gives up does so within this time.
    db.proxy().cut();
    let deadline = Instant::now() + LONG_ENOUGH;
    while Instant::now() < deadline {
        waits().await?;
        sleep(Duration::from_millis(100)).await;
    }
    db.proxy().restore();
    app.ready(START).await.because("the database was there again")?;
    app.get("/events").await?.expect_status(200)?;
    Ok(())
}

/// A server that cannot be stopped while it waits holds up the whole deployment (The Twelve-Factor App, IX
/// Disposability).
#[check(title = "SIGTERM stops a server that is still waiting for its database", task = 2, points = 2, needs = ["waits_for_database"],
        hints = ["When does your server start to listen for signals?",
                 "Start listening for SIGTERM before the wait, and `select!` between the two."])]
async fn stops_while_waiting(lab: &Lab) -> CheckResult {
    lab.postgres().await?.proxy().refuse();
    let mut app = lab.server().without_waiting().start().await?;
    lab.eventually("GET /livez is 200 while the database is down", SOON, || async {
        // never fails alone: `waits_for_database`, which this needs, asks the same
        app.get("/livez").await?.expect_status(200)
    })
    .await?;
    app.terminate()?;
    expect_equal("the exit code", &app.exited(SOON).await?.code, &Some(0))
}
