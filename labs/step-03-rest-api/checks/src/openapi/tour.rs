//! Uses the API in every way, and holds each answer against the document.

use lab_kit::Difference;
use lab_kit::prelude::*;

use super::document::{Document, content};
use crate::support::{Made, event, make, make_event, make_order, merge, order, padded, read, tag_of};

const MERGE_PATCH: &str = "application/merge-patch+json";
const MOST: usize = 20;

/// What was seen that the document does not say.
#[derive(Debug)]
pub struct Tour<'a> {
    document: &'a Document,
    undeclared: Vec<Difference>,
    first: Option<Response>,
}

/// An operation, as the README writes it.
type Operation = (&'static str, &'static str);

impl<'a> Tour<'a> {
    /// Nothing so far.
    pub fn new(document: &'a Document) -> Self {
        Self { document, undeclared: Vec::new(), first: None }
    }

    /// Fails if anything was seen that the document does not say.
    pub fn conclude(self) -> CheckResult {
        let (Some(first), Some(difference)) = (self.first, self.undeclared.first()) else { return Ok(()) };
        let count = self.undeclared.len();
        let message = match count {
            1 => format!("{}: expected {}, got {}", difference.place, difference.expected, difference.actual),
            _ => format!("{count} responses do not match the document; the first: {}", difference.place),
        };
        let failure = first.failure(message).expected(&difference.expected).actual(&difference.actual);
        Err(failure.differences(self.undeclared.into_iter().take(MOST).collect()))
    }

    /// Everything that can be done with events.
    pub async fn events(&mut self, lab: &Lab, app: &App) -> CheckResult {
        let (list, create) = (("get", "/events"), ("post", "/events"));
        self.see(create, app.post("/events").json(&event(lab)).await?);
        let mut bare = event(lab);
        bare["description"] = Value::Null;
        self.see(create, app.post("/events").json(&bare).await?);
        let made = make(app, "/events", bare).await?;
        self.refused_bodies(app, create, app.post("/events"), &event(lab)).await?;
        self.lists(app, list, "/events").await?;
        let sold = make_event(lab, app).await?;
        let mut two = order(lab, &sold);
        two["seats"] = json!(2);
        make(app, "/orders", two).await?;
        self.one(lab, app, "/events/{id}", &made, &json!({ "title": lab.word() }), &json!({ "seats": -1 })).await?;
        self.see(("patch", "/events/{id}"), merge(app, &made.path, &json!({ "description": lab.word() })).await?);
        // Two are sold.
        self.see(("patch", "/events/{id}"), merge(app, &sold.path, &json!({ "seats": 1 })).await?);
        self.see(("delete", "/events/{id}"), app.delete(&sold.path).header("If-Match", "*").await?);
        self.deletion("/events/{id}", app, &made).await
    }

    /// Everything that can be done with orders.
    pub async fn orders(&mut self, lab: &Lab, app: &App) -> CheckResult {
        let (list, create) = (("get", "/orders"), ("post", "/orders"));
        let mut few = event(lab);
        few["seats"] = json!(9);
        let sold = make(app, "/events", few).await?;
        let key = format!("\"{}\"", lab.word());
        let mut body = order(lab, &sold);
        body["seats"] = json!(5);
        for _ in 0..2 {
            self.see(create, app.post("/orders").header("Idempotency-Key", &key).json(&body).await?);
        }
        let mut another = body.clone();
        another["email"] = json!(lab.email());
        self.see(create, app.post("/orders").header("Idempotency-Key", &key).json(&another).await?);
        self.see(create, app.post("/orders").json(&body).await?);
        another["event_id"] = sold.id.unknown(lab).json();
        self.see(create, app.post("/orders").json(&another).await?);
        another["event_id"] = sold.id.json();
        another["seats"] = json!(1);
        self.refused_bodies(app, create, app.post("/orders"), &another).await?;
        let roomy = make_event(lab, app).await?;
        let made = make_order(lab, app, &roomy).await?;
        self.see(list, app.get(format!("/orders?event_id={}", roomy.id)).await?);
        self.lists(app, list, "/orders").await?;
        self.one(lab, app, "/orders/{id}", &made, &json!({ "note": null }), &json!({ "email": "nobody" })).await?;
        self.deletion("/orders/{id}", app, &made).await
    }

    /// Bodies that are refused, each for one reason. `good` would be taken.
    async fn refused_bodies(&mut self, app: &App, operation: Operation, request: Request, good: &Value) -> CheckResult {
        let refused = [
            request.clone().json(&json!({})),
            request.clone().body("{", "application/json"),
            request.clone().body(good.to_string(), "text/plain"),
            request.clone().header("Accept", "text/html").json(good),
            request.body(padded(good, 1024 * 1024), "application/json"),
        ];
        for request in refused {
            self.see(operation, request.await?);
        }
        read(app, "/health").await?;
        Ok(())
    }

