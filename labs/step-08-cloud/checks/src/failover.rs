//! Task 6: another database takes over.

use lab_kit::prelude::*;
use lab_postgres::LabCluster as _;

use crate::support::{Order, SOON, Site};

/// How long orders may be refused when the standby is promoted.
const AGAIN: Duration = Duration::from_secs(10);

/// A standby is worth as much as the program that finds it (PostgreSQL manual, 26.3 Failover; 32.1.1.3 Specifying multiple
/// hosts).
#[check(title = "the primary is killed, the standby promoted: no order that was acknowledged is lost", task = 6, points = 6, needs = ["orders"],
        hints = ["Two URLs: which of the two takes writes? `select pg_is_in_recovery()`.",
                 "Connections that stand lead to a machine that is gone. And a new one may lead to one that only reads.",
                 "Ask each time a connection is made, and not once when the server starts."])]
async fn failover(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let cluster = lab.cluster().await?;
    let [primary, standby] = cluster.urls();
    let first = site.web().env("DATABASE_URLS", &format!("{primary},{standby}")).start().await?;
    let second = site.web().env("DATABASE_URLS", &format!("{standby},{primary}")).start().await?;
    let mut orders = Vec::new();
    for app in [&first, &second] {
        orders.extend(Order::place_all(&site, app, 10).await.because("one of the two that were named is the primary")?);
    }
    cluster.kill_primary().await?;
    let refused = site.post(&first, "/orders").json(&json!({ "event": "x", "name": "x" })).within(SOON).await?;
    refused.expect_where("is an error, for there is no primary", |answer| answer.status() >= 500)?;
    cluster.promote().await?;
    for app in [&first, &second] {
        let what = "orders are placed again, for the standby is the primary now";
        orders.push(lab.eventually(what, AGAIN, || Order::place(&site, app, "Ada")).await?);
    }
    for order in &orders {
        for app in [&first, &second] {
            let read = site.get(app, order.path()).await?.expect_status(200);
            let read = read.because("the order was acknowledged with 201")?;
            read.expect_json(json!({ "event": order.event, "name": order.name }))?;
        }
    }
    Ok(())
}
