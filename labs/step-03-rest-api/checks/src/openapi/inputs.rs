//! What the document says that operations take.

use lab_kit::prelude::*;

use super::document::Document;
use crate::support::{event, make_event, order};

const PARAMETERS: [(&str, &str, &str, &str); 10] = [
    ("get", "/events", "query", "limit"),
    ("get", "/orders", "query", "limit"),
    ("get", "/orders", "query", "event_id"),
    ("get", "/events/{id}", "header", "If-None-Match"),
    ("get", "/orders/{id}", "header", "If-None-Match"),
    ("patch", "/events/{id}", "header", "If-Match"),
    ("delete", "/events/{id}", "header", "If-Match"),
    ("patch", "/orders/{id}", "header", "If-Match"),
    ("delete", "/orders/{id}", "header", "If-Match"),
    ("post", "/orders", "header", "Idempotency-Key"),
];

/// Fails unless every parameter that the README names is declared.
pub fn expect_parameters(document: &Document) -> CheckResult {
    for (method, path, place, name) in PARAMETERS {
        let operation = document.operation(method, path)?;
        let Some(parameter) = operation.parameter(document, place, name) else {
            let failure = document.answer.failure(format!("{} does not declare `{name}`", operation.name));
            return Err(failure.expected(format!("a parameter `{name}` with `in: {place}`")).actual("none"));
        };
        // OpenAPI 3.1 §4.8.12: one of the two, and a schema is an object or a boolean.
        if !(parameter["schema"].is_object() || parameter["schema"].is_boolean() || parameter["content"].is_object()) {
            let failure = document.answer.failure(format!("{} does not say what `{name}` looks like", operation.name));
            return Err(failure.expected("a `schema`, or a `content`").actual(parameter.to_string()));
        }
    }
    Ok(())
}

/// Fails unless the schemas of bodies take what the server takes, and refuse what it refuses.
pub async fn expect_bodies(lab: &Lab, app: &App, document: &Document) -> CheckResult {
    let sold = make_event(lab, app).await?;
    let (event, order) = (event(lab), order(lab, &sold));
    let new_event = Body::of(document, "post", "/events")?;
    new_event
        .expect(&[event.clone(), without(&event, "description"), with(&event, "description", Value::Null)], true)?;
    new_event.expect(&["title", "starts_at", "seats", "price_cents"].map(|name| without(&event, name)), false)?;
    new_event.expect(&["title", "description", "starts_at"].map(|name| with(&event, name, json!(7))), false)?;
    let new_order = Body::of(document, "post", "/orders")?;
    new_order.expect(&[order.clone(), without(&order, "note"), with(&order, "note", Value::Null)], true)?;
    new_order.expect(&["event_id", "email", "seats"].map(|name| without(&order, name)), false)?;
    new_order.expect(&["email", "note"].map(|name| with(&order, name, json!(7))), false)?;
    let event_patch = Body::of(document, "patch", "/events/{id}")?;
    event_patch.expect(&[json!({}), event.clone(), json!({ "description": null }), json!({ "title": "x" })], true)?;
    event_patch.expect(&[json!({ "title": null }), json!({ "title": 7 })], false)?;
    let order_patch = Body::of(document, "patch", "/orders/{id}")?;
    let email = json!({ "email": lab.email() });
    order_patch.expect(&[json!({}), email, json!({ "note": null }), json!({ "note": "x" })], true)?;
    order_patch.expect(&[json!({ "email": null }), json!({ "email": 7 })], false)
}

struct Body<'a> {
    document: &'a Document,
    schema: &'a Value,
    name: String,
}

impl<'a> Body<'a> {
    fn of(document: &'a Document, method: &str, path: &str) -> CheckResult<Self> {
        let media_type = if method == "patch" { "application/merge-patch+json" } else { "application/json" };
        let operation = document.operation(method, path)?;
        let Some(schema) = operation.body(document, media_type) else {
            let failure =
                document.answer.failure(format!("{} does not declare a body of {media_type}", operation.name));
            return Err(failure.expected(format!("`requestBody.content` with `{media_type}`")));
        };
        Ok(Self { document, schema, name: operation.name })
    }

    /// Fails unless the schema takes all of the bodies, or none.
    fn expect(&self, bodies: &[Value], taken: bool) -> CheckResult {
        for body in bodies {
            let mismatches = self.document.schemas().mismatches(self.schema, body);
            if mismatches.is_empty() == taken {
                continue;
            }
            let (does, should) = if taken { ("refuses", "accepted") } else { ("accepts", "refused") };
            let failure = Failure::learner(format!("according to the document, {} {does} the body {body}", self.name));
            let found: Vec<_> =
                mismatches.iter().map(|m| format!("{}: {} is not {}", m.pointer, m.actual, m.expected)).collect();
            let found = if taken { found.join("; ") } else { format!("the schema {} accepts it", self.schema) };
            return Err(failure.expected(format!("a schema in which it is {should}")).actual(found));
        }
        Ok(())
    }
}

fn without(body: &Value, name: &str) -> Value {
    let mut body = body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove(name);
    }
    body
}

fn with(body: &Value, name: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[name] = value;
    body
}
