//! Task 6: requests that can be sent again.

use lab_kit::id::Id;
use lab_kit::prelude::*;

use crate::support::{
    Made, Problem, Walk, count, delete, event, follow, make, make_event, merged, order, overlap, read,
};

/// How many twins are sent at once. More than the database connections that the server has.
const TWINS: usize = 12;
/// A refusal waits for nobody.
const AT_ONCE: Duration = Duration::from_secs(8);

/// When a response is lost, the client asks again. It wants the response, not a second order
/// (draft-ietf-httpapi-idempotency-key-header §2.6).
#[check(title = "a retry gets the same response and creates no second order", task = 6, points = 2, needs = ["order_seats"],
        hints = ["What do you have to remember about a request to answer it again?",
                 "Write the key, the request and the response into a table.",
                 "Do it in the same transaction as the order: either both exist or neither."])]
async fn retry_same_answer(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let body = order(lab, &event);
    let key = key(lab);
    let first = placed(&app, &key, &body).await?;
    let again = post(&app, &key, &body).await?;
    let again = expect_equal_answer(&first, again).because("it is the same request with the same key")?;
    // With the tag of another version the client's next change would be refused (RFC 9110 §13.1.1).
    if let Some(tag) = again.header("etag") {
        expect_equal("the `ETag` of the second response", &Some(tag), &first.header("etag"))?;
    }
    expect_orders(lab, &app, &event, &body, 1).await?;
    let another = placed(&app, &self::key(lab), &body).await?;
    expect_that(another.at::<Value>("/id")? != first.at::<Value>("/id")?, "another key must create another order")?;
    for _ in 0..2 {
        make(&app, "/orders", body.clone()).await?;
    }
    // A key is compared as it is: letter by letter, to the last of its 255 characters.
    let long = |last: char| format!("\"{}{last}\"", "k".repeat(252));
    for other in [key.to_ascii_uppercase(), long('a'), long('b')] {
        placed(&app, &other, &body).await.because("a key may have 255 visible characters, in any case")?;
    }
    expect_orders(lab, &app, &event, &body, 7)
        .await
        .because("one order for each of five keys, and one for each request without a key")
}

/// A client in a hurry asks again before the first response arrives (draft-ietf-httpapi-idempotency-key-header §2.6).
#[check(title = "simultaneous twins create one order", task = 6, points = 3, needs = ["retry_same_answer"],
        hints = ["Checking whether a key is known, and then writing it, are two steps. What can happen in between?",
                 "Let the database decide who is first, with a unique key and an INSERT that others wait for.",
                 "`INSERT … ON CONFLICT DO NOTHING` in the order's transaction. A request that inserted nothing has waited for the \
                  first to commit, and reads its response."])]
async fn concurrent_twins(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    overlap(lab, &app).await?;
    for _ in 0..3 {
        let event = make_event(lab, &app).await?;
        let body = order(lab, &event);
        let key = key(lab);
        let mut answers = lab.burst((0..TWINS).map(|_| post(&app, &key, &body))).await?.into_iter();
        let Some(first) = answers.next() else { return Err(Failure::Ours("a burst got no responses".into())) };
        // never fails alone: `retry_same_answer` asks the same of one
        let first = first.expect_status(201)?;
        for twin in answers {
            expect_equal_answer(&first, twin).because("twins with one key count as one request")?;
        }
        expect_orders(lab, &app, &event, &body, 1).await?;
    }
    Ok(())
}

/// A retry asks for the response that was lost, not for the order's current state
/// (draft-ietf-httpapi-idempotency-key-header §2.6).
#[check(title = "a late retry gets the first response", task = 6, points = 1, needs = ["retry_same_answer", "deleted_is_gone"],
        hints = ["How do you answer a retry: with the earlier response, or with what is in the table now?",
                 "Store the response with the key, not only the order's id."])]
