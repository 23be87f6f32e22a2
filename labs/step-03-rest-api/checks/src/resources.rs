//! Task 1: what is made has an address, and what is deleted has none any more.

use chrono::{DateTime, TimeDelta, Utc};
use lab_kit::http::{any_id, any_string};
use lab_kit::id::Id;
use lab_kit::prelude::*;
use tokio::time::{Instant, sleep};

use crate::support::{
    Made, Problem, Walk, count, delete, event, expect_moment, follow, in_the_east, make, make_event, make_order, merge,
    moment, order, overlap, read, texts,
};

/// A client that creates something wants to know that it is new, and what it looks like (RFC 9110 §15.3.2).
#[check(title = "a new event is 201, with the event", task = 1, points = 2,
        hints = ["200 says that something went well. Which status says that something is new?",
                 "Answer POST /events with 201 and the complete event as JSON."])]
async fn create_event(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let starts_at = moment(lab) + TimeDelta::milliseconds(lab.number(1, 999));
    let mut body = event(lab);
    body["starts_at"] = json!(in_the_east(starts_at));
    let made = make(&app, "/events", body).await?;
    let mut expected = made.sent.clone();
    expected["id"] = any_id();
    expected["seats_sold"] = json!(0);
    expected["created_at"] = any_string();
    expected["starts_at"] = any_string();
    let read = expect_new(&app, &made, expected).await?;
    expect_moment(read, "/starts_at", starts_at)?;
    expect_row(lab, &made, &["title", "description", "seats", "price_cents"]).await?;
    expect_times_of_creation(&app, "/events", [event(lab), event(lab)]).await
}

/// An order is a resource like an event, and the server decides what it costs (RFC 9110 §15.3.2).
#[check(title = "a new order takes seats and has its price", task = 1, points = 2, needs = ["create_event"],
        hints = ["Orders are created like events: 201 and the representation.",
                 "The store already takes the seats and computes the total; return both."])]
async fn order_seats(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let made = make_order(lab, &app, &event).await?;
    let seats = number(&made.sent["seats"]);
    let mut expected = made.sent.clone();
    expected["id"] = any_id();
    expected["total_cents"] = json!(seats * number(&event.sent["price_cents"]));
    expected["created_at"] = any_string();
    expect_new(&app, &made, expected).await?;
    let sold = read(&app, &event.path).await?.expect_json(json!({ "seats_sold": seats }));
    sold.because("the order has taken that many of the event's seats")?;
    expect_row(lab, &made, &["event_id", "email", "note"]).await?;
    expect_times_of_creation(&app, "/orders", [order(lab, &event), order(lab, &event)]).await
}

/// Location says where the new resource is, so that a client need not know how its URL is built (RFC 9110 §10.2.2).
#[check(title = "Location leads to what was created", task = 1, points = 2, needs = ["order_seats"],
        hints = ["A 201 needs a header that says where.", "`Location: /events/{id}` and `Location: /orders/{id}`."])]
async fn location_leads(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let order = make_order(lab, &app, &event).await?;
    expect_location(&app, &order).await?;
    // The order has changed the first event's seats_sold, so another is looked at.
    expect_location(&app, &make_event(lab, &app).await?).await
}

/// Deleted means deleted: not at its URL, not in a list, not for sale (RFC 9110 §9.3.5).
#[check(title = "what is deleted is gone", task = 1, points = 3, needs = ["order_seats"],
        hints = ["Where else, apart from its own URL, can something deleted still be seen?",
                 "Look at the lists, at the seats of a deleted order, and at orders for a deleted event.",
                 "DELETE is 204 and removes the row; a deleted order gives its seats back in the same transaction."])]
