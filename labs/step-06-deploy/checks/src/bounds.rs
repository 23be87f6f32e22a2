//! Task 8: what requests may take.

use std::collections::BTreeMap;

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;
use tokio::time::Instant;

use crate::logs::expect_line_of;
use crate::support::{Exposition, Gate, Office, SOON, until_status};

/// Somebody waits at the other end, and eventually gives up; work that nobody waits for takes capacity from others (RFC
/// 9110 §15.6.4, §15.6.5; OWASP API Security 2023, API4).
#[check(title = "a request that takes too long is 503 or 504", task = 8, points = 2,
        hints = ["A request waits for a lock that is never released. What does its client get, and when?",
                 "`tokio::time::timeout(request_timeout, next.run(request))` in a middleware. 408 would say that the client was slow."])]
async fn request_timeout(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let server = office.server(lab).env("REQUEST_TIMEOUT_MS", "400").env("MAX_IN_FLIGHT", "2");
    let app = server.start().await?;
    let event = lab.eventually("an event can be created", SOON, || office.event(lab, &app)).await?;
    let order = || async { office.order(&app, &event, "Ada").await?.expect_status(201) };
    let placed = lab.eventually("an order can be placed", SOON, order).await?.at::<i64>("/id")?;
    let gate = Gate::shut(lab).await?;
    let late = |what: &str| format!("REQUEST_TIMEOUT_MS was 400, and {what} had to wait for a lock");
    let reading = app.get(format!("/orders/{placed}")).within(SOON).await;
    reading.and_then(|answer| answer.expect_status_in(&[503, 504])).because(&late("reading an order"))?;
    for _ in 0..2 {
        let placing = office.order(&app, &event, "Ada").within(SOON).await;
        placing.and_then(|answer| answer.expect_status_in(&[503, 504])).because(&late("the order"))?;
    }
    gate.open(lab).await?;
    let again = lab.eventually("an order succeeds after the lock was released", SOON, order).await;
    again.because("a request whose time is over gives its place back: MAX_IN_FLIGHT was 2, and three had timed out")?;
    Ok(())
}

/// A client that stops in the middle keeps its place for as long as it likes, unless the clock runs for it, too (RFC 9110
/// §15.5.9; OWASP API Security 2023, API4; CWE-400).
#[check(title = "a request whose body does not come to its end is ended", task = 8, points = 1,
        hints = ["When does your clock start: when the handler runs, or when the request's head is there?",
                 "An extractor reads the body before your handler begins. A layer around both times both."])]
async fn slow_body(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let server = office.server(lab).env("REQUEST_TIMEOUT_MS", "400").env("MAX_IN_FLIGHT", "1");
    let app = server.start().await?;
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
        app.address(),
        office.token
    );
    let mut half = app.connect().await?;
    half.send(format!("{head}Content-Length: 60\r\n\r\n{{\"title\": ")).await?;
    let why = "REQUEST_TIMEOUT_MS was 400, and no more than half of the body came";
    match half.within(SOON).response_to("POST").await {
        Ok(answer) => drop(answer.expect_status_in(&[408, 503, 504]).because(why)?),
        // Without an answer it has to be closed.
        Err(Failure::Learner(_)) => half.expect_closed(Duration::from_millis(100)).await.because(why)?,
        Err(ours) => return Err(ours),
    }
    until_status(lab, &app, "/events", 200).await.because("MAX_IN_FLIGHT was 1, and the slow request was over")?;
    Ok(())
}

/// Who was told that it failed tries again. If the first try goes on behind its back, both are done
/// (RFC 9110 §9.2.2, §15.6.4; Michael Nygard, Release It!, ch. 5, Timeouts).
#[check(title = "what was answered by a time-out is not done later", task = 8, points = 1, needs = ["request_timeout"],
        hints = ["An order was answered 503. The lock goes: is there an order in the table now?",
                 "A task of its own goes on when nobody waits for it any more. Let the handler be dropped, and its transaction rolled back with it."])]
