//! Task 3: a bounded number of connections, kept and lent out.

use std::collections::BTreeSet;

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::events::read;
use crate::support::Seed;

/// Each connection is a Postgres process that takes long to start, and `max_connections` is shared by everybody: a
/// server that opens one for each request is slow and takes the database down with it (PostgreSQL manual, 20.3
/// Connections and Authentication; 52.2.1 Start-up).
#[check(title = "one pool, as large as DATABASE_MAX_CONNECTIONS, is kept", task = 3, points = 4, needs = ["read_event"],
        hints = ["How many connections does your server open when 60 clients come at once, and what happens to them afterwards?",
                 "Use one pool for the whole life of the server, not one for each request.",
                 "Use `PgPoolOptions::new().max_connections(…)`, with the value from the environment."])]
async fn pool(lab: &Lab) -> CheckResult {
    let app = lab.server().env("DATABASE_MAX_CONNECTIONS", "3").start().await?;
    let path = format!("/events/{}", Seed::random(lab).insert(lab).await?);
    expect_kept(lab, &app, &path).await?;
    expect_bounded(lab, &app, &path).await
}

async fn expect_kept(lab: &Lab, app: &App, path: &str) -> CheckResult {
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        read(app, path).await?;
        let open = lab.postgres().await?.session_ids().await?;
        expect_that(!open.is_empty(), "after a request, no connection to the database stays open")
            .because("the next request has to open one again")?;
        seen.extend(open);
    }
    let used = seen.len();
    // One more may have made the schema, and still be on its way out.
    expect_that(used <= 4, format!("for 10 requests, one after the other, the server used {used} connections"))
        .because("at most 3 are open at once, and each is kept for the next request")
}

async fn expect_bounded(lab: &Lab, app: &App, path: &str) -> CheckResult {
    let db = lab.postgres().await?;
    // Late answers make the requests overlap, as they do on a database that is not on the same machine.
    db.proxy().delay(Duration::from_millis(5));
    let burst = lab.burst((0..60).map(|_| app.get(path)));
    tokio::pin!(burst);
    let mut most = 0;
    let answers = loop {
        tokio::select! {
            answers = &mut burst => break answers?,
            () = tokio::time::sleep(Duration::from_millis(5)) => most = most.max(db.sessions().await?),
        }
    };
    for answer in answers {
        answer.expect_status(200).because("requests wait for their turn on one of the 3 connections")?;
    }
    if most > 3 {
        return Err(Failure::learner(format!("while 60 requests ran, the server had {most} connections open"))
            .expected("at most 3, as DATABASE_MAX_CONNECTIONS says")
            .actual(format!("{most} in pg_stat_activity")));
    }
    Ok(())
}
