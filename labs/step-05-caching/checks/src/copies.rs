//! Task 1: copies are made and read.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{Event, distinct, expect_hit, expect_items, insert_all, read, warm};

/// A cache changes how fast a response is, never what it says (RFC 9110 §9.3.4, §9.3.5).
#[check(title = "events are written, read and deleted", task = 1, points = 2,
        hints = ["Send the README's PUT by hand and look at the table.",
                 "Is every member of the event also in its copy?"])]
async fn events(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (event, first, doomed) = (Event::random(lab), Event::random(lab), Event::random(lab));
    for new in [&event, &first, &doomed] {
        new.expect_in(new.put(&app).await?.expect_status(201)?)?;
    }
    for _ in 0..2 {
        event.expect_read(app.get(event.path())).await?;
    }
    // Nobody has read this one, so nothing is to be cleared when it changes.
    let changed = Event { id: first.id, ..Event::random(lab) };
    changed.expect_in(changed.put(&app).await?.expect_status(200)?)?;
    changed.expect_read(app.get(changed.path())).await?;
    app.get(Event::random(lab).path()).await?.expect_status(404)?;
    app.delete(doomed.path()).await?.expect_status_in(&[200, 204])?;
    app.get(doomed.path()).await?.expect_status(404)?;
    app.delete(Event::random(lab).path()).await?.expect_status(404)?;
    let sql = "select id::text, title::text, category::text, seats::bigint, price_cents::bigint from events order by 1";
    let rows: Vec<(String, String, String, i64, i64)> = lab.postgres().await?.rows(sql).await?;
    let mut wanted = [event, changed].map(|event| {
        let Event { id, title, category, seats, price_cents, .. } = event;
        (id.to_string(), title, category, seats, price_cents)
    });
    wanted.sort();
    expect_equal("the rows in `events`", &rows, &wanted.to_vec())?;
    expect_ends_of_ranges(lab, &app).await
}

/// Writes and reads events whose members are as long and as large as may be, and as short and small.
async fn expect_ends_of_ranges(lab: &Lab, app: &App) -> CheckResult {
    // A letter of two bytes and one of three.
    let text =
        |letter: char, length| lab.word().chars().chain(std::iter::repeat(letter)).take(length).collect::<String>();
    let random = Event::random(lab);
    let most =
        Event { title: text('é', 200), category: text('響', 40), seats: 100_000, price_cents: 10_000_000, ..random };
    let least = Event { title: "é".into(), category: "響".into(), seats: 1, price_cents: 0, ..Event::random(lab) };
    for event in [most, least] {
        let answer = event.put(app).await?.expect_status(201);
        let answer = answer
            .because("every member is within its range")
            .hint("How long is `é`: in characters, and in the bytes of UTF-8? And which numbers may each member be?")?;
        // never fails alone: it fails for an event of any other size, too
        event.expect_in(answer)?;
        // never fails alone: the answer to the PUT shows the same row
        event.expect_read(app.get(event.path())).await?;
        let list = app.get("/events").query("category", &event.category).await?;
        expect_items(list, &[&event]).because("the category is within its range")?;
    }
    Ok(())
}

/// Everything that a response depends on belongs in its key (RFC 9111 §2: the cache key is the whole target URI).
#[check(title = "lists with different parameters are different", task = 1, points = 2, needs = ["events"],
        hints = ["Which parameters does your list depend on, and which of them are in its copy's key?",
                 "`category`, `sort` and `limit`. Put text chosen by the client last, so that it cannot be mistaken for another part."])]
async fn lists(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (one, two) = (lab.word(), lab.word());
    // More than any list may have.
    let mut events = distinct(lab, 54);
    for (index, event) in events.iter_mut().enumerate() {
        event.category = if index % 3 == 0 { one.clone() } else { two.clone() };
    }
    insert_all(lab, &events).await?;
    for _ in 0..2 {
        let (mut requests, mut lists) = (Vec::new(), Vec::new());
        for category in [None, Some(&one), Some(&two)] {
            for sort in [None, Some("starts_at"), Some("price_cents")] {
                for limit in [None, Some(1), Some(3), Some(50)] {
                    let mut request = app.get("/events");
                    request = category.iter().fold(request, |request, category| request.query("category", category));
                    request = sort.iter().fold(request, |request, sort| request.query("sort", sort));
                    request = limit.iter().fold(request, |request, limit| request.query("limit", limit));
                    requests.push(request);
                    lists.push(expected(&events, category, sort, limit.unwrap_or(20)));
                }
            }
        }
        for (answer, wanted) in lab.burst(requests).await?.into_iter().zip(lists) {
            expect_items(answer, &wanted)?;
        }
    }
    expect_keys_apart(lab, &app, &one).await
}

