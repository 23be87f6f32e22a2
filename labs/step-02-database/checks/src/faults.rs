//! Task 9: a database that fails, and what strangers learn of it.

use lab_kit::id::Id;
use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;
use tokio::time::Instant;

use crate::customers::made;
use crate::events::{make, read};
use crate::orders::{cancel, cancellation, order, ordered, place};
use crate::support::{Books, Seed, customer, expect_server_error};
use crate::transfers::{request, send};

/// The time-out that the servers of these checks are given.
const TIMEOUT_MS: &str = "500";
/// How many connections their pools may have.
const CONNECTIONS: usize = 4;
/// How long one answer may take: the time-out and five seconds more, so that a busy machine fails nobody.
const PATIENCE: Duration = Duration::from_millis(5_500);
/// How long a server may take to find its database again.
const RECOVERY: Duration = Duration::from_secs(10);

/// A database that restarts or fails over ends every connection; the pool's connections are dead, and it does not know
/// yet (PostgreSQL manual, 9.28.2 pg_terminate_backend; appendix A, class 57).
#[check(title = "connections that Postgres ended are replaced", task = 9, points = 2, needs = ["read_event"],
        hints = ["Your pool hands out a dead connection. What does the client get?",
                 "sqlx tests a connection before it hands it out, unless you told it not to. The remaining errors are 503: class 57P, and I/O errors."])]
async fn backend_terminated(lab: &Lab) -> CheckResult {
    let (app, path) = prepare(lab).await?;
    let (event, ada) = (Seed::random(lab).insert(lab).await?, customer(lab, 1_000_000_000).await?);
    let db = lab.postgres().await?;
    let mut lock = db.begin().await?;
    lock.execute("lock table events, customers in access exclusive mode").await?;
    lab.note("the grader has locked the tables `events` and `customers`: an order and a new customer have to wait");
    let new = app.post("/customers").json(&json!({ "email": lab.email() }));
    let waiting = lab.burst([place(&app, &event, &ada, 1), new].map(|request| request.within(PATIENCE)));
    let (answers, ended) = tokio::join!(waiting, async {
        db.until_waiting(2, PATIENCE).await?;
        db.terminate_sessions().await
    });
    lock.rollback().await?;
    lab.note(format!("Postgres ended {} connections of the server", ended?));
    for answer in answers? {
        // A server that begins again by itself waits for the lock once more.
        answer
            .expect_status_in(&[201, 503, 504])
            .because("Postgres ended its connection while it waited for a lock")?;
    }
    let (deadline, mut in_a_row) = (Instant::now() + RECOVERY, 0);
    while in_a_row < 10 {
        let answer = app.get(&path).within(PATIENCE).await?.expect_status_in(&[200, 503]);
        let answer = answer.because("Postgres had ended all connections of the server")?;
        in_a_row = if answer.status() == 200 { in_a_row + 1 } else { 0 };
        if Instant::now() > deadline {
            return Err(answer.failure("10 seconds after Postgres ended its connections, the server still answers 503"));
        }
    }
    Ok(())
}

/// Without its database a server cannot do its work: it says so at once, and continues when the database is back (RFC
/// 9110 §15.6.4; The Twelve-Factor App, IV).
#[check(title = "an unreachable database is 503, and no restart is needed afterwards", task = 9, points = 2, needs = ["read_event"],
        hints = ["What does a client get while there is no database, and after how long?",
                 "Connection errors are not the request's fault: `sqlx::Error::Io`, `PoolTimedOut` and the like are 503."])]
async fn database_cut(lab: &Lab) -> CheckResult {
    let (app, path) = prepare(lab).await?;
    let every_kind = every_kind(lab, &app).await?;
    let db = lab.postgres().await?;
    db.proxy().cut();
    expect_unavailable(lab, &app, &path).await.because("the database is unreachable")?;
    for answer in lab.burst(every_kind).await? {
        answer.expect_status(503).because("the database is unreachable")?;
    }
    db.proxy().restore();
    expect_recovery(lab, &app, &path).await
}

/// The worst failure is silence: no error comes, and whoever waits without a limit waits forever (RFC 9110 §15.6.4;
/// OWASP API Security 2023, API4).
#[check(title = "a database that does not respond is 503 in time", task = 9, points = 2, needs = ["database_cut"],
        hints = ["Which of your waits has no limit: for a connection, or for an answer?",
                 "`acquire_timeout` limits the first. `tokio::time::timeout` around everything limits both."])]