async fn late_retry(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let body = order(lab, &event);
    let key = key(lab);
    let first = placed(&app, &key, &body).await?;
    let made = format!("/orders/{}", Id::of(&first, "/id")?);
    merged(&app, &made, &json!({ "note": lab.word() })).await?;
    let late = post(&app, &key, &body).await?;
    expect_equal_answer(&first, late)
        .because("a retry gets what the first request got, even if the order has changed since")?;
    app.delete(&made).header("If-Match", "*").await?.expect_status(204)?;
    let late = post(&app, &key, &body).await?;
    expect_equal_answer(&first, late)
        .because("a retry gets what the first request got, even if the order has been deleted since")
        .hint("What becomes of a key when its order is deleted?")?;
    expect_orders(lab, &app, &event, &body, 0)
        .await
        .because("the order was deleted, and the retry of its request is no new order")
}

/// A key that arrives with another body is the client's mistake, and must not be answered like a retry
/// (draft-ietf-httpapi-idempotency-key-header §2.7).
#[check(title = "a key cannot be used for something else", task = 6, points = 2, needs = ["retry_same_answer"],
        hints = ["How do you know that the second request is the same as the first?",
                 "Store the request, or a hash of it, with the key, and compare. Another body is 422."])]
async fn key_with_another_body(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (event, other) = (make_event(lab, &app).await?, make_event(lab, &app).await?);
    let body = order(lab, &event);
    let key = key(lab);
    let first = placed(&app, &key, &body).await?;
    let seats = body["seats"].as_i64().unwrap_or_default() + 1;
    let changes = [
        ("seats", json!(seats)),
        ("email", json!(lab.email())),
        ("event_id", other.id.json()),
        ("note", json!(lab.word())),
        ("note", Value::Null),
    ];
    for (member, value) in changes {
        let mut changed = body.clone();
        changed[member] = value;
        let answer = post(&app, &key, &changed).await?.expect_problem(422);
        answer.because(&format!("the key was used with another `{member}`"))?;
    }
    expect_equal_answer(&first, post(&app, &key, &body).await?).because("this is the first request, sent again")?;
    for (event, orders) in [(&event, 1), (&other, 0)] {
        expect_orders(lab, &app, event, &body, orders).await?;
    }
    Ok(())
}

/// A refusal creates nothing, and must not leave the key half used: then every retry would wait for an order that never
/// comes (draft-ietf-httpapi-idempotency-key-header §2.6).
#[check(title = "a refused request can be sent again with its key", task = 6, points = 1, needs = ["retry_same_answer", "refused_by_state"],
        hints = ["What is in your table of keys after an order was refused, and what does the next request with that key do with it?",
                 "Claim the key in the order's transaction: when that is rolled back, the key is free again.",
                 "Or store the refusal with the key, and send it again."])]
async fn refusal_frees_the_key(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mut few = event(lab);
    few["seats"] = json!(5);
    let event = make(&app, "/events", few).await?;
    let mut body = order(lab, &event);
    body["seats"] = json!(4);
    let holder = make(&app, "/orders", body.clone()).await?;
    let key = key(lab);
    for turn in ["for the first time", "once more"] {
        let refused = post(&app, &key, &body).within(AT_ONCE).await.and_then(|answer| answer.expect_problem(409));
        refused.because(&format!("1 seat is left, and the order for 4 was sent {turn}, with the same key"))?;
    }
    let mut wrong = body.clone();
    wrong["seats"] = json!(0);
    let bad = self::key(lab);
    for turn in ["for the first time", "once more"] {
        let refused = post(&app, &bad, &wrong).within(AT_ONCE).await.and_then(|answer| answer.expect_problem(422));
        refused.because(&format!("the order for 0 seats was sent {turn}, with the same key"))?;
    }
    expect_orders(lab, &app, &event, &body, 1).await?;
    delete(&app, &holder).await?;
    // Whoever remembers refusals says the same again; whoever does not makes the order.
    let freed = post(&app, &key, &body).within(AT_ONCE).await.and_then(|answer| answer.expect_status_in(&[201, 409]));
    let freed = freed.because("the seats are free now, and the order is sent again with its key")?;
    let another = post(&app, &self::key(lab), &body).await?;
    if freed.status() == 201 {
        // never fails alone: `refused_by_state` asks the same
        another.expect_problem(409)?
    } else {
        another.expect_status(201)?
    };
    // never fails alone: the refusals above have left no order, and what is 201 is one, as `order_seats` asks
    expect_orders(lab, &app, &event, &body, 1).await
}

