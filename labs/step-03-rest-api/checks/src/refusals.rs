//! Task 2: refusals are problem documents, and each kind has its status.

use lab_kit::prelude::*;

use crate::support::{Problem, count, event, make_event, make_order, order, read};

/// A client is a program: it must find out what went wrong without reading prose, even at paths that nobody thought of
/// (RFC 9457 §3, RFC 9110 §15.5.5).
#[check(title = "a 404 is a problem document", task = 2, points = 2, needs = ["order_seats"],
        hints = ["Your handlers are not the only code that responds. What says \"not found\" when no route matches?",
                 "A router has a fallback, and an extractor a rejection; both write plain text unless told otherwise.",
                 "Use `Router::fallback` for paths, and your own extractor for the `{id}`."])]
async fn unknown_is_a_problem(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let order = make_order(lab, &app, &event).await?;
    let word = lab.word();
    let nobody = [format!("/{word}"), format!("/events/{}/{word}", event.id)];
    let unknown = [format!("/events/{}", event.id.unknown(lab)), format!("/orders/{}", order.id.unknown(lab))];
    for path in nobody.iter().chain(&unknown) {
        app.get(path).await?.expect_problem(404)?;
    }
    for collection in ["events", "orders"] {
        for id in ["abc", "999999999999999999999999"] {
            let answer = app.get(format!("/{collection}/{id}")).await?.expect_problem_in(&[400, 404]);
            answer.because("nothing can have this id")?;
        }
    }
    Ok(())
}

/// 405 says that the path is right and the method is not, and Allow says which ones are (RFC 9110 §15.5.6, §10.2.1).
#[check(title = "a wrong method is 405, and Allow names the right ones", task = 2, points = 2, needs = ["order_seats"],
        hints = ["A path that exists is not \"not found\".",
                 "The router knows which methods a path has, and says so in `Allow`; only the body is still its own text.",
                 "`Router::method_not_allowed_fallback` writes the body and leaves `Allow` to the router."])]
async fn wrong_method(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let order = make_order(lab, &app, &event).await?;
    let lists = ["/events", "/orders"].map(|path| (path.to_owned(), ["PUT", "DELETE"], ["GET", "POST"].as_slice()));
    let ones = [event.path, order.path].map(|path| (path, ["PUT", "POST"], ["GET", "PATCH", "DELETE"].as_slice()));
    for (path, wrong, right) in lists.into_iter().chain(ones) {
        for method in wrong {
            let request = app.request(method, &path);
            // Content in a DELETE means nothing, and a server may refuse it (RFC 9110 §9.3.5).
            let request = if method == "DELETE" { request } else { request.json(&json!({})) };
            let answer = request.await?.expect_problem(405)?;
            expect_allow(answer, method, right)?;
        }
    }
    for path in ["/openapi.json", "/health"] {
        let answer = app.post(path).json(&json!({})).await?.expect_problem(405)?;
        expect_allow(answer, "POST", &["GET"])?;
    }
    Ok(())
}

/// A body that is not JSON is a different mistake from a value out of range: the client program is wrong, not its user
/// (RFC 9110 §15.5.1, RFC 8259 §2).
#[check(title = "a body that is not JSON is 400", task = 2, points = 3, needs = ["create_event"],
        hints = ["Where is a body parsed, and what responds when that fails?",
                 "The framework's JSON extractor refuses with its own text. Read the bytes and parse them yourself, \
                  or turn its rejection into a problem document.",
                 "Broken syntax is 400; invalid members are 422."])]
