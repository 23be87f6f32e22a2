//! Task 6: what the server tells those who run it.

use std::collections::BTreeSet;

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{Office, SOON};

/// How long a line may take from the server's output to us.
const ARRIVAL: Duration = Duration::from_secs(5);

/// A log is read by programs: one object per line, and whatever a stranger sends stays inside its string (The
/// Twelve-Factor App, XI Logs; OWASP ASVS 5.0, 16.2.4 and 16.4.1; CWE-117).
#[check(title = "standard output has one JSON object per line, and one line for each request", task = 6, points = 3,
        hints = ["Pipe the server into `jq -c .`: does every line pass?",
                 "`tracing_subscriber::fmt().json().flatten_event(true)` writes such lines; let a middleware around all routes write one for each request.",
                 "Never build a line with `format!`: a quote or a line break in a path forges the next one."])]
async fn log_lines(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let forged = lab.word();
    // A line break, and then a line that looks like one of ours; once as it is in a path, and once in quotes.
    let trick = format!("/events/%0A%7B%22request_id%22:%22{forged}%22,%22status%22:200%7D");
    let quote = format!("/events/%22,%22request_id%22:%22{forged}");
    let paths = ["/events", "/events/999999999", "/nowhere", trick.as_str(), quote.as_str()];
    for path in paths {
        let id = lab.word();
        let answer = app.get(path).header("X-Request-Id", &id).await?;
        expect_line(lab, &app, &id, path, answer.status()).await?;
    }
    // The query is no part of the path, and holds what clients should not put there.
    let id = lab.word();
    let answer = app.get("/events").query("from", lab.word()).header("X-Request-Id", &id).await?;
    expect_line(lab, &app, &id, "/events", answer.status()).await?;
    for line in objects(&app)? {
        expect_that(line["request_id"] != json!(forged), format!("a client has forged a log line: {line}"))?;
    }
    Ok(())
}

/// Fails unless there is exactly one line for the request `id`, which says what it was and what became of it.
async fn expect_line(lab: &Lab, app: &App, id: &str, path: &str, status: u16) -> CheckResult {
    expect_line_of(lab, app, id, ("GET", path), status).await.map(drop)
}

/// The same for any method; the line comes back.
pub async fn expect_line_of(
    lab: &Lab,
    app: &App,
    id: &str,
    (method, path): (&str, &str),
    status: u16,
) -> CheckResult<Value> {
    let lines = lab
        .eventually(&format!("a line tells of {method} {path}"), ARRIVAL, || async {
            let lines: Vec<_> = objects(app)?
                .into_iter()
                .filter(|line| line["request_id"] == json!(id) && line.get("status").is_some())
                .collect();
            expect_that(!lines.is_empty(), format!("no line has \"request_id\":\"{id}\" and a \"status\""))?;
            Ok(lines)
        })
        .await?;
    let line = match lines.as_slice() {
        [line] => line,
        more => return Err(Failure::learner(format!("{method} {path} has {} lines with a \"status\"", more.len()))),
    };
    let number = |name: &str| line[name].as_f64().is_some_and(|number| number >= 0.0);
    // With its percent signs, or decoded: JSON holds both.
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let path_fits = line["path"].as_str().is_some_and(|said| said == path || said == decoded);
    let wrong = match () {
        () if line["method"] != json!(method) => "\"method\" is the method",
        () if !path_fits => "\"path\" is the path",
        () if line["status"].as_u64() != Some(u64::from(status)) => "\"status\" is the number that the client got",
        () if !number("duration_ms") => "\"duration_ms\" is a number",
        () => return Ok(line.clone()),
    };
    Err(Failure::learner(format!("the line for {method} {path} does not say what it should: {wrong}"))
        .sent(format!("{method} {path}, answered with {status}"))
        .expected(format!(
            "{{\"request_id\":\"{id}\",\"method\":\"{method}\",\"path\":\"{path}\",\"status\":{status},\"duration_ms\":1.2}}"
        ))
        .actual(line.to_string()))
}

/// The lines of standard output, each of which must be an object.
fn objects(app: &App) -> CheckResult<Vec<Value>> {
    let lines = app.output();
    let object = |line: &String| match serde_json::from_str(line) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        _ => Err(Failure::learner("a line of standard output is not a JSON object").expected("{\"…\":…}").actual(line)),
    };
    lines.iter().filter(|line| !line.trim().is_empty()).map(object).collect()
}

/// One id connects the logs of every program that handled a request. It comes from outside, so it is checked before it
/// is written anywhere (OWASP ASVS 5.0, 16.2.1 and 16.4.1).
#[check(title = "a request id is accepted or generated, and returned", task = 6, points = 3, needs = ["log_lines"],
        hints = ["What does `curl -i -H 'X-Request-Id: abc'` show? And an id of 65 letters, or one with a space?",
                 "Accept 1 to 64 letters, digits, `-`, `_` and `.`; replace anything else with a fresh id (a UUID).",
                 "Put it into the header `X-Request-Id` of every response, including errors."])]
