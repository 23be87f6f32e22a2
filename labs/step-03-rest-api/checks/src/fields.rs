//! Task 3: new events and orders are read member by member.

use lab_kit::http::any_id;
use lab_kit::id::Id;
use lab_kit::prelude::*;

use crate::support::{Made, Problem, bounds, event, make, make_event, merge, order, read};

/// Somebody who fills in a form wants to hear about all mistakes at once, each next to its field (RFC 9457 §3, RFC
/// 6901).
#[check(title = "a refusal names every bad member at once", task = 3, points = 5, needs = ["create_event"],
        hints = ["A parser that stops at the first mistake finds only one.",
                 "Parse into a JSON value first. Then read it member by member and collect the mistakes.",
                 "`errors: [{\"pointer\": \"/title\", \"detail\": …}, …]`: one object for each bad member, including missing ones."])]
async fn every_bad_field(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let bad_event: [(&str, &[Option<Value>]); 5] = [
        ("title", &[None, Some(json!(7)), Some(json!("")), Some(json!(["x"])), Some(Value::Null)]),
        ("description", &[Some(json!(7)), Some(json!({})), Some(json!(true))]),
        ("starts_at", &[None, Some(json!("tomorrow")), Some(json!(1_924_992_000)), Some(Value::Null)]),
        ("seats", &[None, Some(json!("5")), Some(json!(0)), Some(json!(true)), Some(json!(5.5)), Some(json!([]))]),
        ("price_cents", &[None, Some(json!("12.50")), Some(json!(-1)), Some(json!({}))]),
    ];
    app.post("/events").json(&json!({})).await?.expect_bad_members(&["title", "starts_at", "seats", "price_cents"])?;
    let mut ways = Ways::new(&bad_event);
    for bad in [&[0, 1, 2, 3, 4][..], &[0, 3], &[1, 3], &[0, 2, 3, 4], &[0, 1, 3, 4], &[0, 2, 3, 4], &[1, 2, 4]] {
        let (body, names) = ways.spoil(event(lab), bad);
        app.post("/events").json(&body).await?.expect_bad_members(&names)?;
    }
    // never fails alone: it is about the suite, and no server can change it
    ways.expect_used_up()?;
    let sold = make_event(lab, &app).await?;
    let bad_order: [(&str, &[Option<Value>]); 4] = [
        ("event_id", &[None, Some(json!([])), Some(json!(true)), Some(Value::Null)]),
        ("email", &[None, Some(json!("nobody")), Some(json!(5)), Some(Value::Null)]),
        ("seats", &[None, Some(json!("2")), Some(json!(0)), Some(json!(11)), Some(json!(1.5))]),
        ("note", &[Some(json!(5)), Some(json!([]))]),
    ];
    let mut ways = Ways::new(&bad_order);
    for bad in [&[0, 1, 2, 3][..], &[1, 2], &[0, 2, 3], &[0, 1, 2], &[0, 1, 2]] {
        let (body, names) = ways.spoil(order(lab, &sold), bad);
        app.post("/orders").json(&body).await?.expect_bad_members(&names)?;
    }
    // never fails alone: it is about the suite, and no server can change it
    ways.expect_used_up()?;
    let list = app.post("/events").json(&json!([])).await?.expect_problem_in(&[400, 422]);
    list.because("a list is not an event")?;
    Ok(())
}

/// A limit includes its boundary and nothing beyond, and the length of a text is counted in characters (JSON Schema
/// 2020-12 §6.3.1).
#[check(title = "values are accepted up to the limit, and not beyond", task = 3, points = 3, needs = ["order_seats"],
        hints = ["Try the smallest and the largest value of each member, then one less and one more.",
                 "A character is not a byte: how long is \"ü\"?",
                 "Also refuse values that only look right: `\"   \"` as a title, 30 February, a time without an offset, U+0000."])]
async fn field_bounds(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for (name, value) in bounds::of_an_event() {
        let mut body = event(lab);
        body[name] = value.clone();
        let answer = app.post("/events").json(&body).await?.expect_status(201);
        answer.because(&format!("this `{name}` is in range"))?.expect_json(json!({ name: value }))?;
    }
    for (name, value) in bounds::beyond_an_event() {
        let mut body = event(lab);
        body[name] = value;
        app.post("/events").json(&body).await?.expect_bad_members(&[name])?;
    }
    order_bounds(lab, &app).await
}

async fn order_bounds(lab: &Lab, app: &App) -> CheckResult {
    let sold = make_event(lab, app).await?;
    for (name, value) in bounds::of_an_order() {
        let mut body = order(lab, &sold);
        body[name] = value.clone();
        let made = make(app, "/orders", body).await.because(&format!("this `{name}` is in range"))?;
        made.answer.expect_json(json!({ name: value }))?;
    }
    for (name, value) in bounds::beyond_an_order() {
        let mut body = order(lab, &sold);
        body[name] = value;
        app.post("/orders").json(&body).await?.expect_bad_members(&[name])?;
    }
    Ok(())
}

