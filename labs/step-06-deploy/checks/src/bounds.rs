//! Task 8: what requests may take.

use lab_kit::prelude::*;

use crate::support::{Gate, Office, SOON, until_status};

/// Somebody waits at the other end, and eventually gives up; work that nobody waits for takes capacity from others (RFC
/// 9110 §15.6.4, §15.6.5; OWASP API Security 2023, API4).
#[check(title = "a request that takes too long is 503 or 504", task = 8, points = 3,
        hints = ["A request waits for a lock that is never released. What does its client get, and when?",
                 "`tokio::time::timeout(request_timeout, next.run(request))` in a middleware. 408 would say that the client was slow."])]
async fn request_timeout(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let app = office.server(lab).env("REQUEST_TIMEOUT_MS", "400").start().await?;
    let event = lab.eventually("an event can be created", SOON, || office.event(lab, &app)).await?;
    let gate = Gate::shut(lab).await?;
    let answer = office.order(&app, &event, "Ada").within(SOON).await;
    answer
        .and_then(|answer| answer.expect_status_in(&[503, 504]))
        .because("REQUEST_TIMEOUT_MS was 400, and the order had to wait for a lock")?;
    gate.open(lab).await?;
    lab.eventually("an order after the lock was released", SOON, || async {
        office.order(&app, &event, "Ada").await?.expect_status(201)
    })
    .await?;
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
    app.get("/events").await?.expect_status(200)?;
    Ok(())
}

/// A server that accepts more than it can handle does everything too late. A client that is refused at once can go
/// elsewhere or try again (RFC 9110 §10.2.3, §15.6.4; RFC 6585 §4; Google, Site Reliability Engineering, ch. 21).
#[check(title = "when MAX_IN_FLIGHT requests are being handled, the next one is told to try again later", task = 8, points = 4,
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
