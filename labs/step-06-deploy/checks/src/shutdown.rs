//! Task 3: the way out.

use futures::future::try_join_all;
use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::support::{Gate, Office, SOON};

/// How long servers that are looked at while they drain go on accepting. A busy machine needs some of it to look.
const DRAIN: Duration = Duration::from_millis(1_200);
/// Between the signals to five servers that are told one after the other: from the first to the last of them is longer than
/// a server may be late, so that no round of a loop has all of them early.
const APART: Duration = Duration::from_millis(750);
/// How long after SIGTERM a server with nothing in flight and a DRAIN_DELAY_MS of 2000 may still run.
const HEARD: Duration = Duration::from_millis(4_500);

/// Clients are late to learn that a server is leaving, so it announces that first, and leaves once everything it has
/// begun is finished (Kubernetes documentation, Pod Lifecycle, Termination of Pods; The Twelve-Factor App, IX).
#[check(title = "on SIGTERM: first unready, then requests in flight are answered, then exit code 0", task = 3, points = 6,
        hints = ["Which signal does `docker stop` send? And what does `/readyz` return from that moment on, before the delay is over?",
                 "In this order: `/readyz` 503; DRAIN_DELAY_MS later no new connections; wait for the requests; exit.",
                 "`axum::serve(…).with_graceful_shutdown(…)` does the middle part. `tokio::signal::unix` handles SIGTERM."])]
async fn drain(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let server = office.server(lab).env("DRAIN_DELAY_MS", "1200").env("SHUTDOWN_TIMEOUT_MS", "25000");
    let mut app = server.start().await?;
    let event = office.event(lab, &app).await?;
    let gate = Gate::shut(lab).await?;
    let order = tokio::spawn(office.order(&app, &event, "Ada").within(Duration::from_secs(30)).into_future());
    gate.until_waiting(lab, 1).await?;
    let idle = idle_connection(&app).await?;
    let told = Instant::now();
    app.terminate()?;
    expect_unready_first(lab, &mut app, told).await?;
    expect_no_newcomers(lab, &app).await?;
    expect_closed(lab, idle).await?;
    expect_that(app.is_running(), "the server ended while a request was in flight")?;
    gate.open(lab).await?;
    let answered = order.await.ours("waiting for the order")?;
    answered.and_then(|answer| answer.expect_status(201)).because("the order was in flight when SIGTERM came")?;
    expect_equal("the exit code", &app.exited(SOON).await?.code, &Some(0))
}

/// `/readyz` says 503 while the server still answers; where we look too late to tell, nothing is said.
async fn expect_unready_first(lab: &Lab, app: &mut App, told: Instant) -> CheckResult {
    let seen = lab
        .eventually("GET /readyz is 503 after SIGTERM", DRAIN, || async {
            app.get("/readyz").await?.expect_status(503)
        })
        .await;
    let late = Instant::now() > told + DRAIN.mul_f64(0.8);
    match seen {
        Err(_) if late && app.is_running() && told.elapsed() > DRAIN * 3 => {
            lab.note("the machine was too busy to check in time");
            return Ok(());
        }
        other => other.because("for DRAIN_DELAY_MS the server keeps answering, and says that it is not ready")?,
    };
    if !late {
        app.get("/events").await?.expect_status(200).because("DRAIN_DELAY_MS was not over yet")?;
    }
    Ok(())
}

/// Waits until whoever comes is served no more: the port is closed, nobody takes what waits there, or it is turned away.
async fn expect_no_newcomers(lab: &Lab, app: &App) -> CheckResult {
    const MOMENT: Duration = Duration::from_secs(1);
    let what = "a new connection is no longer served after DRAIN_DELAY_MS";
    lab.eventually(what, SOON, || async {
        match app.get("/livez").within(MOMENT).await {
            Ok(served) if served.status() < 500 => Err(served.failure("a new connection was served")),
            Ok(_) | Err(Failure::Learner(_)) => Ok(()),
            Err(ours) => Err(ours),
        }
    })
    .await
    .hint("When does your server stop accepting: when DRAIN_DELAY_MS is over, or when the last request is answered?")
}

/// A connection on which a request was answered, and nothing comes any more.
async fn idle_connection(app: &App) -> CheckResult<TcpStream> {
    let mut stream = app.socket()?.connect(app.address()).await.ours("connecting to the server")?;
    let head = format!("GET /livez HTTP/1.1\r\nHost: {}\r\n\r\n", app.address());
    stream.write_all(head.as_bytes()).await.ours("sending a request")?;
    let mut answer = [0; 1_024];
    // However it is cut, the rest is read later.
    let _ = timeout(SOON, stream.read(&mut answer)).await;
    Ok(stream)
}

/// Who keeps it open gets requests on it that nobody is left to answer (RFC 9112 §9.6).
async fn expect_closed(lab: &Lab, mut idle: TcpStream) -> CheckResult {
    let closed = timeout(SOON, idle.read_to_end(&mut Vec::new())).await.is_ok();
    lab.note("a connection was open on which nothing was in flight");
    expect_that(closed, "an idle connection is still open 10 s after DRAIN_DELAY_MS was over")
        .map_err(Failure::by_time)
        .because("a request on another one was in flight; idle connections are closed all the same")
}

