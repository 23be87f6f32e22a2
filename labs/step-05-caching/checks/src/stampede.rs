//! Task 3: many who miss at once, and one who asks.

use std::future::IntoFuture as _;

use lab_kit::prelude::*;
use lab_postgres::{LabPostgres as _, Statement};
use tokio::time::sleep;

use crate::support::{Event, SidePath, cold_read, expect_hit, expect_items, insert_all};

/// How many ask at once.
const READERS: usize = 100;
/// How soon somebody else asks where the holder of a lease of a second has died. The rest is for a busy machine.
const TAKEN_OVER: Duration = Duration::from_secs(3);
/// How long a slow holder of a lease of five seconds is held up.
const HELD: Duration = Duration::from_secs(2);
/// How often.
const ROUNDS: usize = 3;

/// When a hot copy expires, everybody misses it at the same moment; if all of them then ask the database, it goes down
/// (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, §3.2.1: thundering herds).
#[check(title = "of 100 simultaneous readers, one asks the database", task = 3, points = 4, needs = ["hit"],
        hints = ["How many SQL statements does the transcript show?",
                 "Only the request that gets the lock asks; the others wait for the copy. `SET lock token NX PX …` gives it to one of them.",
                 "With a lock in the server's memory, each instance has its own: two queries.",
                 "After getting the lock, look for the copy once more: it may have been made between the miss and the lock."])]
async fn stampede(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let one = dearest_read(lab, &[&other, &app], Event::path).await?;
    let events: Vec<_> = (0..ROUNDS).map(|_| Event::random(lab)).collect();
    insert_all(lab, &events).await?;
    lab.postgres().await?.proxy().delay(Duration::from_millis(100));
    let mut statements = 0;
    for event in &events {
        let (answers, taken) = herd(lab, &app, &other, &event.path()).await?;
        statements += taken;
        for answer in answers {
            event.expect_shown(answer)?;
        }
    }
    expect_few(statements, one)
}

/// A list costs more than an event, and has more readers (Nishtala et al., NSDI 2013, §3.2.1: thundering herds).
#[check(title = "of 100 readers of a list, one asks the database", task = 3, points = 2, needs = ["stampede", "list_hit"],
        hints = ["Do lists take the same path as events in your code?"])]
async fn list_stampede(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let one = dearest_read(lab, &[&other, &app], Event::list).await?;
    let events: Vec<_> = (0..ROUNDS).map(|_| Event::random(lab)).collect();
    insert_all(lab, &events).await?;
    lab.postgres().await?.proxy().delay(Duration::from_millis(100));
    let mut statements = 0;
    for event in &events {
        let (answers, taken) = herd(lab, &app, &other, &event.list()).await?;
        statements += taken;
        for answer in answers {
            expect_items(answer, &[event])?;
        }
    }
    expect_few(statements, one)
}

/// If only its holder can release a lock, it is locked forever when the holder dies (Redis documentation, "Distributed
/// locks": liveness).
#[check(title = "a dead holder's lock expires", task = 3, points = 3, needs = ["hit"],
        hints = ["Who removes the lock when the process that took it is gone?",
                 "Use one command: `SET lock token NX PX $LOCK_TTL_MS`. Between `SETNX` and `EXPIRE` a process may die, too.",
                 "A request that has waited for LOCK_TTL_MS asks the database without the lock."])]
async fn lock_expires(lab: &Lab) -> CheckResult {
    let path = SidePath::new(lab).await?;
    let server = || lab.server().env("LOCK_TTL_MS", "1000");
    let mut doomed = server().env("DATABASE_URL", path.url()).start().await?;
    let other = server().start().await?;
    let (event, reader) = path.hold_last_answer(lab, &doomed).await?;
    doomed.kill().await?;
    reader.abort();
    event
        .expect_read(other.get(event.path()).within(TAKEN_OVER))
        .await
        .because("a request waits for a copy for at most LOCK_TTL_MS, which is 1000")?;
    lab.eventually("an answer comes from a copy", Duration::from_secs(10), || async {
        expect_hit(lab, other.get(event.path()), "the dead holder's lock has expired, so the next reader makes a copy")
            .await
    })
    .await?;
    expect_lease_lasts(lab, &path).await
}

/// A holder that is slow keeps its lease: others wait for it for as long as LOCK_TTL_MS says.
async fn expect_lease_lasts(lab: &Lab, path: &SidePath) -> CheckResult {
    path.release(lab);
    let server = || lab.server().env("LOCK_TTL_MS", "5000");
    let (slow, quick) = (server().env("DATABASE_URL", path.url()).start().await?, server().start().await?);
    let (event, holder) = path.hold_last_answer(lab, &slow).await?;
    let one = cold_read(lab, &quick, Event::path).await?.max(1);
    let db = lab.postgres().await?;
    let before = db.statements().len();
    let other = tokio::spawn(quick.get(event.path()).into_future());
    sleep(HELD).await;
    // Where the lease is a lock in Postgres, the second reader asks for it, and waits for this answer.
    let answered = |seen: &&Statement| seen.is_query() && !seen.answer.is_empty();
    if let Some(asked) = db.statements().iter().skip(before).filter(answered).nth(one - 1) {
        return Err(Failure::learner("a second reader asked Postgres while the first one still waited for its answer")
            .expected("it waits for the copy: the first one has been at it for less than LOCK_TTL_MS, which is 5000")
            .actual(asked.sql.clone())
            .hint("How long does your lease last, and where does that number come from?")
            .by_time());
    }
    path.release(lab);
    for reader in [holder, other] {
        // never fails alone: `stampede` asks the same of those who wait
        event.expect_shown(reader.await.ours("waiting for a reader")??)?;
    }
    Ok(())
}

/// How many statements a read without a copy takes. Each instance does one first: a driver's first connection may ask
/// Postgres questions of its own.
async fn dearest_read(lab: &Lab, apps: &[&App], path: fn(&Event) -> String) -> CheckResult<usize> {
    let mut one = 0;
    for app in apps {
        one = one.max(cold_read(lab, app, path).await?);
    }
    Ok(one)
}

/// Everybody at once, on both instances; gives their answers and how many statements they took.
async fn herd(lab: &Lab, app: &App, other: &App, path: &str) -> CheckResult<(Vec<Response>, usize)> {
    let requests = (0..READERS).map(|index| if index % 2 == 0 { app.get(path) } else { other.get(path) });
    let seen = lab.postgres().await?.record(lab.burst(requests)).await?;
    let statements = seen.statements.queries().len();
    Ok((seen.value, statements))
}

/// One question for each round, and one more: a reader may come just when the copy is made.
fn expect_few(statements: usize, one: usize) -> CheckResult {
    let most = one.max(1) * (ROUNDS + 1);
    if statements <= most {
        return Ok(());
    }
    Err(Failure::learner(format!(
        "{ROUNDS} times {READERS} simultaneous requests, on two instances, took {statements} SQL statements"
    ))
    .expected(format!("at most {most}: one read without a copy takes {one}"))
    .actual(format!("{statements} statements")))
}
