//! Task 7: Redis is away.

use lab_kit::ServerBuilder;
use lab_kit::prelude::*;
use lab_redis::LabRedis as _;

use crate::support::{Customer, Event, attempt, expect_hit, expect_items, warm};

/// How long a request may take while Redis answers nothing: a few waits of REDIS_TIMEOUT_MS (250) and much patience
/// for a busy machine; a server that waits for Redis waits for longer.
const QUICK: Duration = Duration::from_secs(5);
/// How long the quickest of some requests may take then: a few waits of REDIS_TIMEOUT_MS, one after the other.
const SOON: Duration = Duration::from_secs(2);
/// How late the answers of a slow Redis are, which is less than a third of the REDIS_TIMEOUT_MS there.
const SLOW: Duration = Duration::from_secs(2);
/// How soon Redis is used again.
const BACK: Duration = Duration::from_secs(10);

/// A cache makes things faster; without it they are slower, but they still work (Redis documentation, "Redis clients
/// handling": error handling and graceful degradation).
#[check(title = "without Redis, events are still read and written", task = 7, points = 3, needs = ["write_clears_lists", "session"],
        hints = ["What does your server do with an error from Redis when Postgres could have answered?",
                 "Log it and continue as after a miss. If a copy cannot be stored, do without it.",
                 "Nobody can know who is logged in: 503. A 401 would say that nobody is."])]
async fn redis_cut(lab: &Lab) -> CheckResult {
    // Some clients wait for a connection as long as they may, with every command.
    let app = lab.server().env("REDIS_TIMEOUT_MS", "500").start().await?;
    let (event, doomed) = (Event::random(lab), Event::random(lab));
    for event in [&event, &doomed] {
        // never fails alone: `events` asks the same of a PUT
        event.put(&app).await?.expect_status(201)?;
        warm(lab, app.get(event.path())).await?;
        warm(lab, app.get(event.list())).await?;
    }
    let customer = Customer::insert(lab, 5).await?;
    // While Redis is there, a busy machine may make it late.
    let log_in = || async { customer.session(&app).await };
    let session = lab.eventually("a log-in starts a session", BACK, log_in).await?;
    let cache = lab.redis().await?;
    cache.proxy().cut();
    event.expect_read(app.get(event.path())).await?;
    let changed = event.changed(lab);
    changed.change(&app).await?;
    changed.expect_read(app.get(event.path())).await?;
    expect_items(app.get(event.list()).await?, &[&changed])?;
    expect_items(app.get(format!("/events?ids={},{}", doomed.id, event.id)).await?, &[&doomed, &changed])?;
    app.delete(doomed.path()).await?.expect_status_in(&[200, 204])?;
    // never fails alone: the other event was read in the same way
    app.get(doomed.path()).await?.expect_status(404)?;
    // never fails alone: the other list was read in the same way
    expect_items(app.get(doomed.list()).await?, &[])?;
    let new = Event::random(lab);
    new.put(&app).await?.expect_status(201)?;
    // never fails alone: the others were read in the same way
    new.expect_read(app.get(new.path())).await?;
    app.get("/session").cookie("session", &session).await?.expect_status(503)?;
    customer.log_in(&app).await?.expect_status(503)?;
    attempt(lab, &app)
        .await?
        .expect_status(503)
        .because(
            "nobody counts attempts while Redis is away: to say which cards are unknown would be to let anybody guess",
        )
        .hint("What does your server answer to an unknown card, if the attempt could not be counted?")?;
    app.delete("/session")
        .cookie("session", &session)
        .await?
        .expect_status(503)
        .because(
            "the session is still in Redis: who is told that it ended is logged in all the same once Redis is back",
        )
        .hint("What does your server answer to a log-out if it could not remove the session?")?;
    cache.proxy().restore();
    let known = || async { customer.expect_in(app.get("/session").cookie("session", &session).await?) };
    lab.eventually("the session that was started before is known", BACK, known).await?;
    Ok(())
}

/// A service that is down refuses at once; one that hangs takes you down with it, unless you stop waiting (Nygard,
/// "Release It!", 2nd edition, 5.1 Timeouts).
#[check(title = "the server does not wait for a Redis that hangs", task = 7, points = 3, needs = ["redis_cut"],
        hints = ["How long does your server wait for an answer from Redis?",
                 "Limit every command to REDIS_TIMEOUT_MS, then continue without it.",
                 "Twenty requests that wait one after the other wait twenty times as long."])]
async fn redis_hangs(lab: &Lab) -> CheckResult {
    let app = impatient(lab).start().await?;
    let event = Event::random(lab);
    // never fails alone: `events` asks the same of a PUT
    event.put(&app).await?.expect_status(201)?;
    // never fails alone: `events` asks the same of a GET
    event.expect_read(app.get(event.path())).await?;
    lab.redis().await?.proxy().stop();
    let why = "Postgres is there, and REDIS_TIMEOUT_MS is 250";
    event.expect_read(app.get(event.path()).within(QUICK)).await.because(why)?;
    let changed = event.changed(lab);
    changed.put(&app).within(QUICK).await.because(why)?.expect_status(200)?;
    // never fails alone: `redis_cut` asks the same, and the event was read in this way before
    changed.expect_read(app.get(event.path()).within(QUICK)).await.because(why)?;
    expect_items(app.get(event.list()).within(QUICK).await.because(why)?, &[&changed])?;
    let answers = lab.burst((0..20).map(|_| app.get(event.path()).within(QUICK))).await.because(why)?;
    for answer in answers {
        // never fails alone: the same event was read just before
        changed.expect_shown(answer)?;
    }
    // never fails alone: an event that is there was read in the same way
    app.get(Event::random(lab).path()).within(QUICK).await.because(why)?.expect_status(404)?;
    expect_soon_given_up(&app, &changed).await?;
    expect_slow_is_used(lab).await
}

