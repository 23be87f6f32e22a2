//! Task 6: another database takes over.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::{try_join, try_join_all};
use lab_kit::prelude::*;
use lab_postgres::LabCluster as _;

use crate::support::{Order, Site, Unplaced};

/// How long orders may be refused when the standby is promoted.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a request may take while there is no primary: the README gives it five seconds, and the rest is for a machine
/// that is busy.
const FAILED: Duration = Duration::from_secs(7);
/// How many clients place orders at each server while the primary is killed.
const CLIENTS: usize = 3;

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
    let killed = AtomicBool::new(false);
    let clients = [&first, &second].repeat(CLIENTS);
    let placing = try_join_all(clients.into_iter().map(|app| place_until_refused(&site, app, &killed)));
    let killing = async {
        // They are in the middle of it.
        Order::place_all(&site, &first, 10).await?;
        cluster.kill_primary().await?;
        killed.store(true, Ordering::SeqCst);
        Ok(())
    };
    let (placed, ()) = try_join(placing, killing).await?;
    orders.extend(placed.into_iter().flatten());
    lab.note(format!("{} orders were answered with 201", orders.len()));
    cluster.promote().await?;
    let what = "orders are placed again, for the standby is the primary now";
    let again = [&first, &second].map(|app| lab.eventually(what, AGAIN, || Order::place(&site, app, "Ada")));
    orders.extend(try_join_all(again).await?);
    for order in &orders {
        for app in [&first, &second] {
            let read = site.get(app, order.path()).await?.expect_status(200);
            let read = read.because("the order was acknowledged with 201")?;
            // never fails alone: `orders` asks the same
            read.expect_json(json!({ "event": order.event, "name": order.name }))?;
        }
    }
    Ok(())
}

/// Places one order after the other, until one was asked for when there was no primary any more. That one is refused, as
/// others may be that were under way. Gives those that were answered with 201.
async fn place_until_refused(site: &Site<'_>, app: &App, killed: &AtomicBool) -> CheckResult<Vec<Order>> {
    let mut placed = Vec::new();
    loop {
        let is_last = killed.load(Ordering::SeqCst);
        let order = Unplaced::new(site, &site.lab.word());
        let answer = order.request(site, app).within(FAILED).await;
        let answer = answer.because("without a primary, a request fails, and within five seconds")?;
        if is_last {
            answer.expect_status_in(&[500, 503]).because("there is no primary")?;
            return Ok(placed);
        }
        let answer = answer.expect_status_in(&[201, 500, 503])?;
        if answer.status() == 201 {
            placed.push(order.placed(&answer)?);
        }
    }
}