async fn request_ids(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for path in ["/events", "/nowhere", "/events/999999999", "/livez", "/readyz", "/metrics"] {
        let id = format!("{}_A.9", lab.word());
        app.get(path).header("X-Request-Id", &id).await?.expect_header("X-Request-Id", &id)?;
    }
    // The shortest, the longest, and one of every character that is not a letter or a digit.
    for id in ["7".to_owned(), format!("{:a<64}", lab.word()), format!("Z-{}_z.", lab.word())] {
        app.get("/events").header("X-Request-Id", &id).await?.expect_header("X-Request-Id", &id)?;
    }
    let mut made = BTreeSet::new();
    for _ in 0..10 {
        let answer = app.get("/events").await?;
        let id = plain_id(&answer)?;
        expect_that(made.insert(id.clone()), format!("two requests got the same id, {id}"))?;
    }
    let (long, too_long) = ("x".repeat(300), "x".repeat(65));
    for strange in [long.as_str(), &too_long, "\",\"admin\":\"true", "a b", "~tilde", "a/b", "a:b", "a+b", "", "Zoë"] {
        let answer = app.get("/events").header("X-Request-Id", strange).await?.expect_status(200)?;
        let id = plain_id(&answer).because("an invalid id is replaced by one that the server generates")?;
        expect_line(lab, &app, &id, "/events", 200).await?;
    }
    Ok(())
}

/// The id in an answer, if it is one.
fn plain_id(answer: &Response) -> CheckResult<String> {
    let id = answer.header("X-Request-Id").unwrap_or_default().to_owned();
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if plain && (1..=64).contains(&id.len()) {
        return Ok(id);
    }
    Err(answer
        .failure(format!("the response's X-Request-Id is `{id}`"))
        .expected("1 to 64 letters, digits, `-`, `_` and `.`"))
}

/// Logs are copied, kept for years and read by many. Anything that opens a door must not appear in them (OWASP, Logging
/// Cheat Sheet, Data to exclude; ASVS 5.0, 16.2.5; CWE-532).
#[check(title = "no secret appears in the log", task = 6, points = 3, needs = ["log_lines"],
        hints = ["Search your log for the token that you sent with `Authorization`.",
                 "Log what you need (method, path, status), not everything you received: no headers, no bodies, no query.",
                 "A settings struct with `derive(Debug)` prints its passwords. Give secrets a type that does not."])]
async fn log_secrets(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let mut lines = log_of_the_wait(lab, &office).await?;
    let mut app = office.server(lab).start().await?;
    let event = office.event(lab, &app).await?;
    let (wrong, cookie, query) = (lab.word(), lab.word(), lab.word());
    office.order(&app, &format!("{event}999999"), "Ada").await?.expect_status(404)?;
    app.post("/events").bearer(&wrong).json(&json!({})).await?.expect_status(401)?;
    // Whatever these are answered with: what counts is what is written of them.
    let others = [
        office.order(&app, &event, "Ada"),
        office.drill(&app),
        app.get("/events").cookie("session", &cookie),
        app.get("/events").query("token", &query),
        app.get("/nowhere").query("token", &query),
    ];
    for request in others {
        request.await?;
    }
    app.terminate()?;
    app.exited(SOON).await?;
    lines.extend(app.log());
    objects(&app).because("after a panic and during shutdown, too, standard output is JSON")?;
    let url = lab.postgres().await?.url().to_owned();
    let password = url.split(['/', ':', '@']).nth(4).unwrap_or_default().to_owned();
    let secrets = [
        ("the value of API_TOKEN", &office.token),
        ("the password in DATABASE_URL", &password),
        ("a token that a client tried", &wrong),
        ("a cookie", &cookie),
        ("a token in a query", &query),
    ];
    for line in lines {
        for (what, secret) in &secrets {
            if !secret.is_empty() && line.contains(secret.as_str()) {
                return Err(Failure::learner(format!("{what} appears in the log")).actual(line));
            }
        }
    }
    Ok(())
}

/// What a server writes that finds no database. Whether it waits for one is for other checks to say.
async fn log_of_the_wait(lab: &Lab, office: &Office) -> CheckResult<Vec<String>> {
    const WATCHED: Duration = Duration::from_secs(1);
    let db = lab.postgres().await?;
    db.proxy().refuse();
    let mut app = office.server(lab).without_waiting().start().await?;
    // It is there, or has given up: either way it goes on to meet its database, or has met it.
    let _ = lab.eventually("it listens", SOON / 2, || async { app.get("/livez").await }).await;
    let _ = app.exited(WATCHED).await;
    let lines = app.log();
    drop(app);
    db.proxy().restore();
    Ok(lines)
}