/// Asks for lists in pairs that a key made of joined parts, or with a word for "no category", takes for one another.
async fn expect_keys_apart(lab: &Lab, app: &App, category: &str) -> CheckResult {
    let mut pairs: Vec<(Request, String)> = Vec::new();
    for word in ["all", "any", "none", "None", "null", "*", "-", "_", "events", "list", "starts_at", "20"] {
        pairs.push((app.get("/events"), word.to_owned()));
    }
    for joint in [":", "|", "/", "-", "_", ".", ",", "&sort=", "&"] {
        let by_price = app.get("/events").query("category", category).query("sort", "price_cents");
        pairs.push((by_price, format!("{category}{joint}price_cents")));
        let three = app.get("/events").query("category", category).query("limit", "3");
        pairs.push((three, format!("{category}{joint}3")));
        let all_by_price = app.get("/events").query("sort", "price_cents");
        pairs.push((all_by_price, format!("{joint}price_cents")));
    }
    let mut capital = category.to_owned();
    capital[..1].make_ascii_uppercase();
    for like in [capital, category.to_uppercase(), format!(" {category}"), format!("{category} ")] {
        pairs.push((app.get("/events").query("category", category), like));
    }
    for (first, other) in pairs {
        // never fails alone: the lists above were asked for in the same ways
        first.await?.expect_status(200)?;
        let answer = app.get("/events").query("category", &other).await?;
        expect_items(answer, &[])
            .because(&format!("no event has the category {other:?}"))
            .hint("Which keys do these two lists have in your cache, letter by letter?")?;
    }
    lab.note("categories that look like a part of a key have lists of their own");
    Ok(())
}

/// This is what makes a cache worth the trouble: a question that was answered is not asked again (Nishtala et al.,
/// "Scaling Memcache at Facebook", NSDI 2013, §2).
#[check(title = "the second read of an event asks Redis and not Postgres", task = 1, points = 3, needs = ["events"],
        hints = ["Which SQL statements and Redis commands does the transcript show for the second GET?",
                 "Cache-aside: look in Redis; on a miss, ask Postgres and `SET` a copy with an expiry.",
                 "A copy in the server's memory does not help the other instance."])]
async fn hit(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let event = Event::random(lab);
    event.insert(lab).await?;
    let (answer, statements) = read(lab, app.get(event.path())).await?;
    // never fails alone: `events` asks the same of a GET
    event.expect_shown(answer)?;
    // never fails alone: whoever finds it in another way asks Postgres all the time, also during the hits below
    expect_that(statements > 0, "the first read of an event did not ask Postgres")
        .hint("Nobody has read this event before. Where did your server find it?")?;
    warm(lab, app.get(event.path())).await?;
    for reader in [&app, &other, &app, &other] {
        let answer =
            expect_hit(lab, reader.get(event.path()), "the event was read before, on one instance or the other")
                .await?;
        event.expect_shown(answer)?;
    }
    Ok(())
}

/// Lists cost the database more than single rows, and are requested more often (Nishtala et al., "Scaling Memcache at
/// Facebook", NSDI 2013, §2).
#[check(title = "the second read of a list asks Redis and not Postgres", task = 1, points = 3, needs = ["lists", "hit"],
        hints = ["Is the list itself cached, or only the events on it?"])]
async fn list_hit(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let mut events = distinct(lab, 3);
    insert_all(lab, &events).await?;
    events.sort_by_key(|event| event.starts_at);
    let wanted: Vec<_> = events.iter().collect();
    expect_items(warm(lab, app.get("/events")).await?, &wanted)?;
    expect_items(warm(lab, app.get(events[1].list())).await?, &wanted[1..2])?;
    let why = "the list was read before";
    for (path, wanted) in [("/events".to_owned(), &wanted[..]), (events[1].list(), &wanted[1..2])] {
        let answer = expect_hit(lab, other.get(path), why).await?;
        // never fails alone: the copy is the one that the first instance has shown
        expect_items(answer, wanted)?;
    }
    Ok(())
}

/// Nobody must be able to keep the database busy by requesting things that do not exist (OWASP API Security 2023, API4
/// Unrestricted Resource Consumption).
#[check(title = "a 404 is cached, too", task = 1, points = 2, needs = ["list_hit"],
        hints = ["What does your cache hold after a 404?",
                 "Store a value that says \"nothing\", and distinguish it from having no copy. The same goes for an empty list."])]
async fn miss_cached(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let nobody = Event::random(lab);
    // never fails alone: `events` asks the same of a GET
    app.get(nobody.path()).await?.expect_status(404)?;
    let why = "Postgres has already said that there is no such event";
    for answer in [warm(lab, app.get(nobody.path())).await?, expect_hit(lab, other.get(nobody.path()), why).await?] {
        answer.expect_status(404)?;
    }
    expect_items(
        warm(lab, app.get(nobody.list()))
            .await
            .hint("How does your server tell the copy of an empty list from no copy at all?")?,
        &[],
    )?;
    Ok(())
}

fn expected<'a>(events: &'a [Event], category: Option<&String>, sort: Option<&str>, limit: usize) -> Vec<&'a Event> {
    let mut wanted: Vec<_> =
        events.iter().filter(|event| category.is_none_or(|category| event.category == *category)).collect();
    match sort {
        Some("price_cents") => wanted.sort_by_key(|event| event.price_cents),
        _ => wanted.sort_by_key(|event| event.starts_at),
    }
    wanted.truncate(limit);
    wanted
}
