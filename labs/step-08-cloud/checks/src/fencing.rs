//! Task 5: who was the leader, and does not know yet that somebody else is.

use lab_kit::prelude::*;
use lab_kit::proxy::Proxy;

use crate::support::{Gate, SOON, Site};

/// How long a lease holds.
const LEASE_MS: u64 = 800;
/// How long another one may take to lead after that. Where none does, the database may keep it from that: the one that is
/// held up has locked something there.
const TAKEN_OVER: Duration = Duration::from_millis(LEASE_MS + 2_700);
/// In how many places of its sweep a leader is held up.
const PLACES: usize = 8;
/// By how many sweeps they are found.
const LEARNED: usize = 4;
/// Words of statements that write: the leader is held up there first.
const WRITING: [&str; 5] = ["insert", "update", "merge", "call", "sweep"];

/// A lease ends while its holder sleeps, and nobody wakes it to say so. So every write carries a number, and the database
/// refuses the old ones (Martin Kleppmann, How to do distributed locking; Designing Data-Intensive Applications, chapter 8).
#[check(title = "a leader whose words arrive late writes nothing over its successor", task = 5, points = 5, needs = ["sweep"],
        hints = ["`if I am still the leader { write }`: how long is it from the question to the write?",
                 "Whoever takes the lease takes the next number. The write says which number it has, and the database compares.",
                 "One statement: `insert … select … where token = (select token from leases …)`, with the row locked."])]
async fn fencing(lab: &Lab) -> CheckResult {
    let site = Site::new(lab).env("SWEEP_EVERY_MS", 200).env("LEASE_MS", LEASE_MS);
    let app = site.web().start().await?;
    let ways = [Way::new(&site, "the first worker").await?, Way::new(&site, "the second worker").await?];
    let _first = ways[0].worker(&site).await?;
    site.more_sweeps(&app, 2).await?;
    ways[0].gate.forget();
    site.more_sweeps(&app, LEARNED).await?;
    let places = places(&ways[0].gate);
    let _second = ways[1].worker(&site).await?;
    let (mut leader, mut overtaken) = (0, 0);
    for place in &places {
        overtaken += usize::from(hold_up(&site, &app, &ways[leader].gate, place.as_deref()).await?);
        leader = leading(&site, &app, &ways).await?;
        expect_in_order(&site.sweeps(&app).await?, place.as_deref())?;
    }
    lab.note(format!("a leader was held up in {} places, and overtaken in {overtaken} of them", places.len()));
    if overtaken > 0 {
        return Ok(());
    }
    let failure = Failure::learner("no second worker leads when the first one's lease is over");
    let told = "the token of the first, all the while that the database hears nothing of it";
    Err(failure.expected("a greater token").actual(told).by_time())
}

/// A worker's way to the database.
struct Way {
    gate: Gate,
    _proxy: Proxy,
    url: String,
}

impl Way {
    async fn new(site: &Site<'_>, whose: &str) -> CheckResult<Self> {
        let gate = Gate::before(site.database().await?.proxy().address()).await?;
        let proxy = site.lab.proxy(&format!("the database of {whose}"), gate.address())?;
        let url = site.database_through(&proxy).await?;
        Ok(Self { gate, _proxy: proxy, url })
    }

    async fn worker(&self, site: &Site<'_>) -> CheckResult<App> {
        site.worker().env("DATABASE_URL", &self.url).start().await
    }
}

/// The statements that belong to a sweep, for nearly each has had them; those that seem to write come first. The last place
/// is anywhere.
fn places(gate: &Gate) -> Vec<Option<String>> {
    let statements = gate.statements().into_iter().filter(|(_, count)| *count + 1 >= LEARNED);
    let mut places: Vec<String> = statements.map(|(statement, _)| statement).collect();
    places.sort_by_key(|place| !WRITING.iter().any(|word| place.contains(word)));
    places.truncate(PLACES);
    places.into_iter().map(Some).chain([None]).collect()
}

/// Holds up what the leader says, until another one has swept. Tells whether one has.
async fn hold_up(site: &Site<'_>, app: &App, gate: &Gate, place: Option<&str>) -> CheckResult<bool> {
    let lab = site.lab;
    let old = last(&site.sweeps(app).await?)?;
    match place {
        Some(statement) => gate.shut_at(statement),
        None => gate.shut(),
    }
    // never fails alone: where the leader does not say that, the next place is tried
    let shut = || async { expect_that(gate.is_shut(), "it does not say that") };
    let is_shut = lab.eventually("the leader is held up", SOON / 5, shut).await;
    if is_shut.is_err() {
        // It leads no more, or says it in another way now.
        gate.open();
        return Ok(false);
    }
    lab.note(format!("what the leader says to the database is held up from `{}` on", place.unwrap_or("anything")));
    let new = lab
        .eventually("another worker leads when the lease is over", TAKEN_OVER, || async {
            let token = last(&site.sweeps(app).await?)?;
            // never fails alone: where nobody takes over, the next place is tried
            expect_that(token != old, format!("the last sweep has the token {token}"))?;
            Ok(token)
        })
        .await;
    let overtaken = match new {
        Ok(_) => true,
        Err(Failure::Learner(_)) => false,
        Err(ours) => return Err(ours),
    };
    if overtaken {
        site.more_sweeps(app, 1).await?;
    }
    gate.forget();
    lab.note("what was held up arrives");
    gate.open();
    // It goes on with its sweep, where it believes that it leads.
    // never fails alone: who says nothing more writes nothing either
    let goes_on = || async { expect_that(gate.count() >= 3, "it says nothing more") };
    let _ = lab.eventually("the one that was held up goes on", SOON / 5, goes_on).await;
    Ok(overtaken)
}

/// Which of the two leads: that one has more to say.
async fn leading(site: &Site<'_>, app: &App, ways: &[Way; 2]) -> CheckResult<usize> {
    ways.iter().for_each(|way| way.gate.forget());
    site.more_sweeps(app, 3).await?;
    Ok(usize::from(ways[1].gate.count() > ways[0].gate.count()))
}

fn expect_in_order(tokens: &[i64], place: Option<&str>) -> CheckResult {
    let back = tokens.array_windows().find(|[one, next]| next < one);
    let Some([one, next]) = back else { return Ok(()) };
    let place = place.unwrap_or("anything");
    Err(Failure::learner(format!("a sweep with the token {next} was written down after one with {one}"))
        .expected(format!("what an old leader writes is refused, wherever it was held up: here, from `{place}` on"))
        .actual(format!("{tokens:?}")))
}

fn last(tokens: &[i64]) -> CheckResult<i64> {
    // never fails alone: the first of them were waited for
    let none = || Failure::learner("there was no sweep yet").expected("a sweep").actual("[]");
    tokens.last().copied().ok_or_else(none)
}
