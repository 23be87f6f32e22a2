//! Task 7: what one customer loses, another gains.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::orders::expect_no_open_transaction;
use crate::support::{BAD_INPUT, Books, Id, Instances, Sabotage, TOO_LARGE, customer, expect_server_error, no_amounts};

/// Money changes hands but never its amount (PostgreSQL manual, 3.4 Transactions).
#[check(title = "a transfer moves credit", task = 7, points = 1, needs = ["schema"],
        hints = ["Which three rows does a transfer write?", "Change two balances and add one row in `transfers`, in one transaction."])]
async fn transfer(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (ada, bob, eve) = (customer(lab, 5_000).await?, customer(lab, 700).await?, customer(lab, 60).await?);
    let amount_cents = lab.number(1, 4_999);
    let expected = json!({
        "id": lab_kit::http::any_id(),
        "from_customer_id": ada.json(),
        "to_customer_id": bob.json(),
        "amount_cents": amount_cents,
    });
    let answer = send(&app, &ada, &bob, amount_cents).await?.expect_status(201)?.expect_json(expected)?;
    let id = Id::of(&answer, "/id")?;
    expect_balances(lab, &[(&ada, 5_000 - amount_cents), (&bob, 700 + amount_cents), (&eve, 60)]).await?;
    let sql = "select id::text, from_customer_id::text, to_customer_id::text, amount_cents::bigint from transfers";
    let rows: Vec<(String, String, String, i64)> = lab.postgres().await?.rows(sql).await?;
    let row = (id.to_string(), ada.to_string(), bob.to_string(), amount_cents);
    expect_equal("the rows in `transfers`", &rows, &vec![row])?;
    // All that is left, and back the other way.
    for (from, to, amount_cents) in [(&ada, &bob, 5_000 - amount_cents), (&bob, &ada, 5_700)] {
        send(&app, from, to, amount_cents).await?.expect_status(201)?;
        expect_balances(lab, &[(from, 0), (to, 5_700), (&eve, 60)]).await?;
    }
    Ok(())
}

/// Nobody can send what they do not have, and nobody gets rich by sending to themselves (RFC 9110 §15.5.10, §15.5.5).
#[check(title = "an impossible transfer is refused and changes nothing", task = 7, points = 1, needs = ["transfer"],
        hints = ["What does your server do with a transfer from A to A?",
                 "Read both customers before you write: a missing one is 404, too little credit is 409."])]
async fn transfer_refusals(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (ada, bob) = (customer(lab, 500).await?, customer(lab, 500).await?);
    let nobody = ada.unknown(lab);
    let before = Books::read(lab).await?;
    send(&app, &ada, &bob, 501)
        .await?
        .expect_status(409)
        .because("the sender has 500 cents")
        .hint("Who finds out that the sender has too little: your code, or a constraint of the table's?")?;
    send(&app, &nobody, &bob, 1).await?.expect_status(404).because("the sender does not exist")?;
    send(&app, &ada, &nobody, 1).await?.expect_status(404).because("the receiver does not exist")?;
    send(&app, &ada, &ada, 10).await?.expect_status_in(&[400, 409, 422]).because("sender and receiver are the same")?;
    for amount_cents in no_amounts() {
        let body =
            json!({ "from_customer_id": ada.json(), "to_customer_id": bob.json(), "amount_cents": amount_cents });
        app.post("/transfers").json(&body).await?.expect_status_in(&BAD_INPUT)?;
    }
    for amount_cents in [(1 << 32) + 1, i64::MAX] {
        send(&app, &ada, &bob, amount_cents).await?.expect_status_in(&TOO_LARGE)?;
    }
    expect_balances(lab, &[(&ada, 500), (&bob, 500)]).await?;
    Books::expect_unchanged(lab, before, "transfers that were refused").await
}

/// Two customers who send to each other at once read the same balances and wait for the same rows: neither may
/// overwrite what the other did, and neither may see the deadlock (PostgreSQL manual, 13.2.1 Read Committed; 13.3.4
/// Deadlocks).
#[check(title = "simultaneous transfers in both directions keep every cent", task = 7, points = 3, limit = 90, needs = ["transfer_refusals"],
        hints = ["A sends to B while B sends to A. Who locks which row first?",
                 "`SET balance_cents = balance_cents + $1` adds to what is there now, not to what you read before.",
                 "Lock both rows before you read them, always in the same order: `ORDER BY id FOR UPDATE`."])]