/// A server's restart is when responses get lost, and so when clients ask again
/// (draft-ietf-httpapi-idempotency-key-header §2.3).
#[check(title = "a key outlives a restart", task = 6, points = 2, needs = ["retry_same_answer"],
        hints = ["What remains of a map in memory after a restart?", "Store the keys where the orders are."])]
async fn key_survives_restart(lab: &Lab) -> CheckResult {
    let mut app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let body = order(lab, &event);
    let key = key(lab);
    let first = placed(&app, &key, &body).await?;
    app.restart().await?;
    let again = post(&app, &key, &body).await?;
    expect_equal_answer(&first, again).because("the server was restarted, and the client asks again")?;
    expect_orders(lab, &app, &event, &body, 1).await
}

/// A key as the draft writes it: a string in quotes.
pub fn key(lab: &Lab) -> String {
    format!("\"{}-{}\"", lab.word(), lab.word())
}

/// The answer to a first request with `key`, which is 201.
pub async fn placed(app: &App, key: &str, body: &Value) -> CheckResult<Response> {
    post(app, key, body).await?.expect_status(201)
}

/// An order with `key`.
pub fn post(app: &App, key: &str, body: &Value) -> Request {
    app.post("/orders").header("Idempotency-Key", key).json(body)
}
/// Fails unless a repeated request gets what the first one got.
pub fn expect_equal_answer(first: &Response, again: Response) -> CheckResult<Response> {
    let again = again.expect_status(201)?;
    if again.json()? != first.json()? {
        let failure = again.failure("the second response differs from the first");
        return Err(failure.expected(first.text()).actual(again.text()));
    }
    // A whole URL may name another port after a restart: only where it leads counts.
    let leads_to = |answer: &Response| follow(answer.header("location")?, "/orders");
    let (wanted, found) = (leads_to(first), leads_to(&again));
    if wanted == found {
        return Ok(again);
    }
    let shown = |path: Option<String>| path.unwrap_or_else(|| "no Location".into());
    let failure = again.failure("the second response has a different `Location` from the first");
    Err(failure.expected(shown(wanted)).actual(shown(found)))
}

/// Fails unless there are so many orders for the event: in the list, in the table and in its `seats_sold`.
async fn expect_orders(lab: &Lab, app: &App, event: &Made, body: &Value, expected: usize) -> CheckResult {
    let walk = Walk::from(app, &format!("/orders?event_id={}&limit=100", event.id)).await?;
    let listed = walk.items().filter(|order| Id::from_json(&order["event_id"]).as_ref() == Some(&event.id)).count();
    if listed != expected {
        let failure = walk.pages[0].answer.failure(format!("there are {listed} orders for the event"));
        return Err(failure.expected(format!("{expected} orders")).actual(format!("{listed} orders")));
    }
    if let Some(rows) = count(lab, "orders", "event_id::text = $1", &event.id.to_string()).await? {
        // never fails alone: the list shows every row
        expect_equal("rows in orders for the event", &rows, &i64::try_from(expected).unwrap_or(i64::MAX))?;
    }
    let seats = body["seats"].as_u64().unwrap_or_default() * u64::try_from(expected).unwrap_or_default();
    read(app, &event.path).await?.expect_json(json!({ "seats_sold": seats }))?;
    Ok(())
}
