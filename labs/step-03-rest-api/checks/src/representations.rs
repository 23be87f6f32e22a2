//! Task 2: what a client sends and takes, as it says itself.

use lab_kit::prelude::*;

use crate::support::{Problem, count, event, make_event, make_order, merge, order, read};

/// JSON is always UTF-8, so a charset adds nothing, and media types are case-insensitive (RFC 8259 §8.1 and §11, RFC
/// 9110 §8.3.1).
#[check(title = "a charset is no reason to refuse JSON", task = 2, points = 2, needs = ["create_event"],
        hints = ["Which part of `Content-Type` is the media type, and which are its parameters?",
                 "Cut the value at the first `;` and compare the rest case-insensitively."])]
async fn charset_is_no_reason(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let made = make_event(lab, &app).await?;
    for written in [
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
        "Application/JSON",
    ] {
        let body = event(lab);
        let answer = app.post("/events").body(body.to_string(), written).await?.expect_status(201);
        answer.because("this is JSON")?.expect_json(json!({ "title": body["title"] }))?;
        let (patch, title) =
            (written.to_ascii_lowercase().replace("json", "merge-patch+json"), format!("Lied für {}", lab.word()));
        let request = app.patch(&made.path).header("If-Match", "*").body(json!({ "title": title }).to_string(), patch);
        let answer = request.await?.expect_status(200).because("this is a JSON merge patch")?;
        answer.expect_json(json!({ "title": title }))?;
    }
    Ok(())
}

/// A client that does not accept JSON cannot use ours, and should learn that before anything is done (RFC 9110 §12.5.1,
/// §15.5.7).
#[check(title = "a client that does not accept JSON gets 406", task = 2, points = 2, needs = ["order_seats"],
        hints = ["`Accept` is a list of ranges with weights, not one media type.",
                 "The narrowest range that matches `application/json` decides, and `q=0` means no.",
                 "Decide before the handler runs, so that a POST creates nothing."])]
async fn not_acceptable(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let made = make_event(lab, &app).await?;
    let placed = make_order(lab, &app, &made).await?;
    for accept in ["text/html", "image/png, text/*", "application/json;q=0", "application/json;q=0, */*;q=0.5"] {
        for path in ["/events", &made.path, "/orders", &placed.path] {
            app.get(path).header("Accept", accept).await?.expect_problem(406)?;
        }
        for (made, member) in [(&made, "title"), (&placed, "note")] {
            let patch = merge(&app, &made.path, &json!({ member: lab.word() })).header("Accept", accept);
            patch.await?.expect_problem(406)?;
            let kept = read(&app, &made.path).await?.expect_json(json!({ member: made.sent[member] }));
            kept.because("a PATCH that is refused with 406 changes nothing")?;
        }
        let body = event(lab);
        app.post("/events").header("Accept", accept).json(&body).await?.expect_problem(406)?;
        let title = body["title"].as_str().unwrap_or_default();
        if let Some(rows) = count(lab, "events", "title = $1", title).await? {
            expect_equal("events created by a POST that was refused with 406", &rows, &0)?;
        }
        app.post("/orders").header("Accept", accept).json(&order(lab, &made)).await?.expect_problem(406)?;
        let sold = read(&app, &made.path).await?.expect_json(json!({ "seats_sold": placed.sent["seats"] }));
        sold.because("an order that is refused with 406 takes no seats")?;
    }
    Ok(())
}

/// Most clients accept anything, and say so in many ways (RFC 9110 §12.5.1).
#[check(title = "a client that accepts JSON gets JSON", task = 2, points = 1, needs = ["create_event"],
        hints = ["`*/*` and `application/*` cover JSON; no `Accept` at all covers everything.",
                 "A weight below 1 still means yes."])]
async fn accept_header(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let made = make_event(lab, &app).await?;
    for path in ["/events", &made.path] {
        read(&app, path).await?.expect_media_type("application/json")?;
        for accept in
            ["*/*", "application/*", "APPLICATION/JSON", "text/html, application/json;q=0.5", "text/html,*/*;q=0.1"]
        {
            let answer = app.get(path).header("Accept", accept).await?.expect_status(200);
            answer.because("this `Accept` allows application/json")?.expect_media_type("application/json")?;
        }
    }
    Ok(())
}
