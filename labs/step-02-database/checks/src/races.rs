//! Task 6: many orders at the same moment.

use lab_kit::prelude::*;

use crate::events::read;
use crate::orders::{cancel, cancellation, ordered, place};
use crate::support::{Books, Id, Instances, Seed, customer, customers, insert_all};

/// How often a request that was answered 503 is sent again.
const TRIES_AGAIN: usize = 5;

/// Between reading how many seats are left and writing the new number, others do the same. The last seat can belong to
/// only one (PostgreSQL manual, 13.2.1 Read Committed; 13.3.2 Row-Level Locks; CWE-362).
#[check(title = "of 200 orders for 50 seats, 50 are sold", task = 6, points = 4, limit = 90, needs = ["order_refusals"],
        hints = ["Two requests both read that one seat is left. What do they do next?",
                 "Let one statement check and take: `UPDATE … WHERE seats - seats_sold >= $1`; or lock the row with \
                  `SELECT … FOR UPDATE` before you look."])]
async fn never_oversold(lab: &Lab) -> CheckResult {
    let servers = Instances::start(lab).await?;
    let price_cents = lab.number(100, 900);
    let event = Seed::random(lab).seats(50).price_cents(price_cents).insert(lab).await?;
    let people = customers(lab, 20, 100_000).await?;
    let before = Books::read(lab).await?;
    let wanted: Vec<_> = people.iter().cycle().take(200).map(|customer| (event.clone(), customer.clone())).collect();
    let sold = order_at_once(lab, &servers, &wanted).await?;
    expect_sold(lab, before, sold, 50, price_cents).await?;
    let sold_out = json!({ "seats_left": 0 });
    read(servers.one(), &format!("/events/{event}")).await?.expect_json(sold_out)?;
    Ok(())
}

/// The same race for the customer's money: each order alone is affordable, all of them together are not (PostgreSQL
/// manual, 13.2.1 Read Committed; CWE-362).
#[check(title = "a customer never spends more than there is", task = 6, points = 2, limit = 90, needs = ["order_refusals"],
        hints = ["Twenty requests read the same balance. How much do they spend together?",
                 "`UPDATE customers … WHERE balance_cents >= $1` checks and takes in one statement."])]
async fn never_overdrawn(lab: &Lab) -> CheckResult {
    let servers = Instances::start(lab).await?;
    let price_cents = lab.number(100, 900);
    let seeds: Vec<_> = (0..20).map(|_| Seed::random(lab).price_cents(price_cents)).collect();
    let events = insert_all(lab, &seeds).await?;
    let ada = customer(lab, 7 * price_cents + lab.number(0, price_cents - 1)).await?;
    let before = Books::read(lab).await?;
    let wanted: Vec<_> = events.into_iter().map(|event| (event, ada.clone())).collect();
    let sold = order_at_once(lab, &servers, &wanted).await?;
    expect_sold(lab, before, sold, 7, price_cents).await
}

/// Of many simultaneous attempts to cancel an order, one succeeds; the others find it cancelled (PostgreSQL manual,
/// 13.2.1 Read Committed; CWE-362).
#[check(title = "an order is cancelled once, however many requests arrive", task = 6, points = 2, limit = 90, needs = ["cancel_order"],
        hints = ["Two requests both read `confirmed`. How many times are the seats returned?",
                 "`UPDATE orders SET status = 'cancelled' WHERE id = $1 AND status = 'confirmed'`: only one of them changes a row."])]
async fn cancel_once(lab: &Lab) -> CheckResult {
    let servers = Instances::start(lab).await?;
    let event = Seed::random(lab).insert(lab).await?;
    let ada = customer(lab, 1_000_000).await?;
    ordered(servers.one(), &event, &ada, 5).await?;
    let kept = Books::read(lab).await?;
    let id = Id::of(&ordered(servers.one(), &event, &ada, 2).await?, "/id")?;
    servers.warm_up(lab, |app| cancellation(app, &id.unknown(lab))).await?;
    servers.overlap(lab).await?;
    let mut done = 0;
    for answer in servers.race(lab, &[(); 20], |app, ()| cancellation(app, &id)).await? {
        done += usize::from(answer.expect_status_in(&[200, 409, 503])?.status() == 200);
    }
    if done == 0 {
        // never fails alone: this is the cancellation of `cancel_order`, once the others have given up
        cancel(servers.one(), &id).await?.expect_status(200).because("all 20 before it got 409 or 503")?;
    }
    let after = Books::read(lab).await?;
    let expected = Books { orders: kept.orders + 1, order_lines: after.order_lines, ..kept };
    after.expect(expected, "20 cancellations of one order return its seats and credit once")
}

/// Sends all orders, of one seat each, at once; gives how many were made. An answer 503 means "not now": such a
/// request is sent again, one at a time.
async fn order_at_once(lab: &Lab, servers: &Instances, wanted: &[(Id, Id)]) -> CheckResult<i64> {
    if let Some((event, customer)) = wanted.first() {
        servers.warm_up(lab, |app| place(app, &event.unknown(lab), customer, 1)).await?;
    }
    if wanted.len() < 50 {
        servers.overlap(lab).await?;
    }
    let answers = servers.race(lab, wanted, |app, (event, customer)| place(app, event, customer, 1)).await?;
    let mut sold = 0;
    for (mut answer, (event, customer)) in answers.into_iter().zip(wanted) {
        for _ in 0..TRIES_AGAIN {
            if answer.status() != 503 {
                break;
            }
            answer = place(servers.one(), event, customer, 1).await?;
        }
        sold += i64::from(answer.expect_status_in(&[201, 409])?.status() == 201);
    }
    Ok(sold)
}

/// Fails unless `count` orders of one seat were made, and the tables say so, too.
async fn expect_sold(lab: &Lab, before: Books, answered: i64, count: i64, price_cents: i64) -> CheckResult {
    let expected = Books {
        orders: before.orders + count,
        confirmed_orders: before.confirmed_orders + count,
        order_lines: before.order_lines + count,
        seats_sold: before.seats_sold + count,
        balances_cents: before.balances_cents - count * price_cents,
        transfers: before.transfers,
    };
    expect_equal("orders answered 201", &answered, &count)?;
    Books::read(lab).await?.expect(expected, &format!("{count} orders of one seat at {price_cents} cents got 201"))
}
