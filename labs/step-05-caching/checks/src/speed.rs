//! Task 8: what the cache is for.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;
use lab_redis::LabRedis as _;

use crate::support::{Event, distinct, expect_items, insert_all, warm};

/// How late the answers of both services come: far more than a server computes, so that what counts is how often it
/// waits, and how many can wait at once.
const LATE: Duration = Duration::from_millis(15);
/// How many connections to Postgres an instance may have.
const CONNECTIONS: i64 = 2;
/// How many ask at once.
const READERS: usize = 40;
/// Noise makes single rounds slow, never all of them; a cache that is no gain shows in every one.
const ROUNDS: usize = 5;

/// A cache that is slower than what it sits in front of is worse than none: measure both, under the same load (Gregg,
/// "Systems Performance", 2nd edition, 2.5 Methodology: workload characterisation).
#[check(title = "with copies, a burst is answered faster", task = 8, points = 3, needs = ["hit", "list_hit"], alone,
        hints = ["How many times does a hit wait for Redis, and what else does it wait for?",
                 "One connection may carry the commands of many requests at once; a lock around it makes them wait in line.",
                 "A new connection for every command has to wait for its handshake first."])]
async fn warm_is_faster(lab: &Lab) -> CheckResult {
    let server = || lab.server().env("DATABASE_MAX_CONNECTIONS", &CONNECTIONS.to_string());
    let (with, without) = (server().start().await?, server().env("CACHE_TTL_SECONDS", "0").start().await?);
    let events = distinct(lab, 10);
    insert_all(lab, &events).await?;
    for path in paths(&events) {
        warm(lab, with.get(&path)).await?;
    }
    expect_no_copies(lab, &without).await?;
    lab.postgres().await?.proxy().delay(LATE);
    lab.redis().await?.proxy().delay(LATE);
    // Connections are opened and statements prepared.
    burst(lab, &without, &events).await?;
    burst(lab, &with, &events).await?;
    let open = lab.postgres().await?.sessions().await?;
    expect_that(open <= 2 * CONNECTIONS, format!("two instances have {open} connections to Postgres"))
        .because("DATABASE_MAX_CONNECTIONS is 2 for each of them")
        .hint("How many connections does your pool open, and where does that number come from?")?;
    let mut told = String::new();
    for _ in 0..ROUNDS {
        let plain = burst(lab, &without, &events).await?;
        let cached = burst(lab, &with, &events).await?;
        if is_sooner(cached.0, plain.0) && is_sooner(cached.1, plain.1) {
            return Ok(());
        }
        told.push_str(&format!(
            "with copies: median {:.0?}, 99 % {:.0?}; without: {:.0?}, {:.0?}\n",
            cached.0, cached.1, plain.0, plain.1
        ));
    }
    Err(Failure::learner(format!("{READERS} simultaneous requests are not answered faster with copies than without"))
        .expected("median and 99th percentile at most three quarters of those without copies, in one of five rounds")
        .actual(told.trim_end()))
}

/// The baseline is one only if it is read from Postgres each time.
async fn expect_no_copies(lab: &Lab, app: &App) -> CheckResult {
    let old = Event::random(lab);
    let new = old.changed(lab);
    old.insert(lab).await?;
    let ids = format!("/events?ids={}", old.id);
    old.expect_read(app.get(old.path())).await?;
    expect_items(app.get(old.list()).await?, &[&old])?;
    expect_items(app.get(&ids).await?, &[&old])?;
    new.overwrite(lab).await?;
    let why = "with CACHE_TTL_SECONDS=0 no copies are made or read, and the row was changed before this GET was sent";
    new.expect_read(app.get(new.path())).await.because(why)?;
    expect_items(app.get(new.list()).await?, &[&new]).because(why)?;
    expect_items(app.get(&ids).await?, &[&new]).because(why)?;
    Ok(())
}

fn is_sooner(cached: Duration, plain: Duration) -> bool {
    cached * 4 <= plain * 3
}

fn paths(events: &[Event]) -> Vec<String> {
    events.iter().flat_map(|event| [event.path(), event.list()]).collect()
}

/// The median and the 99th percentile of one burst.
async fn burst(lab: &Lab, app: &App, events: &[Event]) -> CheckResult<(Duration, Duration)> {
    let paths = paths(events);
    let answers = lab.burst((0..READERS).map(|index| app.get(&paths[index % paths.len()]))).await?;
    let mut times = Vec::new();
    for answer in answers {
        // never fails alone: `events`, `lists` and `many` ask the same
        times.push(answer.expect_status(200)?.elapsed());
    }
    let of = |percent| lab_kit::percentile(&times, percent).unwrap_or_default();
    Ok((of(50), of(99)))
}