async fn malformed_json(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let made = make_event(lab, &app).await?;
    for (what, body) in broken(&event(lab).to_string()) {
        let answer = app.post("/events").body(&body, "application/json").await?.expect_problem(400);
        answer.because(&format!("{what} is not JSON"))?;
        let patch = app.patch(&made.path).header("If-Match", "*").body(&body, "application/merge-patch+json");
        patch.await?.expect_problem(400).because(&format!("{what} is not JSON"))?;
    }
    let order = app.post("/orders").body(r#"{"event_id": "#, "application/json").await?.expect_problem(400);
    order.because("a body that is cut off is not JSON")?;
    // never fails alone: of a body that cannot be read there is nothing to apply
    let kept = read(&app, &made.path).await?.expect_json(made.answer.json()?);
    kept.because("a refused request changes nothing")?;
    Ok(())
}

/// Anything that is not JSON must not be read as if it were (RFC 9110 §15.5.16, RFC 5789 §2.2).
#[check(title = "a body of another media type is 415", task = 2, points = 2, needs = ["order_seats"],
        hints = ["What does the client say the body is?",
                 "Compare the whole media type: `application/json-patch+json` has \"json\" in its name but is another format.",
                 "Accept `application/json` for POST and `application/merge-patch+json` for PATCH, without parameters and \
                  in any case; everything else is 415."])]
async fn wrong_media_type(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let made = make_event(lab, &app).await?;
    let body = event(lab);
    let other = ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json-patch+json"];
    for media_type in other {
        app.post("/events").body(body.to_string(), media_type).await?.expect_problem(415)?;
    }
    let title = body["title"].as_str().unwrap_or_default();
    if let Some(rows) = count(lab, "events", "title = $1", title).await? {
        expect_equal("events created by a POST that was refused with 415", &rows, &0)?;
    }
    let placed = make_order(lab, &app, &made).await?;
    let body = order(lab, &made);
    for media_type in other {
        app.post("/orders").body(body.to_string(), media_type).await?.expect_problem(415)?;
    }
    let sold = read(&app, &made.path).await?.expect_json(json!({ "seats_sold": placed.sent["seats"] }));
    sold.because("an order that is refused with 415 takes no seats")?;
    for (made, member) in [(&made, "title"), (&placed, "note")] {
        let before = read(&app, &made.path).await?.json()?;
        let patch = json!({ member: lab.word() }).to_string();
        for media_type in ["text/plain", "application/xml", "application/json-patch+json"] {
            let request = app.patch(&made.path).header("If-Match", "*").body(&patch, media_type);
            request.await?.expect_problem(415)?;
        }
        let kept = read(&app, &made.path).await?.expect_json(before);
        kept.because("a refused request changes nothing")?;
    }
    Ok(())
}

fn expect_allow(answer: Response, method: &str, right: &[&str]) -> CheckResult<Response> {
    let allowed: Vec<String> =
        answer.headers("allow").iter().flat_map(|value| value.split(',')).map(|m| m.trim().to_owned()).collect();
    let complete = right.iter().all(|method| allowed.iter().any(|allowed| allowed == method));
    if complete && !allowed.iter().any(|allowed| allowed == method) {
        return Ok(answer);
    }
    let failure = answer.failure(format!("`Allow` must name {} and not {method}", right.join(", ")));
    Err(failure.expected(format!("Allow: {}", right.join(", "))).actual(format!("Allow: {}", allowed.join(", "))))
}

/// Bodies that are no JSON, made of one that is.
fn broken(whole: &str) -> Vec<(&'static str, Vec<u8>)> {
    let inner = whole.trim_end_matches('}');
    let bytes = |text: String| text.into_bytes();
    let mut latin = bytes(inner.to_owned());
    latin.extend(b",\"note\":\"caf\xe9\"}");
    vec![
        ("a body that is cut off", bytes(whole.chars().take(whole.len() / 2).collect())),
        ("a body with single quotes", bytes(whole.replace('"', "'"))),
        ("a body with a comma too many", bytes(format!("{inner},}}"))),
        ("a body with text after its end", bytes(format!("{whole} x"))),
        ("NaN", bytes(format!("{inner},\"note\":NaN}}"))),
        ("a raw control character in a string", bytes(format!("{inner},\"note\":\"a\u{1}b\"}}"))),
        ("a body in Latin-1", latin),
        ("nothing at all", Vec::new()),
    ]
}
