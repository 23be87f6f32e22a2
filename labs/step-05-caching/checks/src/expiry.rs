//! Task 1: copies end.

use lab_kit::prelude::*;
use lab_redis::LabRedis as _;
use tokio::time::{Instant, sleep};

use crate::support::{Event, KEPT, distinct, every_kind, expect_hit, expect_items, insert_all, warm};

/// How often a copy is looked at that may have ended meanwhile.
const TRIES: usize = 5;

/// When a list is asked for again, of which a copy lives for ten seconds at the least.
const LIVES: Duration = Duration::from_secs(8);
/// Until when that copy is there for certain.
const STILL_LIVES: Duration = Duration::from_millis(9_500);

/// Why a copy should be gone.
const OVER: &str = "CACHE_TTL_SECONDS is 2, and the row was changed with SQL: the copy of before should have expired";

/// An expiry bounds how long any mistake in clearing can last (Redis documentation, `EXPIRE`).
#[check(title = "a copy is used until it expires, and no longer", task = 1, points = 2, needs = ["hit", "list_hit"],
        hints = ["How long is your copy kept when CACHE_TTL_SECONDS is 2?",
                 "`SET key value EX seconds`. Reading a copy does not extend its life."])]
async fn copies_expire(lab: &Lab) -> CheckResult {
    let app = lab.server().env("CACHE_TTL_SECONDS", "2").start().await?;
    let new = unseen_change(lab, &app).await?;
    lab.eventually("the event is read as it is in Postgres", Duration::from_secs(10), || async {
        new.expect_read(app.get(new.path())).await
    })
    .await
    .because(OVER)?;
    lab.eventually("the list is read as it is in Postgres", Duration::from_secs(10), || async {
        expect_items(app.get(new.list()).await?, &[&new])
    })
    .await
    .because(OVER)?;
    expect_list_lives(lab).await
}

/// A list is kept for as long as an event: for half of CACHE_TTL_SECONDS at the least.
async fn expect_list_lives(lab: &Lab) -> CheckResult {
    let app = lab.server().env("CACHE_TTL_SECONDS", "20").start().await?;
    let event = Event::random(lab);
    event.insert(lab).await?;
    let began = Instant::now();
    warm(lab, app.get(event.list())).await?;
    sleep(LIVES).await;
    let why = "CACHE_TTL_SECONDS is 20, and the list was read 8 seconds ago";
    let hit = expect_hit(lab, app.get(event.list()), why).await;
    if began.elapsed() > STILL_LIVES {
        lab.note("the list was asked for too late to be checked: its copy may have expired");
        return Ok(());
    }
    hit.hint("How long do lists live in your cache, and events?")?;
    Ok(())
}

/// Without an expiry, data that nobody requests any more fills up memory, and a copy that was never cleared stays wrong
/// forever (Redis documentation, "Key eviction").
#[check(title = "every key has a time to live", task = 1, points = 3, needs = ["hit"],
        hints = ["`redis-cli -u \"$REDIS_URL\" --scan`, then `TTL` of each key: -1 means forever.",
                 "Set the expiry in the same command as the value. `INCR` sets none, and `SET` without EX removes one."])]
async fn keys_expire(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    every_kind(lab, &app).await?;
    let cache = lab.redis().await?;
    let keys = cache.keys().await?;
    // never fails alone: `hit` fails a server that keeps no copies
    expect_that(!keys.is_empty(), "Redis holds no key at all")?;
    let mut endless = Vec::new();
    for key in keys {
        if cache.ttl(&key).await?.is_none() {
            endless.push(key);
        }
    }
    if endless.is_empty() {
        return Ok(());
    }
    Err(Failure::learner(format!("{} keys never expire, such as `{}`", endless.len(), endless[0]))
        .expected("a time to live on every key")
        .actual(endless.join("\n"))
        .reproduce(format!("redis-cli -u \"$REDIS_URL\" TTL '{}'", endless[0])))
}

