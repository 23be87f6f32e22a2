//! Events and orders that a check makes over HTTP, with data that nobody could have foreseen.

use chrono::{DateTime, Utc};
use lab_kit::id::Id;
use lab_kit::prelude::*;

use super::moment::{moment, rfc3339};

/// The most requests at once where many are only needed to fill a list.
const AT_ONCE: usize = 25;

/// What an event shows.
pub const EVENT_MEMBERS: &[&str] =
    &["id", "title", "description", "starts_at", "seats", "price_cents", "seats_sold", "created_at"];
/// What an order shows.
pub const ORDER_MEMBERS: &[&str] = &["id", "event_id", "email", "seats", "note", "total_cents", "created_at"];

/// An event or an order that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its id.
    pub id: Id,
    /// Its address.
    pub path: String,
    /// What it was made of.
    pub sent: Value,
    /// The answer, a 201.
    pub answer: Response,
}

impl Made {
    /// The members that its representation has by the README.
    pub fn promised(&self) -> &'static [&'static str] {
        if self.path.starts_with("/orders") { ORDER_MEMBERS } else { EVENT_MEMBERS }
    }

    /// Its entity tag, as the last answer gave it.
    pub fn tag(&self) -> CheckResult<String> {
        tag_of(&self.answer)
    }
}

/// The entity tag of an answer.
pub fn tag_of(answer: &Response) -> CheckResult<String> {
    let tag = answer.header("etag").map(str::to_owned);
    tag.ok_or_else(|| answer.failure("the response has no ETag").expected("an `ETag` header with a strong entity tag"))
}

/// The body of a new event.
pub fn event(lab: &Lab) -> Value {
    event_at(lab, moment(lab))
}

/// The body of a new event that begins then.
pub fn event_at(lab: &Lab, starts_at: DateTime<Utc>) -> Value {
    json!({
        "title": format!("Konzert für {}", lab.word()),
        "description": format!("with {}", lab.word()),
        "starts_at": rfc3339(starts_at),
        "seats": lab.number(40, 90),
        "price_cents": lab.number(100, 9_000),
    })
}

/// The body of a new order.
pub fn order(lab: &Lab, event: &Made) -> Value {
    json!({
        "event_id": event.id.json(),
        "email": lab.email(),
        // Never 1: by that nobody could see whether a price was multiplied.
        "seats": lab.number(2, 4),
        "note": format!("near {}", lab.word()),
    })
}

/// Makes something of this body in `/events` or `/orders`.
pub async fn make(app: &App, collection: &str, body: Value) -> CheckResult<Made> {
    let answer = app.post(collection).json(&body).await?.expect_status(201)?;
    made(collection, body, answer)
}

/// Makes some event.
pub async fn make_event(lab: &Lab, app: &App) -> CheckResult<Made> {
    make(app, "/events", event(lab)).await
}

/// Makes some order for the event.
pub async fn make_order(lab: &Lab, app: &App, event: &Made) -> CheckResult<Made> {
    make(app, "/orders", order(lab, event)).await
}

/// Makes many events, some at once.
pub async fn make_events(lab: &Lab, app: &App, bodies: Vec<Value>) -> CheckResult<Vec<Made>> {
    let mut all = Vec::with_capacity(bodies.len());
    for some in bodies.chunks(AT_ONCE) {
        let answers = lab.burst(some.iter().map(|body| app.post("/events").json(body))).await?;
        for (body, answer) in some.iter().zip(answers) {
            all.push(made("/events", body.clone(), answer.expect_status(201)?)?);
        }
    }
    Ok(all)
}

/// A merge patch of whatever version there is.
pub fn merge(app: &App, path: &str, patch: &Value) -> Request {
    app.patch(path).header("If-Match", "*").header("Content-Type", "application/merge-patch+json").json(patch)
}

/// What a `GET` of what is at `path` gives.
pub async fn read(app: &App, path: &str) -> CheckResult<Response> {
    app.get(path).await?.expect_status(200)
}

/// A merge patch of whatever version there is, which is taken.
pub async fn merged(app: &App, path: &str, patch: &Value) -> CheckResult<Response> {
    merge(app, path, patch).await?.expect_status(200)
}

/// Deletes what was made, whatever its version.
pub async fn delete(app: &App, made: &Made) -> CheckResult<Response> {
    app.delete(&made.path).header("If-Match", "*").await?.expect_status(204)
}

/// The same JSON, so many bytes long with white space, so that nothing can be wrong with it but its length.
pub fn padded(body: &Value, length: usize) -> String {
    let body = body.to_string();
    let (brace, rest) = body.split_at(1);
    format!("{brace}{}{rest}", " ".repeat(length.saturating_sub(body.len())))
}

fn made(collection: &str, sent: Value, answer: Response) -> CheckResult<Made> {
    let id = Id::of(&answer, "/id")?;
    Ok(Made { path: format!("{collection}/{id}"), id, sent, answer })
}