async fn timeout_undone(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let app = office.server(lab).env("REQUEST_TIMEOUT_MS", "400").start().await?;
    let event = lab.eventually("an event can be made", SOON, || office.event(lab, &app)).await?;
    let gate = Gate::shut(lab).await?;
    let buyer = lab.word();
    // never fails alone: `request_timeout`, which this needs, asks the same
    office.order(&app, &event, &buyer).within(SOON).await?.expect_status_in(&[503, 504])?;
    gate.open(lab).await?;
    lab.postgres().await?.until_settled(SOON).await?;
    let rows = lab.postgres().await?.sql("select count(*) from orders where buyer = $1").bind(buyer);
    let told = "its client was told that it failed: REQUEST_TIMEOUT_MS was over while it waited for a lock";
    expect_equal("rows in orders for the order", &rows.scalar::<i64>().await?, &0).because(told)?;
    app.get(&event).await?.expect_json(json!({"seats_left": 1_000})).because(told)?;
    Ok(())
}

/// A body is held in memory while it is read: without a limit its sender decides how much (RFC 9110 §15.5.14; OWASP API
/// Security 2023, API4).
#[check(title = "a body larger than MAX_BODY_BYTES is 413", task = 8, points = 2,
        hints = ["Do you count the bytes that arrive, or believe what Content-Length says? `curl -H 'Transfer-Encoding: chunked' -d @file …` says nothing.",
                 "`axum::extract::DefaultBodyLimit::max(…)`: the default is 2 MB, not the value from the environment."])]
async fn body_bound(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let app = office.server(lab).env("MAX_BODY_BYTES", "2000").start().await?;
    let event = json!({"title": "Concert", "seats": 10}).to_string();
    // White space is no part of what JSON says, so that only the size is different.
    let padded = |size: usize| format!("{event}{}", " ".repeat(size - event.len()));
    let post = |body: String| app.post("/events").bearer(&office.token).body(body, "application/json");
    post(padded(2_000))
        .await?
        .expect_status(201)
        .because("MAX_BODY_BYTES was 2000, and the body was exactly that large")?;
    for size in [2_001, 60_000] {
        post(padded(size)).await?.expect_status(413).because("MAX_BODY_BYTES was 2000")?;
    }
    let body = padded(60_000);
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let request = app.post("/events").bearer(&office.token).header("Content-Type", "application/json");
    let request = request.header("Transfer-Encoding", "chunked").raw_body(chunked);
    request.await?.expect_status(413).because("the body was chunked: no header says how large it is")?;
    let event = office.event(lab, &app).await?;
    let order = format!("{}{}", json!({"buyer": "Ada", "seats": 1}), " ".repeat(2_000));
    let request = app.post(format!("{event}/orders")).bearer(&office.token).body(order, "application/json");
    request.await?.expect_status(413).because("MAX_BODY_BYTES was 2000, and it bounds every body")?;
    Ok(())
}

/// A server that accepts more than it can handle does everything too late. A client that is refused at once can go
/// elsewhere or try again (RFC 9110 §10.2.3, §15.6.4; RFC 6585 §4; Google, Site Reliability Engineering, ch. 21).
#[check(title = "when MAX_IN_FLIGHT requests are being handled, the next one is told to try again later", task = 8, points = 2,
        hints = ["What happens to the 101st request when 100 are waiting for the database?",
                 "Use a semaphore with `try_acquire`: if there is no permit, don't wait, but send 503 (or 429) with `Retry-After`.",
                 "Keep the probes and `/metrics` outside of it: they must answer especially when the server is at capacity."])]
async fn concurrency_bound(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let server = office.server(lab).env("MAX_IN_FLIGHT", "4").env("REQUEST_TIMEOUT_MS", "60000");
    let app = server.start().await?;
    let event = office.event(lab, &app).await?;
    let gate = Gate::shut(lab).await?;
    let order = || tokio::spawn(office.order(&app, &event, "Ada").within(Duration::from_secs(30)).into_future());
    let orders: Vec<_> = (0..4).map(|_| order()).collect();
    gate.until_waiting(lab, 4).await?;
    let full = "MAX_IN_FLIGHT was 4, and 4 orders waited for a lock";
    for _ in 0..3 {
        let answer = app.get("/events").within(Duration::from_secs(5)).await;
        let refused = answer.and_then(|answer| answer.expect_status_in(&[429, 503])).because(full)?;
        // A number of seconds, or a date.
        let says_when = |value: &str| value.trim().parse::<u32>().is_ok() || value.trim().ends_with("GMT");
        refused.expect_header_where("Retry-After", "is a number of seconds, or a date", says_when)?;
    }
    for path in ["/livez", "/metrics"] {
        app.get(path).await?.expect_status(200).because(full)?;
    }
    gate.open(lab).await?;
    for order in orders {
        let answered = order.await.ours("waiting for an order")?;
        answered.and_then(|answer| answer.expect_status(201)).because("it was one of the 4 that were being handled")?;
    }
    until_status(lab, &app, "/events", 200).await.because("no request was in flight any more")?;
    Ok(())
}

