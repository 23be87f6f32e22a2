//! Task 4: the order of the list.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::events::read;
use crate::support::{BAD_INPUT, Id, Seed, insert_all, moment, page};

// A list is searched before it is read page by page.
lab_kit::file_order!["list", "search", "pages"];

/// Without ORDER BY, rows come in whatever order Postgres finds them (PostgreSQL manual, 7.5 Sorting Rows).
#[check(title = "the list is in the requested order", task = 4, points = 2, needs = ["read_event"],
        hints = ["What order is your list in without `sort`?", "`ORDER BY starts_at`, and in reverse `ORDER BY starts_at DESC`."])]
async fn list_sorted(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let seeds: Vec<_> = (0..12).map(|index| distinct(lab, index)).collect();
    let ids = insert_all(lab, &seeds).await?;
    let mut events: Vec<_> = ids.into_iter().zip(seeds).collect();
    events.sort_by_key(|(_, seed)| seed.starts_at);
    let by_time = ids_of(&events);
    events.sort_by_key(|(_, seed)| seed.price_cents);
    let by_price = ids_of(&events);
    let reversed = |ids: &[Id]| ids.iter().rev().cloned().collect::<Vec<_>>();
    let orders = [
        (None, by_time.clone()),
        (Some("starts_at"), by_time.clone()),
        (Some("-starts_at"), reversed(&by_time)),
        (Some("price_cents"), by_price.clone()),
        (Some("-price_cents"), reversed(&by_price)),
    ];
    for (sort, expected) in orders {
        let parameters: Vec<_> = sort.map(|sort| ("sort", sort)).into_iter().collect();
        let (found, _) = page(&app, &parameters, None).await?;
        expect_equal(&format!("the ids of GET /events with sort = {}", sort.unwrap_or("(none)")), &found, &expected)?;
    }
    // Some of its seats are sold, or `seats_left` would prove nothing.
    let sold = format!("update events set seats_sold = 3 where id = {}", by_time[0].sql());
    lab.postgres().await?.execute(&sold).await?;
    let single = read(&app, &format!("/events/{}", by_time[0])).await?.json()?;
    let first: Value = read(&app, "/events").await?.at("/items/0")?;
    for member in ["id", "title", "starts_at", "seats", "seats_left", "price_cents"] {
        expect_equal(
            &format!("`{member}` of an event in the list, compared with GET /events/{{id}}"),
            &first[member],
            &single[member],
        )?;
    }
    Ok(())
}

/// A column name cannot be bound, so only names from your own list may become SQL (OWASP, SQL Injection Prevention
/// Cheat Sheet, Defense Option 3: Allow-list Input Validation).
#[check(title = "an unknown sort, and a limit out of range, are refused", task = 4, points = 1, needs = ["list_sorted"],
        hints = ["What happens to `sort=title` in your statement?",
                 "Use an enum with the four values: the parameter is either converted to it or refused."])]
async fn unknown_sort(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    Seed::random(lab).insert(lab).await?;
    for sort in
        ["title", "-title", "id", "price_cents;select", "starts_at, (select 1)", "starts_at desc", "1", "--price_cents"]
    {
        app.get("/events").query("sort", sort).await?.expect_status_in(&BAD_INPUT)?;
    }
    for (name, value) in [("limit", "0"), ("limit", "101"), ("limit", "many"), ("q", "a\u{0}b")] {
        app.get("/events").query(name, value).await?.expect_status_in(&BAD_INPUT)?;
    }
    for limit in ["1", "100"] {
        let answer = app.get("/events").query("limit", limit).await?.expect_status(200);
        answer.because("a limit of 1 to 100 is right")?;
    }
    Ok(())
}

/// An event whose time and price differ from those of every other index.
fn distinct(lab: &Lab, index: i64) -> Seed {
    let seed = Seed::random(lab);
    let starts_at = moment(lab) + Duration::from_millis(index.unsigned_abs());
    let price_cents = lab.number(0, 9_000) * 100 + index;
    seed.starts_at(starts_at).price_cents(price_cents)
}

fn ids_of(events: &[(Id, Seed)]) -> Vec<Id> {
    events.iter().map(|(id, _)| id.clone()).collect()
}
