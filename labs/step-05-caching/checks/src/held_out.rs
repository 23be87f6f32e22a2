//! Held out: events that are written, moved and removed in any order, and read in every way after each change.

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::support::{Customer, Event, distinct, expect_items};

/// How many events there may be.
const EVENTS: usize = 6;
/// How many changes are made.
const CHANGES: usize = 30;
/// How often something is read after each.
const READS: usize = 10;
/// What the customer is spared, in percent.
const DISCOUNT: i64 = 20;

/// The catalog as it ought to be.
struct Catalog {
    /// Every event that there may be, and whether it is there.
    events: Vec<(Event, bool)>,
    categories: [String; 2],
}

/// Whatever was read before and whatever has changed, on whichever instance, who reads next sees what is there (Nishtala
/// et al., "Scaling Memcache at Facebook", NSDI 2013, §3).
#[check(title = "what is read is what was written last, in any order of writing and reading", task = 5, points = 4,
        needs = ["write_clears_lists", "delete_clears", "creation_clears_miss", "many", "own_prices"], held_out,
        hints = ["Which copies does a change of the title alone make wrong?"])]
async fn catalog_story(lab: &Lab) -> CheckResult {
    let servers = [lab.start().await?, lab.start().await?];
    let session = Customer::insert(lab, DISCOUNT).await?.session(&servers[0]).await?;
    let categories = [lab.word(), lab.word()];
    let category = || categories[lab.random(|random| random.random_range(0..2_usize))].clone();
    let events = distinct(lab, EVENTS).into_iter().map(|event| (event.with_category(&category()), false)).collect();
    let mut catalog = Catalog { events, categories: categories.clone() };
    for number in 0..CHANGES {
        let place = format!("it is seen after change {} of {CHANGES}, made on one of two instances", number + 1);
        catalog.change(lab, &servers[number % 2]).await.because(&place)?;
        for _ in 0..READS {
            let (server, member) = lab.random(|random| (random.random_range(0..2_usize), random.random::<bool>()));
            catalog.read(lab, &servers[server], member.then_some(session.as_str())).await.because(&place)?;
        }
    }
    Ok(())
}

impl Catalog {
    /// Writes, changes or removes an event.
    async fn change(&mut self, lab: &Lab, app: &App) -> CheckResult {
        let (which, what) = lab.random(|random| (random.random_range(0..EVENTS), random.random_range(0..7)));
        let [one, another] = &self.categories;
        let (event, there) = &mut self.events[which];
        if *there && what == 0 {
            // never fails alone: `events` asks the same of a DELETE
            app.delete(event.path()).await?.expect_status_in(&[200, 204])?;
            *there = false;
            return Ok(());
        }
        match what {
            1 | 2 => event.title = format!("Moved {}", lab.word()),
            3 => event.seats = lab.number(20, 500),
            4 => event.category = if event.category == *one { another.clone() } else { one.clone() },
            // Still without a fraction at any discount, and cheaper than what was a euro dearer.
            5 => event.price_cents += 5,
            _ => {}
        }
        // never fails alone: `events` asks the same of a PUT
        event.put(app).await?.expect_status(if *there { 200 } else { 201 })?;
        *there = true;
        Ok(())
    }

    /// Reads an event, several or a list, as a visitor or as the customer with `session`.
    async fn read(&self, lab: &Lab, app: &App, session: Option<&str>) -> CheckResult {
        let (which, how) = lab.random(|random| (random.random_range(0..EVENTS), random.random_range(0..4)));
        let asked = |path: String| match session {
            Some(session) => app.get(path).cookie("session", session),
            None => app.get(path),
        };
        let shown = |event: &Event| event.at_discount(if session.is_some() { DISCOUNT } else { 0 });
        let (event, there) = &self.events[which];
        match how {
            // never fails alone: `write_clears_event` and `own_prices` ask the same
            0 if *there => shown(event).expect_read(asked(event.path())).await.map(drop),
            // never fails alone: `delete_clears` asks the same
            0 => asked(event.path()).await?.expect_status(404).map(drop),
            1 => {
                let ids: Vec<_> = self.events[which..].iter().map(|(event, _)| event.id.to_string()).collect();
                let wanted: Vec<_> =
                    self.events[which..].iter().filter(|(_, there)| *there).map(|(e, _)| shown(e)).collect();
                // never fails alone: `write_clears_event` and `own_prices` ask the same
                expect_items(asked(format!("/events?ids={}", ids.join(","))).await?, &wanted.iter().collect::<Vec<_>>())
                    .map(drop)
            }
            _ => {
                let (by_price, limit) =
                    lab.random(|random| (random.random::<bool>(), if random.random::<bool>() { 2 } else { EVENTS }));
                let mut wanted: Vec<_> =
                    self.events.iter().filter(|(_, there)| *there).map(|(event, _)| event).collect();
                let mut path = format!("/events?limit={limit}");
                if how == 2 {
                    wanted.retain(|listed| listed.category == event.category);
                    path += &format!("&category={}", event.category);
                }
                if by_price {
                    wanted.sort_by_key(|listed| listed.price_cents);
                    path += "&sort=price_cents";
                } else {
                    wanted.sort_by_key(|listed| listed.starts_at);
                }
                let wanted: Vec<_> = wanted.into_iter().take(limit).map(shown).collect();
                expect_items(asked(path).await?, &wanted.iter().collect::<Vec<_>>()).map(drop)
            }
        }
    }
}