async fn deleted_is_gone(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (event, other) = (make_event(lab, &app).await?, make_event(lab, &app).await?);
    let (kept, gone) = (make_order(lab, &app, &other).await?, make_order(lab, &app, &event).await?);
    delete(&app, &gone).await?;
    expect_gone(&app, &gone, &json!({ "note": "late" })).await?;
    let sold = read(&app, &event.path).await?.expect_json(json!({ "seats_sold": 0 }));
    sold.because("the deleted order has returned its seats")?;
    expect_not_listed(&app, "/orders?limit=100", &gone, &kept).await?;
    make_order(lab, &app, &other).await?;
    let still_gone = app.get(&gone.path).await?.expect_problem_in(&[404, 410]);
    still_gone.because("a new order was placed, but this is the URL of one that was deleted")?;
    delete(&app, &event).await?;
    expect_gone(&app, &event, &json!({ "title": "late" })).await?;
    expect_not_listed(&app, "/events?limit=100", &event, &other).await?;
    let late = app.post("/orders").json(&order(lab, &event)).await?.expect_bad_members(&["event_id"]);
    late.because("the order's event was deleted")?;
    Ok(())
}

/// 409 tells a client that its request is valid, but not now: it can look again and reconsider (RFC 9110 §15.5.10).
#[check(title = "a request that conflicts with the current state is 409", task = 1, points = 3, needs = ["order_seats"],
        hints = ["The request is well-formed and its values are in range. What is wrong with it?",
                 "Three of the store's errors are conflicts: sold out, event with orders, seats already sold.",
                 "The database's constraints notice them; turn their violations into 409, not into 500."])]
async fn refused_by_state(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mut body = event(lab);
    body["seats"] = json!(9);
    let event = make(&app, "/events", body).await?;
    let mut six = order(lab, &event);
    six["seats"] = json!(6);
    let first = make(&app, "/orders", six.clone()).await?;
    let again = app.post("/orders").json(&six).await?.expect_problem(409);
    again.because("of 9 seats, 6 are sold: 6 more are too many")?;
    // A title that is stored before the seats are refused would stay.
    let fewer = merge(&app, &event.path, &json!({ "title": lab.word(), "seats": 5 })).await?.expect_problem(409);
    fewer.because("6 seats are sold, so 5 are too few")?;
    for seats in [6, 9] {
        let enough = merge(&app, &event.path, &json!({ "seats": seats })).await?.expect_status(200);
        enough.because("6 seats are sold, so 6 are not too few")?;
    }
    let removed = app.delete(&event.path).header("If-Match", "*").await?.expect_problem(409);
    removed.because("somebody has seats for this event")?;
    let unchanged = json!({ "title": event.sent["title"], "seats": 9, "seats_sold": 6 });
    let kept = read(&app, &event.path).await?.expect_json(unchanged);
    kept.because("a refused request changes nothing")?;
    read(&app, &first.path).await?;
    if let Some(orders) = count(lab, "orders", "event_id::text = $1", &event.id.to_string()).await? {
        expect_equal("rows in orders", &orders, &1)?;
    }
    let mut rest = six;
    rest["seats"] = json!(3);
    make(&app, "/orders", rest).await.because("of 9 seats, 6 are sold: 3 more are not too many")?;
    expect_never_oversold(lab, &app).await
}

/// Sends more orders at once than there are seats for.
async fn expect_never_oversold(lab: &Lab, app: &App) -> CheckResult {
    let mut few = event(lab);
    few["seats"] = json!(5);
    let event = make(app, "/events", few).await?;
    let mut two = order(lab, &event);
    two["seats"] = json!(2);
    overlap(lab, app).await?;
    let answers = lab.burst((0..12).map(|_| app.post("/orders").json(&two))).await?;
    let mut placed = 0;
    for answer in answers {
        let answer = answer.expect_status_in(&[201, 409])?;
        placed += usize::from(answer.status() == 201);
    }
    expect_equal("how many of 12 simultaneous orders for 2 of 5 seats are 201", &placed, &2)
        .hint("Two orders look at the same moment how many seats are left. What do they see?")?;
    // never fails alone: whoever counts in another way than it sells fails `order_seats`
    read(app, &event.path).await?.expect_json(json!({ "seats_sold": 4 }))?;
    Ok(())
}