    async fn lists(&mut self, app: &App, operation: Operation, path: &str) -> CheckResult {
        for query in ["", "?limit=1", "?limit=ten", "?limit=-1"] {
            self.see(operation, app.get(format!("{path}{query}")).await?);
        }
        self.see(operation, app.get(path).header("Accept", "text/html").await?);
        Ok(())
    }

    /// Reading and changing one thing, rightly and wrongly.
    async fn one(
        &mut self,
        lab: &Lab,
        app: &App,
        template: &'static str,
        made: &Made,
        good: &Value,
        bad: &Value,
    ) -> CheckResult {
        let (read, update) = (("get", template), ("patch", template));
        let collection = template.trim_end_matches("/{id}");
        let unknown = format!("{collection}/{}", made.id.unknown(lab));
        let current = app.get(&made.path).await?;
        let tag = tag_of(&current).unwrap_or_default();
        self.see(read, current);
        self.see(read, app.get(&made.path).header("If-None-Match", &tag).await?);
        self.see(read, app.get(&made.path).header("Accept", "text/html").await?);
        self.see(read, app.get(&unknown).await?);
        self.see(read, app.get(format!("{collection}/abc")).await?);
        self.see(update, merge(app, &made.path, good).await?);
        self.see(update, merge(app, &made.path, bad).await?);
        self.see(update, merge(app, &unknown, good).await?);
        self.see(
            update,
            app.patch(&made.path).header("If-Match", "\"lab-stale\"").body(good.to_string(), MERGE_PATCH).await?,
        );
        self.see(update, app.patch(&made.path).body(good.to_string(), MERGE_PATCH).await?);
        self.see(update, app.patch(&made.path).header("If-Match", "*").body("{", MERGE_PATCH).await?);
        self.see(update, app.patch(&made.path).header("If-Match", "*").body(good.to_string(), "text/plain").await?);
        Ok(())
    }

    async fn deletion(&mut self, template: &'static str, app: &App, made: &Made) -> CheckResult {
        let delete = ("delete", template);
        self.see(delete, app.delete(&made.path).await?);
        self.see(delete, app.delete(&made.path).header("If-Match", "\"lab-stale\"").await?);
        self.see(delete, app.delete(&made.path).header("If-Match", "*").await?);
        self.see(delete, app.delete(&made.path).header("If-Match", "*").await?);
        Ok(())
    }

    /// Holds one answer against the document.
    fn see(&mut self, (method, path): Operation, answer: Response) {
        let found = self.undeclared_in(method, path, &answer);
        if !found.is_empty() && self.first.is_none() {
            self.first = Some(answer);
        }
        for difference in found {
            // The same drift shows in many answers; each is told once.
            if !self.undeclared.contains(&difference) {
                self.undeclared.push(difference);
            }
        }
    }

    fn undeclared_in(&self, method: &str, path: &str, answer: &Response) -> Vec<Difference> {
        let status = answer.status();
        let Ok(operation) = self.document.operation(method, path) else {
            let place = format!("{} {path}", method.to_ascii_uppercase());
            return vec![Difference { place, expected: "an operation of the document".into(), actual: "none".into() }];
        };
        let place = format!("{} answered {status}", operation.name);
        let differs = |expected: String, actual: String| vec![Difference { place: place.clone(), expected, actual }];
        let Some(response) = operation.response(self.document, status) else {
            return differs(format!("one of the declared statuses {}", operation.statuses()), status.to_string());
        };
        if answer.body().is_empty() {
            return Vec::new();
        }
        let media_type = answer.media_type().unwrap_or_default();
        let Some(declared) = content(self.document, response, &media_type) else {
            let declared =
                format!("a media type that is declared for {status} (or by `default`): {}", media_types(response));
            return differs(declared, media_type);
        };
        let Ok(body) = answer.json() else { return differs("a JSON body".into(), answer.text()) };
        let mismatches = self.document.schemas().mismatches(&declared["schema"], &body);
        let tell = |m: super::schema::Mismatch| Difference {
            place: format!("{place}, body at {}", if m.pointer.is_empty() { "its root" } else { &m.pointer }),
            expected: m.expected,
            actual: m.actual,
        };
        mismatches.into_iter().map(tell).collect()
    }
}

fn media_types(response: &Value) -> String {
    let names: Vec<_> = response["content"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() { "(none)".into() } else { names.join(", ") }
}