/// Copies that are made together and expire together send all of their readers to the database together (Vattani et
/// al., "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015, §1).
#[check(title = "copies made together expire at different times", task = 1, points = 2, needs = ["keys_expire"],
        hints = ["After a restart, all copies are made within a minute. When do they expire?",
                 "Choose each copy's time to live at random, spread over a tenth of CACHE_TTL_SECONDS or more."])]
async fn jitter(lab: &Lab) -> CheckResult {
    const EVENTS: usize = 40;
    let app = lab.server().env("CACHE_TTL_SECONDS", "1000").start().await?;
    let events = distinct(lab, EVENTS);
    insert_all(lab, &events).await?;
    let began = Instant::now();
    for answer in lab.burst(events.iter().map(|event| app.get(event.path()))).await? {
        // never fails alone: `events` asks the same of a GET
        answer.expect_status(200)?;
    }
    let kept = || async {
        let ends = ends(lab, began).await?;
        if ends.len() >= EVENTS {
            return Ok(ends);
        }
        Err(Failure::learner(format!("{} keys live for 500 to 1,500 seconds", ends.len()))
            .expected(format!("a separate key for each of the {EVENTS} events"))
            .actual(format!("{} such keys", ends.len())))
    };
    let mut ends = lab.eventually(&format!("the {EVENTS} events that were read have copies"), KEPT, kept).await?;
    // Expiries may be whole seconds.
    let together = began.elapsed() + Duration::from_secs(2);
    // There may be other keys beside the copies, such as versions, and they may end together.
    ends.sort();
    let mut apart: Vec<Duration> = Vec::new();
    for end in &ends {
        if apart.iter().filter(|other| **other + together >= *end).count() < EVENTS / 2 - 1 {
            apart.push(*end);
        }
    }
    if apart.len() >= EVENTS {
        return Ok(());
    }
    let (first, last) = (ends[0].as_secs_f64(), ends[ends.len() - 1].as_secs_f64());
    Err(Failure::learner(format!("too many copies expire within {:.1} s of each other", together.as_secs_f64()))
        .expected("expiry times spread over 100 seconds or more")
        .actual(format!(
            "{} keys, of which the first expires after {first:.1} s and the last after {last:.1} s",
            ends.len()
        )))
}

/// When the keys end that may be copies, counted from `began`.
async fn ends(lab: &Lab, began: Instant) -> CheckResult<Vec<Duration>> {
    let cache = lab.redis().await?;
    let mut ends = Vec::new();
    for key in cache.keys().await? {
        let now = began.elapsed();
        match cache.ttl(&key).await? {
            Some(ttl) if (450..=1_550).contains(&ttl.as_secs()) => ends.push(now + ttl),
            _ => {}
        }
    }
    Ok(ends)
}

/// Reads an event and its list, changes the row by SQL, and sees that both are still read from their copies. Gives
/// the event as it is now.
async fn unseen_change(lab: &Lab, app: &App) -> CheckResult<Event> {
    // A copy may end after a second, and a busy machine may stop us for longer than that.
    let mut last = None;
    for _ in 0..TRIES {
        let old = Event::random(lab);
        let new = old.changed(lab);
        old.insert(lab).await?;
        let began = Instant::now();
        // never fails alone: `hit` asks the same
        old.expect_in(warm(lab, app.get(old.path())).await?)?;
        // never fails alone: `list_hit` asks the same
        expect_items(warm(lab, app.get(old.list())).await?, &[&old])?;
        new.overwrite(lab).await?;
        let seen = (app.get(old.path()).await?, app.get(old.list()).await?);
        if began.elapsed() > Duration::from_millis(900) {
            last = Some(new);
            continue;
        }
        let why = "its copy is less than a second old, and a change made with SQL does not clear it";
        // never fails alone: `hit` fails a server that reads no copies
        old.expect_shown(seen.0).because(why)?;
        // never fails alone: `list_hit` fails a server that reads no copies
        expect_items(seen.1, &[&old]).because(why)?;
        return Ok(new);
    }
    // Copies may come two seconds after the answer, and then nobody can tell a copy from its end.
    lab.note("the copies were made too late to be checked before they may expire");
    last.ok_or_else(|| Failure::Ours("no event was changed".into()))
}