async fn database_silent(lab: &Lab) -> CheckResult {
    let (app, path) = prepare(lab).await?;
    let every_kind = every_kind(lab, &app).await?;
    let reads = (0..20).map(|_| app.get(&path).within(PATIENCE)).collect();
    expect_unavailable_in_silence(lab, &app, &path, reads, 1).await?;
    // As many at a time as the pool has connections, so that each is on its way when silence falls.
    for some in every_kind.chunks(CONNECTIONS) {
        let on_their_way = i64::try_from(some.len()).unwrap_or(i64::MAX);
        expect_unavailable_in_silence(lab, &app, &path, some.to_vec(), on_their_way).await?;
    }
    Ok(())
}

/// Has the database fall silent while `on_their_way` of the requests wait for an answer, and those behind them for a
/// connection. Each gets 503, and afterwards all is well again.
async fn expect_unavailable_in_silence(
    lab: &Lab,
    app: &App,
    path: &str,
    requests: Vec<Request>,
    on_their_way: i64,
) -> CheckResult {
    let db = lab.postgres().await?;
    let mut lock = db.begin().await?;
    lock.execute("lock table events, customers, orders in access exclusive mode").await?;
    let silence = async {
        db.until_waiting(on_their_way, Duration::from_millis(300)).await?;
        db.proxy().stop();
        Ok(())
    };
    let (answers, silenced) = tokio::join!(lab.burst(requests), silence);
    silenced?;
    for answer in answers.because("the database accepts requests but does not answer")? {
        answer.expect_status(503).because("the database accepts requests but does not answer")?;
    }
    lock.rollback().await?;
    db.proxy().restore();
    db.until_settled(RECOVERY).await?;
    expect_recovery(lab, app, path).await
}

/// Who is told that it failed tries again. If the first try goes on unseen, both are done (RFC 9110 §9.2.2, §15.6.4;
/// Michael Nygard, Release It!, ch. 5, Timeouts).
#[check(title = "what got 503 is not done later", task = 9, points = 1, needs = ["database_cut", "place_order", "transfer"],
        hints = ["An order got 503 because a lock was held too long. The lock is released: is the order in the table now?",
                 "A task of its own goes on when nobody waits for it any more. Let the time-out drop the transaction, so that it is rolled back."])]
async fn timed_out_undone(lab: &Lab) -> CheckResult {
    let (app, path) = prepare(lab).await?;
    let event = Seed::random(lab).price_cents(10).insert(lab).await?;
    let (ada, bob) = (customer(lab, 5_000).await?, customer(lab, 5_000).await?);
    let before = Books::read(lab).await?;
    let db = lab.postgres().await?;
    let mut lock = db.begin().await?;
    lock.execute("lock table events, customers in access exclusive mode").await?;
    lab.note("the grader has locked the tables `events` and `customers`: orders and transfers have to wait");
    let late = [place(&app, &event, &ada, 2), request(&app, &ada, &bob, 300)];
    for answer in lab.burst(late.map(|request| request.within(PATIENCE))).await? {
        answer.expect_status_in(&[503, 504]).because("it waited for a lock for longer than DATABASE_TIMEOUT_MS")?;
    }
    lock.rollback().await?;
    lab.note("the tables are free again");
    lab.postgres().await?.until_settled(RECOVERY).await?;
    Books::expect_unchanged(lab, before, "an order and a transfer that got 503").await?;
    expect_recovery(lab, &app, &path).await
}

/// What a database reveals about itself helps attackers, and nobody else (OWASP, Error Handling Cheat Sheet; ASVS 5.0,
/// 16.5.1; CWE-209).
#[check(title = "errors reveal nothing about the database", task = 9, points = 2, needs = ["list_sorted", "duplicate_email", "order_refusals", "transfer_refusals", "cancel_order"],
        hints = ["What does the body of your 500 say?", "The text of the error goes to the log; the client gets one fixed sentence."])]
