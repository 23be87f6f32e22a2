//! Task 5: who was the leader, and does not know yet that somebody else is.

use lab_kit::prelude::*;
use lab_kit::proxy::Proxy;
use tokio::time::{Instant, sleep};

use crate::support::{SOON, Site};

/// Waits until the list of sweeps has not grown for a while: whoever sweeps waits for something.
async fn until_stuck(site: &Site<'_>, app: &App, quiet: Duration) -> CheckResult {
    let deadline = Instant::now() + SOON;
    let (mut known, mut since) = (site.sweeps(app).await?.len(), Instant::now());
    while since.elapsed() < quiet && Instant::now() < deadline {
        let now = site.sweeps(app).await?.len();
        if now != known {
            (known, since) = (now, Instant::now());
        }
        sleep(Duration::from_millis(10)).await;
    }
    let what = "sweeps are reported while the store does not answer the one worker there is";
    expect_that(since.elapsed() >= quiet, what).map_err(Failure::by_time)
}

/// A lease ends while its holder sleeps, and nobody wakes it to say so. So every write carries a number, and the database
/// refuses the old ones (Martin Kleppmann, How to do distributed locking; Designing Data-Intensive Applications, chapter 8).
#[check(title = "a leader that comes back late writes nothing over its successor", task = 5, points = 5, needs = ["sweep"],
        hints = ["`if I am still the leader { write }`: how long is it from the question to the write?",
                 "Whoever takes the lease takes the next number. The write says which number it has, and the database compares.",
                 "One statement: `insert … select … where token = (select token from leases …)`, with the row locked."])]
async fn fencing(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("SWEEP_EVERY_MS", 100).env("LEASE_MS", 1_500);
    let (app, store) = (site.web().start().await?, site.store().await?);
    let slow_store = lab.proxy("the store of the first worker", store.server_proxy().address())?;
    let slow_database = lab.proxy("the database of the first worker", site.database().await?.proxy().address())?;
    let endpoint = format!("http://{}", slow_store.address());
    let url = site.database_through(&slow_database).await?;
    let first = site.worker().env("AWS_ENDPOINT_URL_S3", &endpoint).env("DATABASE_URL", &url);
    let _first = first.start().await?;
    site.more_sweeps(&app, 3).await?;
    let old = last(&site.sweeps(&app).await?)?;
    // The leader is in the middle of a sweep, and what it writes then is under way for long.
    slow_store.stop();
    until_stuck(&site, &app, Duration::from_millis(300)).await?;
    hold(&slow_database, &slow_store);
    let _second = site.worker().start().await?;
    let new = lab
        .eventually("a second worker leads when the first one's lease is over", SOON, || async {
            let token = last(&site.sweeps(&app).await?)?;
            expect_that(token != old, format!("the last sweep has the token {token}"))?;
            Ok(token)
        })
        .await?;
    expect_that(new > old, format!("the first leader's token was {old}, and the next one's is {new}, not greater"))?;
    site.more_sweeps(&app, 2).await?;
    lab.note("what the first worker wrote arrives");
    slow_database.restore();
    site.more_sweeps(&app, 6).await?;
    let tokens = site.sweeps(&app).await?;
    let back = tokens.array_windows().find(|[one, next]| next < one);
    let Some([one, next]) = back else { return Ok(()) };
    Err(Failure::learner(format!("a sweep with the token {next} was written down after one with {one}"))
        .expected("the database refuses what an old leader writes")
        .actual(format!("{tokens:?}")))
}

/// The store answers again, and the database no longer does.
fn hold(database: &Proxy, store: &Proxy) {
    database.stop();
    store.restore();
}

fn last(tokens: &[i64]) -> CheckResult<i64> {
    tokens.last().copied().ok_or_else(|| Failure::learner("there was no sweep yet"))
}
