//! Task 4: what a page costs.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::events::read;
use crate::search::letters;
use crate::support::{Id, Seed, insert_all, page};

const SORTS: [&str; 4] = ["starts_at", "-starts_at", "price_cents", "-price_cents"];

/// One statement for the list and one more for each row: this mistake makes pages slow as soon as there is data (OWASP
/// API Security 2023, API4; sqlx, `fetch_all`).
#[check(title = "a longer page takes no more statements", task = 4, points = 3, needs = ["list_sorted"],
        hints = ["How many statements does the transcript show for one page?",
                 "One SELECT can return every column of every event on the page."])]
async fn no_n_plus_one(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let short = statements_of_a_page(lab, &app, 5).await?;
    let long = statements_of_a_page(lab, &app, 50).await?;
    if long > short + 3 {
        return Err(Failure::learner(format!("a page of 5 events took {short} statements, a page of 50 took {long}"))
            .expected("as many for 50 events as for 5: one or two")
            .actual(format!("{} more for 45 more events", long - short)));
    }
    Ok(())
}

/// An index on the sort column already holds the rows in order: a page is read from it, wherever it begins (PostgreSQL
/// manual, 11.4 Indexes and ORDER BY; Use the Index, Luke, "Paging Through Results").
#[check(title = "an index serves the list, even far from its beginning", task = 4, points = 3, needs = ["pages"],
        hints = ["What does `EXPLAIN` show for your list on a table of 4,000 events: Seq Scan, Sort, or Index Scan?",
                 "Create an index on (starts_at, id) and one on (price_cents, id), with the columns in the order of ORDER BY.",
                 "`a > $1 OR (a = $1 AND id > $2)` reads the index from its beginning; `(a, id) > ($1, $2)` does not."])]
async fn list_index(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let middle = insert_all(lab, &(0..20).map(|place| in_the_middle(lab, place)).collect::<Vec<_>>()).await?;
    let mut cursors = Vec::new();
    for sort in SORTS {
        let (_, next) = page(&app, &[("sort", sort), ("limit", "10")], None).await?;
        cursors.push(
            // never fails alone: `pages` follows the same links
            next.ok_or_else(|| Failure::learner(format!("the first 10 of 20 events, sort = {sort}, have no `next`")))?,
        );
    }
    fill(lab).await?;
    for (sort, cursor) in SORTS.into_iter().zip(&cursors) {
        page(&app, &[("sort", sort), ("limit", "10")], None).await?;
        let (found, _) = page(&app, &[("sort", sort), ("limit", "10")], Some(cursor)).await?;
        expect_equal(
            &format!("the 10 events after a place in the middle, sort = {sort}"),
            &found,
            &after_ten(&middle, sort),
        )?;
    }
    expect_rows_read(lab, 1_600, "eight pages of 10 events").await
}

/// A B-tree helps only if titles begin with the search text; trigrams help anywhere in a title (PostgreSQL manual, F.35
/// pg_trgm, "Index Support").
#[check(title = "an index serves the search", task = 4, points = 3, needs = ["search"],
        hints = ["What does `EXPLAIN` show for your search on a table of 4,000 events?",
                 "A plain index on the title cannot find a word in the middle. Read about `pg_trgm`.",
                 "`CREATE EXTENSION pg_trgm` in a migration, then an index `USING gin (title gin_trgm_ops)`. It serves \
                  LIKE and ILIKE, not `position(…)` or `strpos(…)`."])]
async fn search_index(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = letters(lab);
    let seed = Seed::random(lab).title(format!("The only {word} of the year"));
    let id = seed.insert(lab).await?;
    fill(lab).await?;
    let (found, _) = page(&app, &[("q", &word)], None).await?;
    expect_equal(&format!("the ids that GET /events finds with q = {word}"), &found, &vec![id])?;
    expect_rows_read(lab, 400, "a search that finds one event").await
}

async fn statements_of_a_page(lab: &Lab, app: &App, events: usize) -> CheckResult<usize> {
    let db = lab.postgres().await?;
    db.execute("delete from events").await?;
    insert_all(lab, &vec![Seed::random(lab); events]).await?;
    // The first use of a statement may cost questions of the driver's own.
    for _ in 0..2 {
        read(app, "/events?limit=100").await?;
    }
    let seen = db.record(read(app, "/events?limit=100")).await?;
    let statements = seen.statements.queries().len();
    let items: Vec<Value> = seen.value.at("/items")?;
    expect_equal("events on the page", &items.len(), &events)?;
    expect_that(statements > 0, "a page was answered without asking the database")?;
    Ok(statements)
}

/// Events in the middle of the four thousand that [`fill`] makes, in the same order by time and by price.
fn in_the_middle(lab: &Lab, place: i64) -> Seed {
    let start = chrono::DateTime::from_timestamp(1_924_992_000 + place, 0).unwrap_or_default();
    Seed::random(lab).starts_at(start).price_cents(500_000 + place)
}

/// The second ten of twenty events in one of the orders.
fn after_ten(middle: &[Id], sort: &str) -> Vec<Id> {
    if sort.starts_with('-') { middle.iter().rev().skip(10).cloned().collect() } else { middle[10..].to_vec() }
}

/// Four thousand events, half before and half after the middle, both by time and by price.
async fn fill(lab: &Lab) -> CheckResult {
    lab.note("4,000 events are added");
    let db = lab.postgres().await?;
    // Long titles of few trigrams: a large table at little cost.
    db.execute(
        "insert into events (title, starts_at, seats, price_cents)
         select 'Matinee ' || n || repeat(' tra la la', 12),
                timestamptz '2031-01-01 00:00:00Z' + (case when n % 2 = 0 then n else -n end) * interval '1 hour',
                100,
                500000 + (case when n % 2 = 0 then 1 else -1 end) * (100 + n * 7919 % 3989)
         from generate_series(1, 4000) n",
    )
    .await?;
    db.execute("vacuum analyze events").await?;
    Ok(())
}

/// Fails if the server's sessions have read this many rows or more since the database was made.
async fn expect_rows_read(lab: &Lab, limit: i64, what: &str) -> CheckResult {
    let db = lab.postgres().await?;
    // A session hands in its counts at the latest when it ends (PostgreSQL manual, 28.2.2).
    db.terminate_sessions().await?;
    let rows: Vec<(String, i64, i64)> = db
        .rows(
            "select relname::text, coalesce(seq_tup_read, 0)::bigint, coalesce(idx_tup_fetch, 0)::bigint
             from pg_stat_user_tables order by 1",
        )
        .await?;
    let read: i64 = rows.iter().map(|(_, scanned, fetched)| scanned + fetched).sum();
    if read < limit {
        return Ok(());
    }
    let busy = rows.iter().filter(|(_, scanned, fetched)| scanned + fetched > 0);
    let counts: Vec<_> = busy
        .map(|(table, scanned, fetched)| format!("{table}: {scanned} by sequential scans, {fetched} by indexes"))
        .collect();
    let sent: Vec<_> = db
        .statements()
        .iter()
        .rev()
        .filter(|seen| seen.sql.contains("events"))
        .take(2)
        .map(|seen| seen.sql.clone())
        .collect();
    Err(Failure::learner(format!("with 4,000 events, {what} made Postgres read {read} rows"))
        .sent(sent.join("\n"))
        .expected(format!("fewer than {limit}"))
        .actual(counts.join("; "))
        .reproduce("psql \"$DATABASE_URL\" -c 'EXPLAIN ANALYZE …'   # your statement, on a filled table"))
}