/// A database serves so many sessions and no more, and several instances share them: one that takes what it likes shuts
/// the others out (PostgreSQL manual, 20.3.1, max_connections; HikariCP, About Pool Sizing).
#[check(title = "the server opens no more than DATABASE_MAX_CONNECTIONS sessions", task = 8, points = 1,
        hints = ["How many connections does your pool open when nobody tells it?",
                 "`PgPoolOptions::new().max_connections(…)`: who finds all of them taken waits for one."])]
async fn connection_bound(lab: &Lab) -> CheckResult {
    const MOST: i64 = 3;
    const WATCHED: Duration = Duration::from_secs(1);
    let office = Office::new(lab);
    let server =
        office.server(lab).env("DATABASE_MAX_CONNECTIONS", &MOST.to_string()).env("REQUEST_TIMEOUT_MS", "60000");
    let app = server.start().await?;
    let event = office.event(lab, &app).await?;
    let gate = Gate::shut(lab).await?;
    let order = || tokio::spawn(office.order(&app, &event, "Ada").within(Duration::from_secs(30)).into_future());
    let orders: Vec<_> = (0..4 * MOST).map(|_| order()).collect();
    gate.until_waiting(lab, MOST).await?;
    let began = Instant::now();
    while began.elapsed() < WATCHED {
        let open = lab.postgres().await?.sessions().await?;
        expect_that(open <= MOST, format!("the server has {open} sessions on the database"))
            .because("DATABASE_MAX_CONNECTIONS was 3, and twelve orders were sent at once")?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    gate.open(lab).await?;
    for order in orders {
        let answered = order.await.ours("waiting for an order")?;
        answered.and_then(|answer| answer.expect_status(201)).because("it waited for one of the 3 sessions")?;
    }
    Ok(())
}

/// A place that is not given back is lost for good: after a while the server is full and does nothing
/// (CWE-772; Rust API Guidelines, C-DTOR; Michael Nygard, Release It!, ch. 4).
#[check(title = "a panic and a client that hangs up give their places back", task = 8, points = 2, needs = ["concurrency_bound", "panic"],
        hints = ["Where do you count the places down again? And what if the line is never reached?",
                 "A handler that panics, or that is dropped because its client hung up, runs no line after it: only destructors run.",
                 "Hold the semaphore's permit in a variable; its `Drop` gives the place back, however the request ends."])]
async fn places_come_back(lab: &Lab) -> CheckResult {
    const PLACES: i64 = 3;
    let office = Office::new(lab);
    let server = office.server(lab).env("MAX_IN_FLIGHT", &PLACES.to_string()).env("REQUEST_TIMEOUT_MS", "60000");
    let app = server.start().await?;
    let event = office.event(lab, &app).await?;
    for turn in 0..2 * PLACES {
        let drill = || async { office.drill(&app).await?.expect_status(500) };
        let why = format!("{turn} requests panicked before, one after the other, and MAX_IN_FLIGHT was {PLACES}");
        lab.eventually("a panic is answered with 500", SOON, drill).await.because(&why)?;
    }
    let gate = Gate::shut(lab).await?;
    let orders: Vec<_> = (0..PLACES)
        .map(|_| tokio::spawn(office.order(&app, &event, "Ada").within(Duration::from_secs(60)).into_future()))
        .collect();
    gate.until_waiting(lab, PLACES).await.because("the places of requests that panicked are free again")?;
    for order in &orders {
        order.abort();
    }
    lab.note("the clients of all orders hang up");
    gate.open(lab).await?;
    until_status(lab, &app, "/events", 200)
        .await
        .because("the clients of 3 orders hung up while they waited for a lock, and the lock is gone")?;
    Ok(())
}

