//! Task 7: bodies that want to do harm.

use lab_kit::prelude::*;

use crate::support::{Problem, event, make_event, make_order, order, padded};

/// The longest body that the README allows.
const LONGEST: usize = 64 * 1024;
/// Far beyond it.
const LARGE: usize = 1024 * 1024;
/// Deep enough for most stacks, and less than 64 KiB long.
const DEPTH: usize = 10_000;

/// A body is read into memory, so something must limit how much of it (RFC 9110 §15.5.14, OWASP API Security 2023,
/// API4).
#[check(title = "a body that is too large is 413", task = 7, points = 2, needs = ["order_seats"],
        hints = ["How much of a body do you read before you check its size?",
                 "Set the body limit to 64 KiB, and find out what answers when it is reached: the extractor's rejection has the status.",
                 "A chunked body has no `Content-Length`: count what is read."])]
async fn large_body(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let made = make_event(lab, &app).await?;
    let whole = app.post("/events").body(padded(&event(lab), LONGEST), "application/json").await?.expect_status(201);
    whole.because("a body of 64 KiB is not too large, even if most of it is white space")?;
    let longer = app.post("/events").body(padded(&event(lab), LONGEST + 1), "application/json").await?;
    longer.expect_problem(413).because("this body has one byte more than 64 KiB")?;
    let whole = app.post("/orders").body(padded(&order(lab, &made), LONGEST), "application/json").await?;
    whole.expect_status(201).because("a body of 64 KiB is not too large for an order either")?;
    let longer = app.post("/orders").body(padded(&order(lab, &made), LONGEST + 1), "application/json").await?;
    longer.expect_problem(413).because("this body has one byte more than 64 KiB")?;
    let whole = padded(&json!({ "title": lab.word() }), LONGEST);
    let whole = app.patch(&made.path).header("If-Match", "*").body(whole, "application/merge-patch+json");
    whole.await?.expect_status(200).because("a body of 64 KiB is not too large for a PATCH either")?;
    let body = padded(&event(lab), LARGE);
    app.post("/events").body(&body, "application/json").await?.expect_problem(413)?;
    let placed = make_order(lab, &app, &made).await?;
    for (path, member) in [(&made.path, "title"), (&placed.path, "note")] {
        let patch = padded(&json!({ member: lab.word() }), LARGE);
        let patch = app.patch(path).header("If-Match", "*").body(patch, "application/merge-patch+json");
        patch.await?.expect_problem(413)?;
    }
    let mut connection = app.connect().await?;
    let head =
        "POST /events HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.send(format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len())).await?;
    connection.response().await?.expect_problem(413).because("a chunked body has a length, too")?;
    make_event(lab, &app).await.because("the server must still work")?;
    Ok(())
}

/// A parser that recurses for every bracket is at the mercy of whoever sends many (RFC 8259 §9, OWASP API Security
/// 2023, API4).
#[check(title = "a body that is nested too deeply does no harm", task = 7, points = 2, needs = ["create_event"],
        hints = ["What does a parser need for every level of nesting?",
                 "serde_json stops at 128 levels and returns an error: send 400.",
                 "Don't recurse through a value without counting the levels."])]
async fn deep_body(lab: &Lab) -> CheckResult {
    let mut app = lab.start().await?;
    let made = make_event(lab, &app).await?;
    let arrays = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!("{}1{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH));
    let mut extra = order(lab, &made);
    extra["x"] = json!("HERE");
    let extra = extra.to_string().replace("\"HERE\"", &arrays);
    for body in [arrays.clone(), objects, format!("{{\"title\":{arrays}}}")] {
        let answer = app.post("/events").body(&body, "application/json").await?.expect_problem_in(&[400, 413, 422]);
        answer.because("there is no good reason to nest JSON 10,000 levels deep")?;
    }
    // What is only passed over may be taken, but must not do harm.
    app.post("/orders").body(extra, "application/json").await?.expect_status_in(&[201, 400, 413, 422])?;
    let patch = app.patch(&made.path).header("If-Match", "*");
    let patch = patch.body(format!("{{\"title\":{arrays}}}"), "application/merge-patch+json");
    patch.await?.expect_problem_in(&[400, 413, 422])?;
    // never fails alone: a server that ends while it reads a body answers nothing
    expect_that(app.is_running(), "the server's process has ended")?;
    make_event(lab, &app).await.because("the server must still work")?;
    Ok(())
}
