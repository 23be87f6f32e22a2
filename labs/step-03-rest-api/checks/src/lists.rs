//! Task 4: lists, a page at a time.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use lab_kit::id::Id;
use lab_kit::prelude::*;

use crate::support::{
    Made, Page, Problem, Walk, event, event_at, make, make_event, make_events, make_order, moment, order, read,
};

/// A client that asks for a billion rows must not get them: memory and time are the server's (OWASP API Security 2023,
/// API4).
#[check(title = "the length of a page is limited", task = 4, points = 2, needs = ["order_seats"],
        hints = ["Who decides how many rows are read: the client, or you?",
                 "A number in the query string may be negative, zero, enormous, or not a number at all.",
                 "Use 20 by default and at most 100; below 1 or not a whole number is 400."])]
async fn limit_is_bounded(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    make_events(lab, &app, (0..105).map(|_| event(lab)).collect()).await?;
    let large = make(&app, "/events", with_seats(event(lab), 1_000)).await?;
    let orders = (0..105).map(|_| app.post("/orders").json(&order(lab, &large))).collect::<Vec<_>>();
    for some in orders.chunks(25) {
        for answer in lab.burst(some.to_vec()).await? {
            // never fails alone: `order_seats` asks the same
            answer.expect_status(201)?;
        }
    }
    for list in ["/events?", "/orders?", &format!("/orders?event_id={}&", large.id)] {
        for (limit, expected) in [("", 20), ("limit=100", 100), ("limit=1", 1)] {
            let answer = read(&app, &format!("{list}{limit}")).await?;
            expect_length(&answer, &format!("{expected} items"), |length| length == expected)?;
        }
        for limit in ["101", "1000000000", "99999999999999999999", "0", "-1", "-20", "1.5", "ten"] {
            let answer = app.get(format!("{list}limit={limit}")).await?.expect_status_in(&[200, 400])?;
            if answer.status() == 400 {
                answer.expect_problem(400)?;
            } else {
                expect_length(&answer, "at most 100 items", |length| length <= 100)?;
            }
        }
    }
    Ok(())
}

/// A list that is read page by page is still one list: nothing is left out, nothing appears twice (RFC 8288 §3).
#[check(title = "the links lead through the whole list", task = 4, points = 4, needs = ["create_event"],
        hints = ["How does a client get to the second page, if it only follows your links?",
                 "Give the next page's URL in `next` or in a `Link` header, with the requested limit.",
                 "Sort by `starts_at` and then by `id`, and continue after that pair: times may be equal.",
                 "A time in your link must be exactly the row's, down to the microsecond, as Postgres stores it."])]
async fn pages_to_the_end(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let first = moment(lab);
    // Not in the order in which they begin, and some begin together.
    let hours = [5, 1, 3, 3, 3, 0, 3, 2, 4, 3];
    let mut times: Vec<_> = hours.iter().map(|hour| first + TimeDelta::hours(*hour)).collect();
    // More than two pages of events within one millisecond. Who keeps milliseconds has them begin together.
    times.extend((0..8).map(|turn| first + TimeDelta::hours(2) + TimeDelta::microseconds(100 * turn + 100)));
    // What is over is history, and still in the list.
    times.push(first - TimeDelta::days(365 * 30));
    let made = make_events(lab, &app, times.into_iter().map(|time| event_at(lab, time)).collect()).await?;
    let walk = Walk::from(&app, "/events?limit=3").await?.expect_full(3)?;
    expect_each_once(&walk, &made)?;
    expect_whole(&walk, &made)?;
    expect_sorted(&walk, "starts_at", "GET /events must begin with the event that starts first")
}

/// A link to the next page continues the list that was requested, not another one (RFC 8288 §3).
#[check(title = "the links keep the filter", task = 4, points = 1, needs = ["order_seats"],
        hints = ["What else was in the query string of the first page?"])]
async fn pages_keep_the_filter(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (event, other) = (make_event(lab, &app).await?, make_event(lab, &app).await?);
    let (mut orders, mut all) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let order = make_order(lab, &app, &event).await?;
        orders.push(order.clone());
        all.extend([order, make_order(lab, &app, &other).await?]);
    }
    let walk = Walk::from(&app, &format!("/orders?event_id={}&limit=2", event.id)).await?.expect_full(2)?;
    expect_each_once(&walk, &orders)?;
    let foreign = walk.items().find(|order| Id::from_json(&order["event_id"]).as_ref() != Some(&event.id));
    if let Some(order) = foreign {
        let failure = Failure::learner("a page of one event's orders has an order of another event");
        return Err(failure.expected(format!("only orders with event_id {}", event.id)).actual(order.to_string()));
    }
    let why = "the orders were placed one after the other, and a client reads them in that order";
    expect_sorted(&walk, "created_at", "GET /orders must begin with the oldest order").because(why)?;
    expect_whole(&walk, &orders)?;
    // And without a filter, those of all events.
    let walk = Walk::from(&app, "/orders?limit=3").await?.expect_full(3)?;
    expect_each_once(&walk, &all)?;
    expect_sorted(&walk, "created_at", "GET /orders must begin with the oldest order").because(why)
}