/// Whoever sends the signal waits for no particular moment, and no longer than it was told to: a signal is heard when it comes
/// (The Twelve-Factor App, IX Disposability; Kubernetes documentation, Pod Lifecycle, Termination of Pods).
#[check(title = "SIGTERM is heard at once, whenever it comes", task = 3, points = 1,
        hints = ["How much time may pass between the signal and `/readyz` 503? Who tells the handler of `/readyz`, and when?",
                 "Who looks for the signal once in a while is late by up to that while, and who begins to listen for it late is killed by it.",
                 "`signal(SignalKind::terminate())?` before the server listens, and `recv().await` beside it: nothing has to poll."])]
async fn heard_at_once(lab: &Lab) -> CheckResult {
    let start = || lab.server().env("DRAIN_DELAY_MS", "2000").start();
    let apps = try_join_all((0..5).map(|_| start())).await?;
    let begun = Instant::now();
    // Servers that look now and then are told at another moment of their round each: all of them cannot be lucky.
    let told = apps.into_iter().zip(0..).map(|(app, number)| hears(lab, app, begun + APART * number));
    try_join_all(told).await?;
    Ok(())
}

/// `app` is told at a moment, and a second later it knows.
async fn hears(lab: &Lab, mut app: App, at: Instant) -> CheckResult {
    sleep_until(at).await;
    app.terminate()?;
    let told = Instant::now();
    sleep_until(told + Duration::from_secs(1)).await;
    if told.elapsed() > Duration::from_millis(1_600) {
        lab.note("the machine was too busy to check in time");
    } else {
        let answer = app.get("/readyz").await.and_then(|answer| answer.expect_status(503));
        answer.map_err(Failure::by_time).because("SIGTERM came a second ago, and DRAIN_DELAY_MS was 2000")?;
    }
    let exit = app.exited(HEARD.saturating_sub(told.elapsed())).await;
    let exit = exit.because("4.5 seconds ago SIGTERM came, DRAIN_DELAY_MS was 2000, and nothing was in flight")?;
    expect_equal("the exit code", &exit.code, &Some(0))
}

/// Until `end`, whoever comes is answered as ever, and told that the server lives and is not ready. Where we look too late,
/// it is by time.
async fn expect_answers_until(lab: &Lab, office: &Office, app: &App, end: Instant) -> CheckResult {
    let answers = async || {
        app.get("/readyz").await?.expect_status(503)?;
        app.get("/livez").await?.expect_status(200).hint("What does whoever asks `/livez` do when it is not 200?")?;
        office.event(lab, app).await
    };
    while Instant::now() < end {
        answers().await.map_err(Failure::by_time).because("DRAIN_DELAY_MS was 2000, and was not over yet")?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Browsers and load balancers keep connections open for minutes in case they need them again. Nothing is in flight on
/// them, so they may be closed at any time (RFC 9112 §9.3, §9.6).
#[check(title = "idle connections do not hold up the exit", task = 3, points = 3,
        hints = ["In a shell: `exec 3<>/dev/tcp/127.0.0.1/8080`, `printf 'GET /livez HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3`. Stop the server: how long does it take?",
                 "The graceful shutdown of hyper, and therefore of axum, closes idle connections: tell it when it is time."])]
async fn idle_connections(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let start = |delay| office.server(lab).env("DRAIN_DELAY_MS", delay).env("SHUTDOWN_TIMEOUT_MS", "60000").start();
    let (mut app, mut brief) = (start("2000").await?, start("50").await?);
    let mut idle = Vec::new();
    for _ in 0..3 {
        let mut connection = app.connect().await?;
        app.get("/events").over(&mut connection).await?.expect_status(200)?;
        idle.push(connection);
    }
    let told = Instant::now();
    app.terminate()?;
    expect_unready_first(lab, &mut app, told)
        .await
        .because("whoever sends requests needs DRAIN_DELAY_MS to notice, also where nothing is in flight")?;
    expect_answers_until(lab, &office, &app, told + Duration::from_millis(500)).await?;
    brief.terminate()?;
    expect_answers_until(lab, &office, &app, told + Duration::from_millis(1_400)).await?;
    let exit =
        app.exited(SOON).await.because("three connections were open, with no request in flight on any of them")?;
    expect_equal("the exit code", &exit.code, &Some(0))?;
    let why = "a server with DRAIN_DELAY_MS=50 ended no sooner than one with 2000, which was told before it";
    expect_that(!brief.is_running(), why).map_err(Failure::by_time)
}

/// Patience is limited: when an orchestrator's runs out, it sends SIGKILL, and then nothing ends in order (Kubernetes
/// documentation, Pod Lifecycle, Termination of Pods).
#[check(title = "a request that does not end is cut off when the shutdown timeout is over", task = 3, points = 4, needs = ["drain"],
        hints = ["A request waits for a lock that is never released. When does your server exit?",
                 "`tokio::time::timeout(shutdown_timeout, server)`: then give up, close the pool (with a limit, too), and exit."])]
