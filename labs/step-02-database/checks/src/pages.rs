//! Task 4: pages that begin where the last one ended.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::search::letters;
use crate::support::{BAD_INPUT, Id, Seed, insert_all, moment, page, walk};

/// Every order that the list may have.
pub const SORTS: [&str; 4] = ["starts_at", "-starts_at", "price_cents", "-price_cents"];

/// A long list is read in pieces that together make up the whole (Markus Winand, Use the Index, Luke, "Paging Through
/// Results").
#[check(title = "next leads through the whole list", task = 4, points = 1, needs = ["search"],
        hints = ["How does a page know where the one before it ended?",
                 "Read one row more than `limit`: if you get it, there is a next page.",
                 "Put the sort value and the id of the page's last event into `next`."])]
async fn pages(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = letters(lab);
    let seeds: Vec<_> = (0..26)
        .map(|index| {
            let seed = spread(lab, index);
            if index % 2 == 0 { seed.title(format!("Gala {word} {index}")) } else { seed }
        })
        .collect();
    let ids = insert_all(lab, &seeds).await?;
    let list = List::new(&ids, &seeds);
    for sort in SORTS {
        list.expect_walk(&app, &[("sort", sort), ("limit", "7")], sort).await?;
    }
    let (first, _) = page(&app, &[], None).await?;
    expect_equal("events on a page without `limit`", &first.len(), &20)?;
    let found = list.only(|seed| seed.title.contains(&word));
    let by_price: &[(&str, &str)] = &[("q", &word), ("sort", "-price_cents"), ("limit", "5")];
    for (parameters, sort) in [(by_price, "-price_cents"), (&[("q", &word), ("limit", "4")], "starts_at")] {
        found.expect_walk(&app, parameters, sort).await?;
    }
    Ok(())
}

/// When values are equal, only a second column makes the order, and so the position in it, certain (PostgreSQL manual,
/// 7.5 Sorting Rows; 9.24.5 Row Constructor Comparison).
#[check(title = "events with equal values are neither skipped nor shown twice", task = 4, points = 2, needs = ["pages"],
        hints = ["Ten events start at the same time, and a page ends after the fifth. Where does the next page begin?",
                 "Order by the sort column, then by id, and compare both: `(starts_at, id) > ($1, $2)`.",
                 "A cursor that rounds times loses events that start a millisecond apart."])]
async fn equal_keys(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let start = moment(lab);
    let seeds: Vec<_> = (0..24_u64)
        .map(|index| {
            // Half begin at one moment, half a millisecond apart; there are two prices.
            let starts_at = if index % 2 == 0 { start } else { start + Duration::from_millis(index) };
            Seed::random(lab).starts_at(starts_at).price_cents(if index % 3 == 0 { 1_000 } else { 2_000 })
        })
        .collect();
    let ids = insert_all(lab, &seeds).await?;
    let list = List::new(&ids, &seeds);
    for sort in SORTS {
        list.expect_walk(&app, &[("sort", sort), ("limit", "5")], sort).await?;
    }
    Ok(())
}

/// A page counted from the beginning shifts when somebody adds a row before it; a page that begins after a value does
/// not (Markus Winand, Use the Index, Luke, "Paging Through Results").
#[check(title = "events added meanwhile do not shift the pages", task = 4, points = 2, needs = ["pages"],
        hints = ["You have read 4 events, and one is added before them. Which one is fifth now?",
                 "Don't use OFFSET: begin after the last event that was shown."])]
async fn moving_pages(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    for sort in ["starts_at", "-price_cents"] {
        lab.postgres().await?.execute("delete from events").await?;
        let seeds: Vec<_> = (0..20).map(|index| spread(lab, index + 100)).collect();
        let ids = insert_all(lab, &seeds).await?;
        let list = List::new(&ids, &seeds);
        let (parameters, mut shown, mut after) = ([("sort", sort), ("limit", "4")], Vec::new(), None);
        for round in 0..40 {
            let (ids, next) = page(&app, &parameters, after.as_deref()).await?;
            shown.extend(ids);
            after = next;
            if after.is_none() {
                break;
            }
            // Two at the very beginning of the order and two at its end, in both kinds of order.
            let far = [0, 1, 998, 999].map(|place| spread(lab, place));
            if round < 3 {
                lab.note("four events are added, two before and two after those that were there");
                insert_all(lab, &far).await?;
            }
        }
        list.expect_each_once(&shown, &format!("sort = {sort}, while events are added"))?;
    }
    Ok(())
}

