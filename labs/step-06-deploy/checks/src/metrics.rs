//! Task 7: what a monitoring system reads, and what it must read after a panic.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use lab_kit::prelude::*;
use tokio::time::Instant;

use crate::logs::expect_line_of;
use crate::support::{Exposition, Gate, Office, SOON};

/// How long a count may take until it can be read.
const ARRIVAL: Duration = Duration::from_secs(5);
const REQUESTS: &str = "http_requests_total";
const DURATIONS: &str = "http_request_duration_seconds";

/// Logs tell what happened to one request, metrics what happens to all of them: how many, how many failed, how long
/// they took (Prometheus documentation, Exposition formats; Google, Site Reliability Engineering, ch. 6).
#[check(title = "requests are counted and timed, in a format that Prometheus reads", task = 7, points = 4,
        hints = ["What does `curl /metrics` show after three requests?",
                 "The crate `prometheus-client` has `Family<Labels, Counter>` and `Histogram`, and writes the format. It adds `_total` to a counter's name.",
                 "Count in the middleware that writes the log: it knows the status and the time."])]
async fn metrics(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    // The first of each kind may make a series; the others must change it.
    for path in ["/events", "/events/999999999"] {
        app.get(path).await?;
    }
    let before = Exposition::scrape(&app).await?;
    for (metric, kind) in [(REQUESTS, "counter"), (DURATIONS, "histogram")] {
        expect_equal(&format!("the type of {metric}"), &before.type_of(metric), &Some(kind))?;
    }
    for _ in 0..3 {
        app.get("/events").await?.expect_status(200)?;
    }
    for _ in 0..2 {
        app.get("/events/999999999").await?.expect_status(404)?;
    }
    let after = lab
        .eventually("three requests with status 200 and two with 404 are counted", ARRIVAL, || async {
            let now = Exposition::scrape(&app).await?;
            let grown = |name: &str, status| now.sum(name, with_status(status)) - before.sum(name, with_status(status));
            // Whether a request for /metrics counts as well is up to the server.
            expect_that(
                grown(REQUESTS, "200") >= 3.0,
                format!("{REQUESTS} of status=\"200\" grew by {}", grown(REQUESTS, "200")),
            )?;
            expect_equal(&format!("{REQUESTS} of status=\"404\" grew by"), &grown(REQUESTS, "404"), &2.0)?;
            Ok(now)
        })
        .await?;
    if let Some(problem) = after.histogram_problem(DURATIONS) {
        return Err(Failure::learner(problem).expected("a histogram: its buckets, its sum and its count"));
    }
    let count = format!("{DURATIONS}_count");
    let grown = after.sum(&count, |_| true) - before.sum(&count, |_| true);
    expect_that(grown >= 5.0, format!("after five more requests {count} has grown by {grown}"))
}

/// A number without its unit is a number that somebody reads wrongly, at night. Seconds are Prometheus's, and the log's
/// member says milliseconds (Prometheus documentation, Metric and label naming, Base units; OpenMetrics, Units).
#[check(title = "durations are in seconds in the metrics, in milliseconds in the log", task = 7, points = 2, needs = ["metrics", "log_lines"],
        hints = ["A request took half a second. What do `http_request_duration_seconds_sum` and `duration_ms` say of it?",
                 "`elapsed().as_secs_f64()` for the one, a thousand times that for the other."])]
async fn units(lab: &Lab) -> CheckResult {
    const HELD: Duration = Duration::from_millis(400);
    let office = Office::new(lab);
    let app = office.server(lab).start().await?;
    let event = office.event(lab, &app).await?;
    let before = Exposition::scrape(&app).await?;
    let (began, id) = (Instant::now(), lab.word());
    let gate = Gate::shut(lab).await?;
    let order = office.order(&app, &event, "Ada").header("X-Request-Id", &id).within(SOON);
    let order = tokio::spawn(order.into_future());
    gate.until_waiting(lab, 1).await?;
    tokio::time::sleep(HELD).await;
    gate.open(lab).await?;
    let status = order.await.ours("waiting for the order")??.expect_status(201)?.status();
    let most = began.elapsed();
    let line = expect_line_of(lab, &app, &id, ("POST", &format!("{event}/orders")), status).await?;
    let logged = line["duration_ms"].as_f64().unwrap_or_default() / 1_000.0;
    expect_seconds("duration_ms, in seconds,", logged, HELD, most)?;
    let sum = format!("{DURATIONS}_sum");
    lab.eventually("the order's time is in the histogram", ARRIVAL, || async {
        let now = Exposition::scrape(&app).await?;
        // The scrapes may be counted as well; they are no longer than all of it together.
        let grown = now.sum(&sum, |_| true) - before.sum(&sum, |_| true);
        expect_seconds(&format!("{sum} grew by"), grown, HELD, began.elapsed() * 2)
    })
    .await
}

/// Fails unless the number is between the two times, in seconds.
fn expect_seconds(what: &str, found: f64, least: Duration, most: Duration) -> CheckResult {
    // Clocks of two programs differ a little, and what is written is rounded.
    let (least, most) = (least.as_secs_f64() * 0.9, most.as_secs_f64() * 1.1);
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(Failure::learner(format!("{what} is no number of the unit that its name says"))
        .expected(format!("{least:.2} s to {most:.2} s: so long the request took"))
        .actual(format!("{found} s")))
}