/// What is refused is what operators look for first: whether the server was full, and who was turned away
/// (Google, Site Reliability Engineering, ch. 6, The Four Golden Signals; OWASP ASVS 5.0, 16.3).
#[check(title = "a request that is refused has its id, its line and its count", task = 8, points = 2,
        needs = ["concurrency_bound", "request_timeout", "body_bound", "panic", "request_ids"],
        hints = ["Which of your layers answers when the server is full, and which one writes the log?",
                 "The layer that was added last is the outermost. What observes stands around all that can answer."])]
async fn refusals_are_seen(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let server = office.server(lab).env("MAX_IN_FLIGHT", "2").env("REQUEST_TIMEOUT_MS", "1500");
    let app = server.env("MAX_BODY_BYTES", "2000").start().await?;
    let event = lab.eventually("an event can be made", SOON, || office.event(lab, &app)).await?;
    let orders = format!("{event}/orders");
    let before = Exposition::scrape(&app).await?;
    let mut seen = Vec::new();
    let large = " ".repeat(9_000);
    // One after the other; only then is the server filled.
    let alone = [
        (office.drill(&app), "/drill/panic", vec![500]),
        (app.post("/events").bearer(&office.token).body(large, "application/json"), "/events", vec![413]),
        (app.post("/events").json(&json!({})), "/events", vec![401]),
    ];
    for (request, path, statuses) in alone {
        let id = lab.word();
        let answer = request.header("X-Request-Id", &id).await?.expect_status_in(&statuses)?;
        seen.push(Seen { id, method: "POST", path: path.to_owned(), answer });
    }
    let gate = Gate::shut(lab).await?;
    let ids = [lab.word(), lab.word()];
    let stuck = ids.iter().map(|id| office.order(&app, &event, "Ada").within(SOON).header("X-Request-Id", id));
    let stuck: Vec<_> = stuck.map(|order| tokio::spawn(order.into_future())).collect();
    gate.until_waiting(lab, 2).await?;
    let id = lab.word();
    let refused = app.get("/events").header("X-Request-Id", &id).await?;
    // A busy machine may look too late, when the orders' time is over: then it was not refused, and is seen all the same.
    // never fails alone: `concurrency_bound`, which this needs, asks the same
    let refused = refused.expect_status_in(&[200, 429, 503])?;
    seen.push(Seen { id, method: "GET", path: "/events".to_owned(), answer: refused });
    for (order, id) in stuck.into_iter().zip(ids) {
        // never fails alone: `request_timeout`, which this needs, asks the same
        let answer = order.await.ours("waiting for an order")??.expect_status_in(&[503, 504])?;
        seen.push(Seen { id, method: "POST", path: orders.clone(), answer });
    }
    gate.open(lab).await?;
    for one in &seen {
        one.answer.clone().expect_header("X-Request-Id", &one.id).because("every answer carries the request's id")?;
        expect_line_of(lab, &app, &one.id, (one.method, &one.path), one.answer.status()).await?;
    }
    expect_counted(lab, &app, &before, &seen).await
}

/// A request and its answer.
pub struct Seen {
    pub id: String,
    pub method: &'static str,
    pub path: String,
    pub answer: Response,
}

/// Fails unless each of the answers has been counted under its status.
pub async fn expect_counted(lab: &Lab, app: &App, before: &Exposition, seen: &[Seen]) -> CheckResult {
    let mut wanted: BTreeMap<String, f64> = BTreeMap::new();
    for one in seen {
        *wanted.entry(one.answer.status().to_string()).or_default() += 1.0;
    }
    lab.eventually("every answer is counted", SOON, || async {
        let now = Exposition::scrape(app).await?;
        for (status, count) in &wanted {
            let of = |all: &Exposition| {
                all.sum("http_requests_total", |labels| labels.get("status").is_some_and(|it| it == status))
            };
            let grown = of(&now) - of(before);
            let why =
                format!("http_requests_total of status=\"{status}\" grew by {grown}, and {count} were answered so");
            expect_that(grown >= *count, why)?;
        }
        Ok(())
    })
    .await
}