async fn errors_say_nothing(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let email = lab.email();
    let body = json!({ "email": email });
    made(&app, &body).await?;
    // never fails alone: `duplicate_email` asks the same
    let taken = app.post("/customers").json(&body).await?.expect_status(409)?;
    expect_discreet(&taken, &email)?;
    let seed = Seed::random(lab);
    make(&app, &seed.json()).await?;
    let (event, poor, other) = (seed.insert(lab).await?, customer(lab, 0).await?, customer(lab, 1_000_000_000).await?);
    let conflicts = [
        order(&app, &event, &poor, 1).await,
        order(&app, &event, &other, 501).await,
        send(&app, &poor, &other, 1).await,
    ];
    for answer in conflicts {
        // never fails alone: `order_refusals` and `transfer_refusals` ask the same
        let refused = answer?.expect_status(409)?;
        expect_discreet(&refused, &seed.title)?;
    }
    let placed = Id::of(&ordered(&app, &event, &other, 1).await?, "/id")?;
    // never fails alone: `cancel_order` asks the same
    cancel(&app, &placed).await?.expect_status(200)?;
    let refusals = [
        cancel(&app, &placed).await?,
        cancel(&app, &placed.unknown(lab)).await?,
        app.get(format!("/events/{}", event.unknown(lab))).await?,
        order(&app, &event, &poor.unknown(lab), 1).await?,
        send(&app, &other, &poor.unknown(lab), 1).await?,
    ];
    // A second cancellation may get the order again.
    for refused in refusals.iter().filter(|answer| answer.status() >= 400) {
        expect_discreet(refused, &seed.title)?;
    }
    lab.postgres().await?.execute("alter table events drop column starts_at cascade").await?;
    lab.note("the column events.starts_at is gone");
    for request in [app.get("/events"), app.post("/events").json(&seed.json())] {
        let answer = expect_server_error(request.await?).because("the column events.starts_at is gone")?;
        expect_discreet(&answer, &seed.title)?;
    }
    Ok(())
}

/// A server with the short time-out, the path of an event, and connections in the server's pool.
async fn prepare(lab: &Lab) -> CheckResult<(App, String)> {
    // The first start makes the schema, and may take its time for that.
    drop(lab.start().await?);
    let server =
        lab.server().env("DATABASE_TIMEOUT_MS", TIMEOUT_MS).env("DATABASE_MAX_CONNECTIONS", &CONNECTIONS.to_string());
    let app = server.start().await?;
    let path = format!("/events/{}", Seed::random(lab).insert(lab).await?);
    lab.burst((0..8).map(|_| app.get(&path))).await?;
    lab.eventually("the server answers before the fault", RECOVERY, || async { read(&app, &path).await }).await?;
    Ok((app, path))
}

/// A request of every kind that the README has, each of which would be done if the database were well.
async fn every_kind(lab: &Lab, app: &App) -> CheckResult<Vec<Request>> {
    let event = Seed::random(lab).price_cents(1).insert(lab).await?;
    let (ada, bob) = (customer(lab, 5).await?, customer(lab, 5).await?);
    let sql = format!(
        "insert into orders (event_id, customer_id, status, total_cents) values ({}, {}, 'confirmed', 1) returning id::text",
        event.sql(),
        ada.sql()
    );
    let placed = Id::from_sql(&lab.postgres().await?.scalar::<String>(&sql).await?);
    let kinds = [
        app.get("/events"),
        app.get(format!("/events/{event}")),
        app.post("/events").json(&Seed::random(lab).json()),
        app.post("/customers").json(&json!({ "email": lab.email() })),
        place(app, &event, &ada, 1),
        cancellation(app, &placed),
        request(app, &ada, &bob, 1),
    ];
    Ok(kinds.map(|request| request.within(PATIENCE)).into())
}

/// More requests at once than the pool has connections: none may wait for those before it, one after the other.
async fn expect_unavailable(lab: &Lab, app: &App, path: &str) -> CheckResult {
    for answer in lab.burst((0..20).map(|_| app.get(path).within(PATIENCE))).await? {
        answer.expect_status(503)?;
    }
    Ok(())
}

async fn expect_recovery(lab: &Lab, app: &App, path: &str) -> CheckResult {
    lab.eventually("the server reaches its database again", RECOVERY, || async {
        app.get(path).within(PATIENCE).await?.expect_status(200)
    })
    .await?;
    Ok(())
}

/// Fails if an answer's body holds words of the database. What the client itself sent may come back.
fn expect_discreet(answer: &Response, sent: &str) -> CheckResult {
    const TELLING: [&str; 16] = [
        "sql",
        "relation",
        "column",
        "constraint",
        "duplicate key",
        "violates",
        "syntax",
        "postgres",
        "psycopg",
        "starts_at",
        "23505",
        "42703",
        "cached plan",
        "select ",
        "insert into",
        "traceback",
    ];
    let body = answer.text().to_ascii_lowercase().replace(&sent.to_ascii_lowercase(), "");
    match TELLING.iter().find(|word| body.contains(**word)) {
        Some(word) => Err(answer
            .failure(format!("the body of an error contains `{word}`"))
            .expected("a neutral text, such as \"internal server error\"")),
        None => Ok(()),
    }
}