/// Each different set of labels is a series that is kept forever, and strangers choose paths and methods: they could
/// fill up the memory of the server and of the monitoring (Prometheus documentation, Metric and label naming;
/// Instrumentation, Do not overuse labels; OWASP API Security 2023, API4).
#[check(title = "a thousand different paths create no new series", task = 7, points = 3, needs = ["metrics"],
        hints = ["Which value does your label have for `/events/1`, and for `/events/2`?",
                 "There are few route patterns: axum provides them as `MatchedPath`. Use one value, such as `unmatched`, for everything that matches none.",
                 "Clients may send any word as a method."])]
async fn bounded_series(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    // The request for /metrics is one of those that are counted: its own series is there the second time.
    ask(lab, &app, 10).await?;
    Exposition::scrape(&app).await?;
    let before = Exposition::scrape(&app).await?.len();
    try_join_all((0..4).map(|_| ask(lab, &app, 250))).await?;
    let after = Exposition::scrape(&app).await?.len();
    // A few may be new for another reason, such as a first error.
    expect_that(after <= before + 10, format!("1,000 requests have made {} new series", after.saturating_sub(before)))
        .because("ids, unknown paths, unknown methods, queries and headers are not for labels")
}

/// Headers that may hold whatever their sender likes.
const CHOSEN_BY_CLIENTS: [&str; 9] = [
    "User-Agent",
    "Referer",
    "Origin",
    "X-Forwarded-For",
    "X-Request-Id",
    "Accept-Language",
    "Host",
    "Cookie",
    "Content-Type",
];

/// Sends so many requests, no two alike: ids, unknown paths, now and then an unknown method, and in each a query and
/// headers of its own.
async fn ask(lab: &Lab, app: &App, count: usize) -> CheckResult {
    let mut connection = app.connect().await?;
    for turn in 0..count {
        let word = lab.word();
        let number = lab.number(1_000_000, 1_000_000_000);
        let (method, path) = match turn % 10 {
            0..2 => ("GET".to_owned(), format!("/events/{number}")),
            2 => ("GET".to_owned(), format!("/events/{word}")),
            3 => ("GET".to_owned(), format!("/orders/{number}")),
            4 => ("POST".to_owned(), format!("/events/{number}/orders")),
            5..9 => ("GET".to_owned(), format!("/{word}/{word}")),
            _ => (format!("M{word}").replace('-', "").to_ascii_uppercase(), "/events".to_owned()),
        };
        // One connection for all of them is quicker, but a server may close it after any answer.
        let request = || {
            let mut request = app.request(&method, &path).query("from", &word).without_header("Host");
            for name in CHOSEN_BY_CLIENTS {
                request = request.header(name, &word);
            }
            request
        };
        if request().over(&mut connection).await.is_err() {
            request().await?;
            connection = app.connect().await?;
        }
    }
    Ok(())
}

/// A bug in one request stays with that request: it is answered and counted, and the next one is served (RFC 9110
/// §15.6.1; Rust standard library, `Mutex`, Poisoning).
#[check(title = "a panic is 500, is counted, and affects no other request", task = 7, points = 3, needs = ["metrics"],
        hints = ["`POST /drill/panic` panics while it holds a lock. What happens to other requests that need that lock?",
                 "A thread that panics poisons the mutexes it holds: use `lock().unwrap_or_else(PoisonError::into_inner)` if the data is intact.",
                 "`tower_http::catch_panic::CatchPanicLayer::custom` creates a response, and can count."])]
async fn panic(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let app = office.server(lab).start().await?;
    let event = office.event(lab, &app).await?;
    // One that the panics could take with them.
    office.order(&app, &event, "Ada").await?.expect_status(201)?;
    let before = Exposition::scrape(&app).await?;
    for _ in 0..2 {
        office.drill(&app).await?.expect_status(500)?;
    }
    let panicked = "a handler had panicked before, and an order was placed before and after that";
    office.order(&app, &event, "Ada").await?.expect_status(201).because(panicked)?;
    let tally = app.get("/tally").await?.expect_status(200).because(panicked)?;
    tally.expect_json(json!({"orders": 2, "seats": 2})).because(panicked)?;
    lab.eventually("two panics are counted", ARRIVAL, || async {
        let now = Exposition::scrape(&app).await?;
        let panics = now.sum("http_panics_total", |_| true) - before.sum("http_panics_total", |_| true);
        expect_equal("http_panics_total grew by", &panics, &2.0)?;
        expect_equal(
            "http_requests_total of status=\"500\" grew by",
            &(now.sum(REQUESTS, with_status("500")) - before.sum(REQUESTS, with_status("500"))),
            &2.0,
        )?;
        expect_equal("the type of http_panics_total", &now.type_of("http_panics_total"), &Some("counter"))
    })
    .await
}

/// Whether a series is about answers with this status.
fn with_status(status: &str) -> impl Fn(&BTreeMap<String, String>) -> bool {
    move |labels| labels.get("status").is_some_and(|it| it == status)
}
