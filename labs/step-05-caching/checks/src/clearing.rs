//! Task 2: a write clears every copy that it makes wrong.

use lab_kit::prelude::*;

use crate::support::{Event, distinct, expect_items, insert_all, warm};

/// A client that was told a change is made must not see the old data, whichever instance it reaches (Nishtala et al.,
/// "Scaling Memcache at Facebook", NSDI 2013, §3).
#[check(title = "a write clears the event", task = 2, points = 3, needs = ["hit"],
        hints = ["What happens to the copy when the event is changed?", "Delete it (`DEL`) when the change is committed."])]
async fn write_clears_event(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let mut event = Event::random(lab);
    // never fails alone: `events` asks the same of a PUT
    event.put(&app).await?.expect_status(201)?;
    for writer in [&app, &other, &app] {
        warm(lab, app.get(event.path())).await?;
        app.get(format!("/events?ids={}", event.id)).await?;
        event = event.changed(lab);
        event.change(writer).await?;
        for reader in [&other, &app] {
            event
                .expect_read(reader.get(event.path()))
                .await
                .because("the PUT had its response before this GET was sent")?;
            expect_items(reader.get(format!("/events?ids={}", event.id)).await?, &[&event])?;
        }
    }
    Ok(())
}

/// An event is on many lists, and a change may put it on others (Nishtala et al., NSDI 2013, §3).
#[check(title = "a write clears every list", task = 2, points = 3, needs = ["list_hit", "write_clears_event"],
        hints = ["Which lists was the event on, and which will it be on?",
                 "The list of all events, the old category's, the new category's, each in every order and length.",
                 "You need not know them all: make a number or random text part of every list's key, and change it."])]
async fn write_clears_lists(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let (jazz, rock) = (lab.word(), lab.word());
    let all = distinct(lab, 5);
    let mut shown: Vec<Event> = all[..3].iter().map(|event| event.clone().with_category(&jazz)).collect();
    insert_all(lab, &shown).await?;
    // never fails alone: `lists` and `list_hit` ask the same
    expect_lists(lab, &[&app], &shown, &jazz, &rock, true).await?;
    // A new event …
    let new = all[3].clone().with_category(&jazz);
    // never fails alone: `events` asks the same of a PUT
    new.put(&app).await?.expect_status(201)?;
    shown.push(new);
    expect_lists(lab, &[&other, &app], &shown, &jazz, &rock, false).await?;
    // never fails alone: the same lists were looked at just before
    expect_lists(lab, &[&app], &shown, &jazz, &rock, true).await?;
    // … and one that moves to another category, another day and another price.
    let moved = Event { id: shown[1].id, ..all[4].clone().with_category(&rock) };
    moved.change(&other).await?;
    shown[1] = moved;
    expect_lists(lab, &[&app, &other], &shown, &jazz, &rock, false).await
}

/// Whatever is deleted is gone everywhere (RFC 9110 §9.3.5).
#[check(title = "a DELETE clears the event and its lists", task = 2, points = 2, needs = ["write_clears_lists"],
        hints = ["Does DELETE clear what PUT clears?"])]
async fn delete_clears(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let event = Event::random(lab);
    // never fails alone: `events` asks the same of a PUT
    event.put(&app).await?.expect_status(201)?;
    warm(lab, app.get(event.path())).await?;
    warm(lab, app.get("/events")).await?;
    warm(lab, app.get(event.list())).await?;
    // never fails alone: `events` asks the same of a DELETE
    app.delete(event.path()).await?.expect_status_in(&[200, 204])?;
    for reader in [&other, &app] {
        reader.get(event.path()).await?.expect_status(404).because("the event was removed before this GET was sent")?;
        expect_items(reader.get("/events").await?, &[])?;
        expect_items(reader.get(event.list()).await?, &[])?;
    }
    Ok(())
}

/// "There is no such event" is a copy like any other, and wrong as soon as there is one (RFC 2308 §1 has the same in
/// DNS: negative caching).
#[check(title = "a new event replaces a cached 404", task = 2, points = 3, needs = ["miss_cached", "write_clears_event"],
        hints = ["What does the cache hold for the id after a 404, and what updates it when that changes?"])]
async fn creation_clears_miss(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let event = Event::random(lab);
    // never fails alone: `miss_cached` asks the same
    warm(lab, other.get(event.path())).await?.expect_status(404)?;
    // never fails alone: `miss_cached` asks the same
    expect_items(warm(lab, other.get(event.list())).await?, &[])?;
    // never fails alone: `many` asks the same of an id that no event has
    expect_items(other.get(format!("/events?ids={}", event.id)).await?, &[])?;
    // never fails alone: `events` asks the same of a PUT
    event.put(&app).await?.expect_status(201)?;
    for reader in [&other, &app] {
        event.expect_read(reader.get(event.path())).await.because("the event was created before this GET was sent")?;
        expect_items(reader.get(event.list()).await?, &[&event])?;
        expect_items(reader.get(format!("/events?ids={}", event.id)).await?, &[&event])?;
    }
    // never fails alone: `events` asks the same of a DELETE
    app.delete(event.path()).await?.expect_status_in(&[200, 204])?;
    // never fails alone: `delete_clears` asks the same
    warm(lab, other.get(event.path())).await?.expect_status(404)?;
    // never fails alone: `events` asks the same of a PUT
    event.put(&other).await?.expect_status(201)?;
    event.expect_read(app.get(event.path())).await?;
    Ok(())
}

/// Looks at lists of many kinds; with `warmed`, until copies answer.
async fn expect_lists(
    lab: &Lab,
    readers: &[&App],
    events: &[Event],
    jazz: &str,
    rock: &str,
    warmed: bool,
) -> CheckResult {
    let mut by_time: Vec<_> = events.iter().collect();
    by_time.sort_by_key(|event| event.starts_at);
    let mut by_price = by_time.clone();
    by_price.sort_by_key(|event| event.price_cents);
    let of = |list: &[&Event], category: &str| -> Vec<Event> {
        list.iter().filter(|event| event.category == category).map(|event| (*event).clone()).collect()
    };
    let lists: Vec<(String, Vec<Event>)> = vec![
        ("/events".into(), by_time.iter().map(|event| (*event).clone()).collect()),
        ("/events?limit=2".into(), by_time.iter().take(2).map(|event| (*event).clone()).collect()),
        ("/events?sort=price_cents".into(), by_price.iter().map(|event| (*event).clone()).collect()),
        (format!("/events?category={jazz}"), of(&by_time, jazz)),
        (format!("/events?category={jazz}&sort=price_cents&limit=9"), of(&by_price, jazz)),
        (format!("/events?category={rock}"), of(&by_time, rock)),
    ];
    for reader in readers {
        for (path, wanted) in &lists {
            let wanted: Vec<_> = wanted.iter().collect();
            let answer = if warmed { warm(lab, reader.get(path)).await? } else { reader.get(path).await? };
            expect_items(answer, &wanted).because("the list was requested after the write had its response")?;
        }
    }
    Ok(())
}