async fn opposite_transfers(lab: &Lab) -> CheckResult {
    let servers = Instances::start(lab).await?;
    let pair = [customer(lab, 3_000).await?, customer(lab, 3_000).await?];
    servers.warm_up(lab, |app| request(app, &pair[0], &pair[0].unknown(lab), 1)).await?;
    servers.overlap(lab).await?;
    // Neighbours go in opposite directions, and each direction to both servers.
    let wanted: Vec<_> = (0..40_usize).map(|index| (index / 2 % 2, lab.number(100, 2_500))).collect();
    let answers = servers
        .race(lab, &wanted, |app, (from, amount_cents)| request(app, &pair[*from], &pair[1 - from], *amount_cents))
        .await?;
    let (mut first, mut done) = (3_000, 0);
    for (answer, (from, amount_cents)) in answers.into_iter().zip(&wanted) {
        if answer.expect_status_in(&[201, 409, 503])?.status() == 201 {
            first += if *from == 0 { -amount_cents } else { *amount_cents };
            done += 1;
        }
    }
    // never fails alone: the first of them is the transfer of `transfer`
    expect_that(done > 0, "none of 40 transfers succeeded, although the first could have")?;
    let moved = expect_balances(lab, &[(&pair[0], first), (&pair[1], 6_000 - first)]).await;
    moved.because("each transfer that got 201 has moved its amount, and nothing else has")?;
    expect_equal("rows in `transfers`", &Books::read(lab).await?.transfers, &done)?;
    // never fails alone: the schema refuses it, as `value_constraints` asks
    expect_that((0..=6_000).contains(&first), "a balance is below zero")
}

/// A transfer that takes but does not give is worse than none (PostgreSQL manual, 3.4 Transactions).
#[check(title = "a transfer that fails half-way leaves nothing behind", task = 7, points = 1, needs = ["transfer"],
        hints = ["One balance has been written, and the next statement fails. What is the sum of all balances now?",
                 "Use one transaction, and run every statement on it."])]
async fn transfer_all_or_nothing(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (ada, bob) = (customer(lab, 5_000).await?, customer(lab, 700).await?);
    let before = Books::read(lab).await?;
    for (table, first) in [("customers", 2), ("transfers", 1)] {
        Sabotage::of(table).from(first).arm(lab).await?;
        expect_server_error(send(&app, &ada, &bob, 300).await?).because(&format!("a write to `{table}` failed"))?;
        expect_no_open_transaction(lab).await?;
        Sabotage::disarm(lab).await?;
        expect_balances(lab, &[(&ada, 5_000), (&bob, 700)]).await?;
        Books::expect_unchanged(lab, before, &format!("a transfer whose write to `{table}` failed")).await?;
    }
    send(&app, &ada, &bob, 300).await?.expect_status(201).because("nothing fails any more")?;
    Ok(())
}

/// Sends a transfer.
pub async fn send(app: &App, from: &Id, to: &Id, amount_cents: i64) -> CheckResult<Response> {
    request(app, from, to, amount_cents).await
}

/// A transfer that is sent when it is awaited.
pub fn request(app: &App, from: &Id, to: &Id, amount_cents: i64) -> Request {
    app.post("/transfers").json(&json!({
        "from_customer_id": from.json(),
        "to_customer_id": to.json(),
        "amount_cents": amount_cents,
    }))
}

/// Fails unless these customers have these balances.
pub async fn expect_balances(lab: &Lab, expected: &[(&Id, i64)]) -> CheckResult {
    let rows: Vec<(String, i64)> =
        lab.postgres().await?.rows("select id::text, balance_cents::bigint from customers").await?;
    for (id, balance_cents) in expected {
        let found = rows.iter().find(|(row, _)| *row == id.to_string()).map(|(_, balance_cents)| *balance_cents);
        expect_equal(&format!("customers.balance_cents of {id}"), &found, &Some(*balance_cents))?;
    }
    Ok(())
}
