//! Task 4: many keys with one request.

use lab_kit::prelude::*;
use lab_redis::LabRedis as _;

use crate::support::{Event, distinct, expect_hit, expect_items, insert_all, read, warm};

/// A response assembled from copies must be the same as one from Postgres (Redis documentation, `MGET`: nil for every
/// key that does not exist).
#[check(title = "events requested by id come in order, with and without copies", task = 4, points = 2, needs = ["miss_cached"],
        hints = ["Which of the ids have a copy? Ask Postgres only for the others, and put all of them in the order of the ids.",
                 "A copy that says \"no such event\" is a hit, too."])]
async fn many(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let events = distinct(lab, 8);
    insert_all(lab, &events[..7]).await?;
    let order = [&events[4], &events[0], &events[7], &events[6], &events[2]];
    let there = [&events[4], &events[0], &events[6], &events[2]];
    // Some have copies …
    warm(lab, app.get(events[0].path())).await?;
    warm(lab, app.get(events[2].path())).await?;
    expect_items(app.get(path(&order)).await?, &there)?;
    // … and now all.
    expect_items(warm(lab, app.get(path(&order))).await?, &there)?;
    let mut reversed = order;
    reversed.reverse();
    let mut wanted = there;
    wanted.reverse();
    for (reader, asked, wanted) in [(&other, &order, &there), (&app, &reversed, &wanted)] {
        let answer = expect_hit(lab, reader.get(path(asked)), "all of these were read before").await?;
        expect_items(answer, wanted)?;
    }
    expect_items(app.get(path(&[&events[1]])).await?, &[&events[1]])?;
    let events = distinct(lab, 50);
    insert_all(lab, &events).await?;
    let most: Vec<_> = events.iter().collect();
    expect_items(app.get(path(&most)).await?, &most).because("a request may ask for 50 ids")?;
    // never fails alone: fewer ids were asked of the same copies before
    expect_items(warm(lab, app.get(path(&most))).await?, &most)?;
    Ok(())
}

/// Most of a command's time is the round trip (Redis documentation, "Pipelining").
#[check(title = "many copies are read in one round trip", task = 4, points = 2, needs = ["many"],
        hints = ["How many round trips to Redis do 40 ids take?", "Use `MGET`, or a pipeline: send all commands, then read all replies."])]
async fn many_round_trips(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let events = distinct(lab, 40);
    insert_all(lab, &events).await?;
    let all: Vec<_> = events.iter().collect();
    // never fails alone: `many` asks the same of fewer ids
    expect_items(warm(lab, app.get(path(&all))).await?, &all)?;
    warm(lab, app.get(path(&all[..1]))).await?;
    // Late enough that round trips are nearly all of the time, on any machine.
    lab.redis().await?.proxy().delay(Duration::from_millis(20));
    let one = quickest(&app, &all[..1]).await?;
    let forty = quickest(&app, &all).await?;
    if forty <= one * 8 {
        return Ok(());
    }
    Err(Failure::learner(format!(
        "one id takes {one:.0?}, 40 ids take {forty:.0?}, when each of Redis's answers is delayed by 20 ms"
    ))
    .expected(format!("at most 8 times as long as one: {:.0?}", one * 8))
    .actual(format!("{:.0} times as long", forty.as_secs_f64() / one.as_secs_f64())))
}

/// One statement for each row is a mistake that a cache only hides (OWASP API Security 2023, API4).
#[check(title = "events without copies are read with one statement", task = 4, points = 2, needs = ["many"],
        hints = ["`WHERE id = ANY ($1)` reads any number of rows."])]
async fn many_statements(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let events = distinct(lab, 30);
    insert_all(lab, &events).await?;
    let all: Vec<_> = events.iter().collect();
    let (answer, statements) = read(lab, app.get(path(&all))).await?;
    // never fails alone: `many` asks the same of fewer ids
    let answer = expect_items(answer, &all)?;
    if (1..=3).contains(&statements) {
        return Ok(());
    }
    Err(answer
        .failure(format!("30 ids without copies took {statements} SQL statements"))
        .expected("1 to 3 statements")
        .actual(format!("{statements} statements")))
}

fn path(events: &[&Event]) -> String {
    let ids: Vec<_> = events.iter().map(|event| event.id.to_string()).collect();
    format!("/events?ids={}", ids.join(","))
}

/// The quickest of three: noise only ever makes an answer later.
async fn quickest(app: &App, events: &[&Event]) -> CheckResult<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        // never fails alone: the same ids were read before, and `many` asks the same
        best = best.min(expect_items(app.get(path(events)).await?, events)?.elapsed());
    }
    Ok(best)
}
