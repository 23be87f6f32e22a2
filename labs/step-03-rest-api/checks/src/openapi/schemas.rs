//! Whether the schemas of answers say anything: each must refuse an answer that was spoiled.

use lab_kit::prelude::*;

use super::document::{Document, content};
use crate::support::{EVENT_MEMBERS, ORDER_MEMBERS, make_event, make_order, read};

/// Fails unless the schemas for an event, an order, a page and a problem refuse what is none.
pub async fn expect_strict(lab: &Lab, app: &App, document: &Document) -> CheckResult {
    let event = make_event(lab, app).await?;
    let order = make_order(lab, app, &event).await?;
    let one = read(app, &event.path).await?;
    expect_refused(document, ("get", "/events/{id}"), &one, &spoiled(&one.json()?, "", EVENT_MEMBERS))?;
    let one = read(app, &order.path).await?;
    expect_refused(document, ("get", "/orders/{id}"), &one, &spoiled(&one.json()?, "", ORDER_MEMBERS))?;
    for (path, members) in [("/events", EVENT_MEMBERS), ("/orders", ORDER_MEMBERS)] {
        let page = read(app, path).await?;
        let mut bad = spoiled(&page.json()?, "", &["items"]);
        bad.extend(spoiled(&page.json()?, "/items/0", members));
        bad.push(("`items` replaced by text".into(), json!({ "items": "x", "next": null })));
        // An object is no array either, but a careless schema without `type` would have let it pass.
        expect_refused(document, ("get", path), &page, &bad)?;
    }
    // never fails alone: `unknown_is_a_problem` asks the same
    let problem = app.get(format!("/events/{}", event.id.unknown(lab))).await?.expect_status(404)?;
    expect_refused(document, ("get", "/events/{id}"), &problem, &spoiled(&problem.json()?, "", &["title", "status"]))
}

/// Copies of a body, each with one of the members at `place` taken out or replaced by an object.
fn spoiled(body: &Value, place: &str, members: &[&str]) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for name in members {
        let (mut without, mut replaced) = (body.clone(), body.clone());
        if let Some(object) = without.pointer_mut(place).and_then(Value::as_object_mut) {
            object.remove(*name);
        }
        if let Some(object) = replaced.pointer_mut(place).and_then(Value::as_object_mut) {
            object.insert((*name).to_owned(), json!({}));
        }
        all.push((format!("`{place}/{name}` removed"), without));
        all.push((format!("`{place}/{name}` replaced by an object"), replaced));
    }
    all
}

fn expect_refused(
    document: &Document,
    (method, path): (&str, &str),
    answer: &Response,
    bad: &[(String, Value)],
) -> CheckResult {
    let operation = document.operation(method, path)?;
    let status = answer.status();
    let media_type = answer.media_type().unwrap_or_default();
    let declared = operation.response(document, status).and_then(|response| content(document, response, &media_type));
    let Some(schema) = declared.map(|declared| &declared["schema"]) else {
        let failure = document.answer.failure(format!("{} {status} {media_type} is not declared", operation.name));
        return Err(failure.expected("a schema for it").actual(format!("the statuses {}", operation.statuses())));
    };
    for (what, body) in bad {
        if document.schemas().takes(schema, body) {
            let message = format!("the schema for {} {status} accepts a response with {what}", operation.name);
            let failure = Failure::learner(message).sent(format!("(not sent) {body}"));
            return Err(failure
                .expected("a schema that requires the member and gives its type")
                .actual(schema.to_string()));
        }
    }
    Ok(())
}