/// A client cannot set what the server sets: not an id, not the number of seats sold, not the price of its own order
/// (OWASP API Security 2023, API3).
#[check(title = "members that the server sets cannot be set by a client", task = 3, points = 4, needs = ["order_seats"],
        hints = ["Which members of a body reach your INSERT and your UPDATE?",
                 "Deserialize into a type that has only what a client may set, not the type of the table's rows.",
                 "Ignore `id`, `seats_sold`, `total_cents` and `created_at`, and in a PATCH also `event_id` and an order's `seats`."])]
async fn server_fields_stay(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let known = make_event(lab, &app).await?;
    let foreign = known.id.unknown(lab);
    let seats_sold = lab.number(1, 20);
    let stolen = json!({ "id": foreign.json(), "seats_sold": seats_sold, "created_at": "1999-01-01T00:00:00Z" });
    let answer = app.post("/events").json(&with(event(lab), &stolen)).await?.expect_status_in(&[201, 400, 422])?;
    if answer.status() == 201 {
        expect_own(&answer, &foreign, json!({ "seats_sold": 0 }))
            .because("the server sets this member, not the client")?;
    }
    let patch = with(json!({ "title": lab.word() }), &stolen);
    expect_kept(&app, &known, &patch, &["id", "seats_sold", "created_at"]).await?;
    let placed = make(&app, "/orders", order(lab, &known)).await?;
    let foreign = placed.id.unknown(lab);
    let body = order(lab, &known);
    let total = body["seats"].as_i64().unwrap_or_default() * known.sent["price_cents"].as_i64().unwrap_or_default();
    let stolen = json!({ "id": foreign.json(), "total_cents": 1, "created_at": "1999-01-01T00:00:00Z" });
    let answer = app.post("/orders").json(&with(body, &stolen)).await?.expect_status_in(&[201, 400, 422])?;
    if answer.status() == 201 {
        expect_own(&answer, &foreign, json!({ "total_cents": total }))
            .because("the server sets this member, not the client")?;
    }
    let other = make_event(lab, &app).await?;
    let stolen = with(json!({ "event_id": other.id.json(), "seats": 9 }), &stolen);
    let patch = with(json!({ "note": lab.word() }), &stolen);
    expect_kept(&app, &placed, &patch, &["id", "event_id", "seats", "total_cents", "created_at"]).await
}

/// Fails if what was made took over the foreign id, or the old time of making, or anything but `expected`.
fn expect_own(answer: &Response, foreign: &Id, expected: Value) -> CheckResult {
    let foreign_id = foreign.json();
    // never fails alone: `create_event` and `order_seats` ask the same
    let answer = answer.clone().expect_json(json!({ "id": any_id() }))?;
    let answer = answer.expect_json(expected)?;
    let answer = answer.expect_json_where("/id", "an id generated by the server", |id| *id != foreign_id)?;
    answer.expect_json_where("/created_at", "the time at which it was created, not 1999", made_now)?;
    Ok(())
}

/// Whether the time is not the one in the body. The server's clock may differ from ours.
fn made_now(value: &Value) -> bool {
    value.as_str().is_some_and(|time| !time.starts_with("1999") && !time.starts_with("1998"))
}

/// Fails if the patch changes any of the members, whether it is refused or done.
async fn expect_kept(app: &App, made: &Made, patch: &Value, members: &[&str]) -> CheckResult {
    let before = read(app, &made.path).await?.json()?;
    merge(app, &made.path, patch).await?.expect_status_in(&[200, 400, 422])?;
    let kept = members.iter().map(|name| ((*name).to_owned(), before[*name].clone())).collect();
    let after = read(app, &made.path).await?.expect_json(Value::Object(kept));
    after.because("a PATCH cannot change these members")?;
    Ok(())
}

fn with(mut body: Value, more: &Value) -> Value {
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    body
}

/// In which ways each member can be spoiled: by a value that cannot be taken, or by being left out.
struct Ways<'a> {
    members: &'a [(&'static str, &'a [Option<Value>])],
    used: Vec<usize>,
}

impl<'a> Ways<'a> {
    fn new(members: &'a [(&'static str, &'a [Option<Value>])]) -> Self {
        Self { members, used: vec![0; members.len()] }
    }

    /// Spoils some members, each in the next of its ways. Gives their names.
    fn spoil(&mut self, mut body: Value, bad: &[usize]) -> (Value, Vec<&'static str>) {
        let mut names = Vec::new();
        for &index in bad {
            let (name, ways) = self.members[index];
            let way = ways[self.used[index] % ways.len()].clone();
            self.used[index] += 1;
            match (way, body.as_object_mut()) {
                (Some(value), Some(members)) => drop(members.insert(name.to_owned(), value)),
                (None, Some(members)) => drop(members.remove(name)),
                (_, None) => {}
            }
            names.push(name);
        }
        (body, names)
    }

    /// Fails us if a way was never gone.
    fn expect_used_up(&self) -> CheckResult {
        let left = self.members.iter().zip(&self.used).find(|((_, ways), used)| **used < ways.len());
        left.map_or(Ok(()), |((name, _), _)| {
            Err(Failure::Ours(format!("the check does not spoil `{name}` in every way")))
        })
    }
}
