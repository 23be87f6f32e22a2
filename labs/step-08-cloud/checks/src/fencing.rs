//! Task 5: who was the leader, and does not know yet that somebody else is.

use lab_kit::prelude::*;

use crate::support::{Gate, SOON, Site};

/// A lease ends while its holder sleeps, and nobody wakes it to say so. So every write carries a number, and the database
/// refuses the old ones (Martin Kleppmann, How to do distributed locking; Designing Data-Intensive Applications, chapter 8).
#[check(title = "a leader whose words arrive late writes nothing over its successor", task = 5, points = 5, needs = ["sweep"],
        hints = ["`if I am still the leader { write }`: how long is it from the question to the write?",
                 "Whoever takes the lease takes the next number. The write says which number it has, and the database compares.",
                 "One statement: `insert … select … where token = (select token from leases …)`, with the row locked."])]
async fn fencing(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("SWEEP_EVERY_MS", 100).env("LEASE_MS", 1_500);
    let app = site.web().start().await?;
    let gate = Gate::before(site.database().await?.proxy().address()).await?;
    let way = lab.proxy("the database of the first worker", gate.address())?;
    let url = site.database_through(&way).await?;
    let _first = site.worker().env("DATABASE_URL", &url).start().await?;
    site.more_sweeps(&app, 3).await?;
    let old = last(&site.sweeps(&app).await?)?;
    // On new connections, statements are sent with their texts. What the leader reports next is under way for long.
    gate.shut_at_insert();
    way.cut();
    way.restore();
    let shut = lab.eventually("the leader reports a sweep", SOON / 3, || async {
        expect_that(gate.is_shut(), "it sent no `insert into`")
    });
    if shut.await.is_err() {
        // It writes in another way. Then whatever it says next is late.
        gate.shut();
    }
    lab.note("what the first worker says to the database is held up");
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
    lab.note("what the first worker said arrives");
    gate.open();
    site.more_sweeps(&app, 6).await?;
    let tokens = site.sweeps(&app).await?;
    let back = tokens.array_windows().find(|[one, next]| next < one);
    let Some([one, next]) = back else { return Ok(()) };
    Err(Failure::learner(format!("a sweep with the token {next} was written down after one with {one}"))
        .expected("the database refuses what an old leader writes")
        .actual(format!("{tokens:?}")))
}

fn last(tokens: &[i64]) -> CheckResult<i64> {
    tokens.last().copied().ok_or_else(|| Failure::learner("there was no sweep yet"))
}