/// A cursor comes back from a client, and may be anything (OWASP API Security 2023, API8).
#[check(title = "an invalid cursor is refused", task = 4, points = 1, needs = ["pages"],
        hints = ["What does your server do with `after=not-a-cursor`?", "Parsing a cursor can fail; that is the client's mistake, 400."])]
async fn bad_cursor(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    Seed::random(lab).insert(lab).await?;
    for sort in SORTS {
        app.get("/events").query("sort", sort).query("after", "not-a-cursor").await?.expect_status_in(&BAD_INPUT)?;
    }
    Ok(())
}

/// An event with a time and a price of its own; both grow with `place`, from 0 to 999.
fn spread(lab: &Lab, place: u64) -> Seed {
    let start = DateTime::<Utc>::from_timestamp_nanos(1_924_992_000_000_000_000);
    let within = lab.number(0, 900);
    let starts_at = start + Duration::from_secs(place * 1_000 + within.unsigned_abs());
    Seed::random(lab).starts_at(starts_at).price_cents(i64::try_from(place * 1_000).unwrap_or(0) + within)
}

/// What the list must hold.
pub struct List {
    events: Vec<(Id, Seed)>,
}

impl List {
    pub fn new(ids: &[Id], seeds: &[Seed]) -> Self {
        Self { events: ids.iter().cloned().zip(seeds.iter().cloned()).collect() }
    }

    pub fn only(&self, keep: impl Fn(&Seed) -> bool) -> Self {
        Self { events: self.events.iter().filter(|(_, seed)| keep(seed)).cloned().collect() }
    }

    /// Follows `next` to the end: full pages, in order, each event once.
    pub async fn expect_walk(&self, app: &App, parameters: &[(&str, &str)], sort: &str) -> CheckResult {
        let limit = parameters
            .iter()
            .find(|(name, _)| *name == "limit")
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or(20);
        let mut pages = walk(app, parameters).await?;
        // A last page that is empty is as good as none.
        if pages.len() > 1 && pages.last().is_some_and(Vec::is_empty) {
            pages.pop();
        }
        let what = format!(
            "GET /events with {}",
            parameters.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("&")
        );
        let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        let shown = pages.concat();
        self.expect_each_once(&shown, &what)?;
        expect_equal(&format!("{what}: the number of events shown"), &shown.len(), &self.events.len())?;
        expect_that(
            sizes.iter().rev().skip(1).all(|size| *size == limit),
            format!("{what}: the pages have {sizes:?} events, but only the last may have fewer than {limit}"),
        )?;
        self.expect_order(&shown, sort, &what)
    }

    /// Every event once; others may be there, but nothing twice.
    fn expect_each_once(&self, shown: &[Id], what: &str) -> CheckResult {
        let mut times: BTreeMap<&Id, usize> = BTreeMap::new();
        for id in shown {
            *times.entry(id).or_default() += 1;
        }
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).map(|(id, _)| id.to_string()).collect();
        let never: Vec<_> =
            self.events.iter().filter(|(id, _)| !times.contains_key(id)).map(|(id, _)| id.to_string()).collect();
        if twice.is_empty() && never.is_empty() {
            return Ok(());
        }
        let show = |ids: &[String]| if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
        Err(Failure::learner(format!(
            "{what}: following `next` skips {} events and shows {} twice",
            never.len(),
            twice.len()
        ))
        .expected("every event that was there from the beginning, exactly once")
        .actual(format!("ids never shown: {}; ids shown more than once: {}", show(&never), show(&twice))))
    }

    fn expect_order(&self, shown: &[Id], sort: &str, what: &str) -> CheckResult {
        let keys: BTreeMap<_, _> = self.events.iter().map(|(id, seed)| (id, key(seed, sort))).collect();
        let shown: Vec<_> = shown.iter().filter_map(|id| keys.get(id)).collect();
        let ordered =
            shown.windows(2).all(|pair| if sort.starts_with('-') { pair[0] >= pair[1] } else { pair[0] <= pair[1] });
        expect_that(ordered, format!("{what}: over the pages, the events are not in the order of {sort}"))
    }
}

fn key(seed: &Seed, sort: &str) -> i64 {
    if sort.ends_with("price_cents") { seed.price_cents } else { seed.starts_at.timestamp_millis() }
}