/// While Redis answers nothing: no read waits for much longer than REDIS_TIMEOUT_MS allows. Noise makes single reads
/// late, a longer time-out makes all of them late.
async fn expect_soon_given_up(app: &App, event: &Event) -> CheckResult {
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        // never fails alone: the same event was read just before
        quickest = quickest.min(event.expect_read(app.get(event.path())).await?.elapsed());
    }
    if quickest <= SOON {
        return Ok(());
    }
    Err(Failure::learner(format!("with REDIS_TIMEOUT_MS=250, the quickest of 5 reads took {quickest:.1?}"))
        .expected(format!("at most {SOON:?}: Redis is given up after 250 ms"))
        .actual(format!("{quickest:.1?}"))
        .by_time())
}

/// Redis that is slow is not Redis that is away: its answer counts for as long as REDIS_TIMEOUT_MS says.
async fn expect_slow_is_used(lab: &Lab) -> CheckResult {
    let cache = lab.redis().await?;
    cache.proxy().restore();
    let app = lab.server().env("REDIS_TIMEOUT_MS", "8000").start().await?;
    let event = Event::random(lab);
    event.insert(lab).await?;
    warm(lab, app.get(event.path())).await?;
    cache.proxy().delay(SLOW);
    let why = "Redis answers after 2 s and has a copy, and REDIS_TIMEOUT_MS is 8000";
    let answer = expect_hit(lab, app.get(event.path()).within(SLOW * 10), why)
        .await
        .hint("For how long does your server wait for Redis, and where does that number come from?")?;
    // never fails alone: `hit` asks the same
    event.expect_shown(answer)?;
    Ok(())
}

/// A service that was down comes back, and nobody restarts a server for that (Nygard, "Release It!", 2nd edition, 5.2).
#[check(title = "Redis is used again when it is back", task = 7, points = 2, needs = ["hit"],
        hints = ["What does your server do with a lost connection?",
                 "`ConnectionManager` opens a new one. A flag that says \"no Redis\" must be reset."])]
async fn redis_back(lab: &Lab) -> CheckResult {
    let app = impatient(lab).start().await?;
    let (before, after) = (Event::random(lab), Event::random(lab));
    before.insert(lab).await?;
    after.insert(lab).await?;
    used_again(lab, &app, &before).await?;
    let cache = lab.redis().await?;
    for _ in 0..2 {
        cache.proxy().cut();
        for _ in 0..3 {
            // never fails alone: `redis_cut` asks the same
            before.expect_read(app.get(before.path())).await?;
        }
        cache.proxy().restore();
        used_again(lab, &app, &before).await?;
    }
    cache.proxy().stop();
    // never fails alone: `redis_hangs` asks the same
    app.get(before.path()).await?.expect_status(200)?;
    cache.proxy().restore();
    used_again(lab, &app, &after).await
}

/// Scripts live in the memory of Redis: after its restart, after a failover, and after SCRIPT FLUSH it knows none
/// (Redis documentation, "Scripting with Lua", Script cache; `EVALSHA`).
#[check(title = "scripts that Redis has forgotten are loaded again", task = 7, points = 1, needs = ["redis_back", "session"], alone,
        hints = ["What does Redis answer to `EVALSHA` after a restart, and what does your server make of it?",
                 "On NOSCRIPT load the script and try again. `redis::Script::invoke_async` does so; a pipeline does not."])]
async fn scripts_come_back(lab: &Lab) -> CheckResult {
    let app = impatient(lab).start().await?;
    let customer = Customer::insert(lab, 5).await?;
    let (before, after) = (Event::random(lab), Event::random(lab));
    before.insert(lab).await?;
    after.insert(lab).await?;
    used_again(lab, &app, &before).await?;
    // never fails alone: `list_hit` asks the same of a list
    app.get(before.list()).await?.expect_status(200)?;
    customer.session(&app).await?;
    lab.redis().await?.forget_scripts();
    lab.note("Redis has forgotten all scripts, as after a restart");
    used_again(lab, &app, &after).await.because("Redis has forgotten its scripts, and nothing else")?;
    let log_in = || async { customer.session(&app).await };
    lab.eventually("a log-in succeeds", BACK, log_in)
        .await
        .because("Redis has forgotten its scripts, and nothing else")?;
    Ok(())
}

/// The order in which services start must not matter (The Twelve-Factor App, IX Disposability).
#[check(title = "the server starts without Redis", task = 7, points = 1, needs = ["redis_back"],
        hints = ["Does your server connect to Redis before it is ready?", "Connect when the first command is sent."])]
async fn starts_without_redis(lab: &Lab) -> CheckResult {
    let cache = lab.redis().await?;
    cache.proxy().refuse();
    let app = impatient(lab).start().await?;
    let event = Event::random(lab);
    event.insert(lab).await?;
    event.expect_read(app.get(event.path())).await?;
    cache.proxy().restore();
    used_again(lab, &app, &event).await
}

/// A server that waits for Redis for a quarter of a second.
fn impatient(lab: &Lab) -> ServerBuilder<'_> {
    lab.server().env("REDIS_TIMEOUT_MS", "250")
}

async fn used_again(lab: &Lab, app: &App, event: &Event) -> CheckResult {
    lab.eventually("an answer comes from a copy", BACK, || async {
        let answer = expect_hit(lab, app.get(event.path()), "Redis is back, and the event was read since").await?;
        // never fails alone: `hit` asks the same
        event.expect_shown(answer)
    })
    .await?;
    Ok(())
}