/// Makes two things one after the other, and fails unless their `created_at` are as far apart: by the server's clock, which
/// may differ from ours.
async fn expect_times_of_creation(app: &App, collection: &str, [one, two]: [Value; 2]) -> CheckResult {
    /// Times are accurate to the millisecond, and may be cut or rounded to it.
    const ROUNDED: TimeDelta = TimeDelta::milliseconds(2);
    /// So far apart that whole seconds or minutes would show.
    const APART: Duration = Duration::from_millis(20);
    let before = Instant::now();
    let first = make(app, collection, one).await?;
    let between = Instant::now();
    sleep(APART).await;
    let least = between.elapsed();
    let second = make(app, collection, two).await?;
    let most = before.elapsed();
    let created = |made: &Made| made.answer.at::<DateTime<Utc>>("/created_at");
    let apart = created(&second)? - created(&first)?;
    let in_delta = |time| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
    if (in_delta(least) - ROUNDED..=in_delta(most) + ROUNDED).contains(&apart) {
        return Ok(());
    }
    let failure = second.answer.failure("`created_at` does not tell when it was created");
    Err(failure
        .expected(format!("{least:.1?} to {most:.1?} after the one before"))
        .actual(format!("{} ms after the one before", apart.num_milliseconds()))
        .hint("Which clock does `created_at` come from, and how exact is it?"))
}

/// Fails unless the answer that made it, and the one at its address, are as expected.
async fn expect_new(app: &App, made: &Made, expected: Value) -> CheckResult<Response> {
    let answer = made.answer.clone().expect_media_type("application/json")?.expect_json(expected.clone())?;
    answer.expect_json_where("/created_at", "a time as RFC 3339 writes it", is_time)?;
    let found = read(app, &made.path).await?.expect_media_type("application/json")?;
    found.expect_json(expected).because("it was created a moment ago")
}

/// Fails unless the `Location` leads to the very thing that was made.
async fn expect_location(app: &App, made: &Made) -> CheckResult {
    let what = format!("leads to what was created: {}, or a full URL", made.path);
    let answer = made.answer.clone().expect_header_where("location", &what, |value| !value.is_empty())?;
    let (collection, _) = made.path.rsplit_once('/').unwrap_or_default();
    let location = answer.header("location").and_then(|location| follow(location, collection));
    let Some(location) = location else { return Err(answer.failure("the Location is not a URL")) };
    let found = read(app, &location).await.because("this is where `Location` leads")?;
    if found.json()? == answer.json()? {
        return Ok(());
    }
    let failure = found.failure(format!("GET {location}, where `Location` leads, is not what was created"));
    Err(failure.expected(answer.text()).actual(found.text()))
}

async fn expect_row(lab: &Lab, made: &Made, columns: &[&str]) -> CheckResult {
    let Some(row) = texts(lab, made, columns).await? else { return Ok(()) };
    let sent: Vec<_> = columns.iter().map(|column| text(&made.sent[*column])).collect();
    expect_equal(&format!("{} of {} in the table", columns.join(", "), made.path), &row, &sent)
}

async fn expect_gone(app: &App, made: &Made, patch: &Value) -> CheckResult {
    let why = "it was deleted a moment ago";
    app.get(&made.path).await?.expect_problem_in(&[404, 410]).because(why)?;
    merge(app, &made.path, patch).await?.expect_problem_in(&[404, 410, 412]).because(why)?;
    app.delete(&made.path).header("If-Match", "*").await?.expect_problem_in(&[404, 410, 412]).because(why)?;
    Ok(())
}

async fn expect_not_listed(app: &App, list: &str, gone: &Made, kept: &Made) -> CheckResult {
    let walk = Walk::from(app, list).await?;
    let listed = |made: &Made| walk.items().any(|item| Id::from_json(&item["id"]).as_ref() == Some(&made.id));
    let first = &walk.pages[0].answer;
    if listed(gone) {
        return Err(first.failure(format!("{} was deleted, but GET {list} still has it", gone.path)));
    }
    if !listed(kept) {
        return Err(first.failure(format!("{} was not deleted, but GET {list} no longer has it", kept.path)));
    }
    Ok(())
}

/// A time in whatever time zone.
fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok())
}

/// A JSON value as Postgres casts it to text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}