async fn stuck_request(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let start = |patience| {
        let server = office.server(lab).env("DRAIN_DELAY_MS", "50").env("SHUTDOWN_TIMEOUT_MS", patience);
        server.env("REQUEST_TIMEOUT_MS", "120000").start()
    };
    let (mut app, mut patient) = (start("400").await?, start("8000").await?);
    let event = office.event(lab, &app).await?;
    let gate = Gate::shut(lab).await?;
    let order = |app| tokio::spawn(office.order(app, &event, "Ada").within(Duration::from_secs(30)).into_future());
    let orders = [order(&app), order(&patient)];
    gate.until_waiting(lab, 2).await?;
    patient.terminate()?;
    // So much sooner is it told, and would be the first to end if both had one time-out.
    tokio::time::sleep(Duration::from_millis(500)).await;
    app.terminate()?;
    let exit = app.exited(SOON).await.because("SHUTDOWN_TIMEOUT_MS was 400, and a request did not end")?;
    for order in &orders {
        order.abort();
    }
    expect_that(exit.code.is_some(), format!("the server ended with {exit}"))
        .because("it exits by itself, with any exit code")?;
    expect_that(patient.is_running(), "a server with SHUTDOWN_TIMEOUT_MS=8000 ended before one with 400")
        .map_err(Failure::by_time)
        .because("a request was in flight, and it was told half a second sooner")?;
    gate.open(lab).await
}

/// Half a request may stay half for ever: its client hung, or means harm. It must not decide when the server ends
/// (RFC 9112 §9.5; CWE-400; Kubernetes documentation, Pod Lifecycle, Termination of Pods).
#[check(title = "half a request does not hold up the exit beyond the time to shut down", task = 3, points = 1, needs = ["drain"],
        hints = ["In a shell: `exec 3<>/dev/tcp/127.0.0.1/8080`, `printf 'GET /events HTTP/1.1\r\n' >&3`. Stop the server: when does it end?",
                 "A graceful shutdown waits for every connection that is not idle, also where no handler runs that a time-out could end.",
                 "When SHUTDOWN_TIMEOUT_MS is over, wait for nothing but your handlers' last answers."])]
async fn half_a_request(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let mut app = office.server(lab).env("DRAIN_DELAY_MS", "50").env("SHUTDOWN_TIMEOUT_MS", "400").start().await?;
    let head =
        format!("POST /events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n", app.address(), office.token);
    let body = format!("{head}Content-Type: application/json\r\nContent-Length: 60\r\n\r\n{{\"title\": ");
    let mut open = Vec::new();
    for half in [head, body] {
        let mut stream = app.socket()?.connect(app.address()).await.ours("connecting to the server")?;
        stream.write_all(half.as_bytes()).await.ours("sending half a request")?;
        open.push(stream);
    }
    lab.note("half a head was sent on one connection, half a body on another");
    // A request on a third connection: what was sent before it has arrived.
    app.get("/events").await?.expect_status(200)?;
    app.terminate()?;
    let exit = app.exited(SOON).await.because("SHUTDOWN_TIMEOUT_MS was 400, and two clients sent half a request")?;
    expect_that(exit.code.is_some(), format!("the server ended with {exit}"))
        .because("it ends by itself, with whatever exit code")
}

/// To a database, a client that has vanished and one that is silent look the same. Sessions that nobody closed hold
/// memory, locks and slots in max_connections until it finds out (PostgreSQL manual, 55.2.10 Termination; 28.2.17
/// pg_stat_database, sessions_abandoned).
#[check(title = "after the exit no database session is left, and none was abandoned", task = 3, points = 4,
        hints = ["What does your pool do when `main` returns?",
                 "`pool.close().await` closes every connection properly. Call it after the last request, and wait for it."])]
async fn sessions_closed(lab: &Lab) -> CheckResult {
    let mut app = lab.server().env("DRAIN_DELAY_MS", "50").start().await?;
    let db = lab.postgres().await?;
    for answer in lab.burst((0..20).map(|_| app.get("/events"))).await? {
        answer.expect_status(200)?;
    }
    let (open, abandoned) = (db.sessions().await?, abandoned(lab).await?);
    app.terminate()?;
    expect_equal("the exit code", &app.exited(SOON).await?.code, &Some(0))?;
    lab.eventually("the server's sessions end", SOON, || async {
        expect_equal("sessions on the database", &db.sessions().await?, &0)
    })
    .await?;
    let more = self::abandoned(lab).await? - abandoned;
    if more == 0 {
        return Ok(());
    }
    Err(Failure::learner(format!("{more} sessions were abandoned when the server ended"))
        .expected(format!("{open} sessions, each closed with the message Terminate"))
        .actual(format!("pg_stat_database counts {more} more as sessions_abandoned")))
}

async fn abandoned(lab: &Lab) -> CheckResult<i64> {
    let sql = "select sessions_abandoned from pg_stat_database where datname = current_database()";
    lab.postgres().await?.scalar(sql).await
}