/// A client stops where there is no link. One link too many costs a useless request, one too few hides the rest (RFC
/// 8288 §3).
#[check(title = "the last page says that it is the last", task = 4, points = 2, needs = ["order_seats"],
        hints = ["How do you know whether something follows? A full page does not tell you.",
                 "Read one row more than you return."])]
async fn last_page(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (event, lonely) = (make_event(lab, &app).await?, make_event(lab, &app).await?);
    for _ in 0..6 {
        make_order(lab, &app, &event).await?;
    }
    for (limit, expected) in [(3, vec![3, 3]), (6, vec![6]), (5, vec![5, 1]), (7, vec![6])] {
        let walk = Walk::from(&app, &format!("/orders?event_id={}&limit={limit}", event.id)).await?;
        expect_lengths(&walk.pages, &expected, &format!("6 orders with limit={limit}"))?;
    }
    let empty = Walk::from(&app, &format!("/orders?event_id={}", lonely.id)).await?;
    expect_lengths(&empty.pages, &[0], "an event without orders")?;
    // No id: a mistake, or a page of nothing, and never everybody's orders.
    let odd = app.get("/orders?event_id=no-id").await?.expect_status_in(&[200, 400, 404, 422])?;
    if odd.status() == 200 {
        expect_length(&odd, "no items", |length| length == 0)?;
    }
    Ok(())
}

fn with_seats(mut event: Value, seats: u32) -> Value {
    event["seats"] = json!(seats);
    event
}

/// Fails if a time of the walk comes before the one in front of it.
fn expect_sorted(walk: &Walk, member: &str, why: &str) -> CheckResult {
    let time = |item: &Value| item[member].as_str().and_then(|time| time.parse::<DateTime<Utc>>().ok());
    let items: Vec<&Value> = walk.items().collect();
    let wrong = items.windows(2).find(|pair| time(pair[0]) > time(pair[1]));
    let Some([one, other]) = wrong else { return Ok(()) };
    let failure = walk.pages[0].answer.failure(format!("{why}, but here is an item before an earlier one"));
    let shown = format!("{member} {} and then {}", one[member], other[member]);
    Err(failure.expected(format!("items in the order of their {member}")).actual(shown))
}

/// Fails unless the page is as long as it should be. The message says the number, not the items.
fn expect_length(answer: &Response, wanted: &str, is_right: impl Fn(usize) -> bool) -> CheckResult {
    let length = answer.at::<Vec<Value>>("/items")?.len();
    if is_right(length) {
        return Ok(());
    }
    let failure = answer.failure(format!("the page has {length} items, but should have {wanted}"));
    Err(failure.expected(wanted).actual(format!("{length} items")))
}

fn expect_lengths(pages: &[Page], expected: &[usize], what: &str) -> CheckResult {
    let lengths: Vec<_> = pages.iter().map(|page| page.items.len()).collect();
    if lengths == expected {
        return Ok(());
    }
    let failure = pages[pages.len() - 1].answer.failure(format!("{what}: the pages have {lengths:?} items"));
    Err(failure.expected(format!("pages of {expected:?} items")).actual(format!("pages of {lengths:?} items")))
}

/// Fails unless each item has all members, as the answer had them that made it. Times may be written in another way.
fn expect_whole(walk: &Walk, made: &[Made]) -> CheckResult {
    for one in made {
        let Some(item) = walk.items().find(|item| Id::from_json(&item["id"]).as_ref() == Some(&one.id)) else {
            continue;
        };
        let answer = one.answer.json()?;
        let differs = |name: &&&str| match **name {
            "starts_at" | "created_at" => !item[**name].is_string(),
            name => item.get(name) != answer.get(name),
        };
        if let Some(name) = one.promised().iter().find(differs) {
            let failure = walk.pages[0].answer.failure(format!("`{name}` of {} is not the same on the list", one.path));
            return Err(failure.expected(answer.to_string()).actual(item.to_string()));
        }
    }
    Ok(())
}

fn expect_each_once(walk: &Walk, made: &[Made]) -> CheckResult {
    let mut times: BTreeMap<Id, usize> = BTreeMap::new();
    for item in walk.items() {
        *times
            .entry(Id::from_json(&item["id"]).ok_or_else(|| Failure::learner("an item of the list has no id"))?)
            .or_default() += 1;
    }
    for one in made {
        let found = times.get(&one.id).copied().unwrap_or_default();
        if found != 1 {
            let failure =
                walk.pages[0].answer.failure(format!("following the links returns {} {found} times", one.path));
            let items: usize = walk.pages.iter().map(|page| page.items.len()).sum();
            return Err(failure.expected(format!("all {} of them, each exactly once", made.len())).actual(format!(
                "{} {found} times, among {items} items on {} pages",
                one.path,
                walk.pages.len()
            )));
        }
    }
    Ok(())
}
