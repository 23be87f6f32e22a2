//! Task 8: transactions that Postgres undoes for the sake of others.

use lab_kit::prelude::*;

use crate::orders::{cancel, expect_no_open_transaction, order, place};
use crate::support::{Books, Id, Moment, Sabotage, Seed, customer};
use crate::transfers::{expect_balances, send};

/// "Applications must be prepared to retry transactions due to serialization failures": nothing is wrong with the
/// request, and the client need not know (PostgreSQL manual, 13.5 Serialization Failure Handling).
#[check(title = "an order that hits a conflict is tried again", task = 8, points = 2, needs = ["cancel_order"],
        hints = ["What does SQLSTATE 40001 ask of you?", "Start the whole transaction over, not just the one statement.", "A cancellation is a transaction, too.",
                 "`error.as_database_error()` has a `code()`; a loop around the transaction looks at it."])]
async fn conflict_retried(lab: &Lab) -> CheckResult {
    let (app, event, ada) = prepare(lab).await?;
    Sabotage::of("orders").with("40001").times(2).arm(lab).await?;
    let answer = order(&app, &event, &ada, 2).await?;
    let answer = answer.expect_status(201).because("its first 2 tries hit a conflict, the third does not")?;
    expect_one_order(lab).await?;
    Sabotage::of("orders").with("40001").times(2).arm(lab).await?;
    let answer = cancel(&app, &Id::of(&answer, "/id")?).await?;
    answer.expect_status(200).because("its first 2 tries hit a conflict, the third does not")?;
    let books = Books::read(lab).await?;
    let expected = Books { orders: 1, order_lines: books.order_lines, balances_cents: 10_000, ..Books::default() };
    books.expect(expected, "an order that was cancelled after failed tries")
}

/// When two transactions wait for each other, Postgres aborts one of them, which can simply be started again
/// (PostgreSQL manual, 13.3.4 Deadlocks; 13.5 Serialization Failure Handling).
#[check(title = "a transfer that hits a deadlock is tried again", task = 8, points = 1, needs = ["transfer"],
        hints = ["What does SQLSTATE 40P01 ask of you?", "The same as 40001: another try of the whole transaction."])]
async fn deadlock_retried(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (ada, bob) = (customer(lab, 5_000).await?, customer(lab, 700).await?);
    Sabotage::of("transfers").with("40P01").times(2).arm(lab).await?;
    send(&app, &ada, &bob, 300)
        .await?
        .expect_status(201)
        .because("its first 2 tries hit a deadlock, the third does not")?;
    expect_balances(lab, &[(&ada, 4_700), (&bob, 1_000)]).await?;
    expect_equal("rows in `transfers`", &Books::read(lab).await?.transfers, &1)
}

/// Under the stricter isolation levels it is often the COMMIT that detects the conflict (PostgreSQL manual, 13.2.3
/// Serializable Isolation Level; 13.5 Serialization Failure Handling).
#[check(title = "a conflict at COMMIT is tried again, too", task = 8, points = 1, needs = ["conflict_retried", "commit_failure"],
        hints = ["Is COMMIT inside your loop?", "All of it belongs there: begin, statements, commit."])]
async fn conflict_at_commit(lab: &Lab) -> CheckResult {
    let (app, event, ada) = prepare(lab).await?;
    Sabotage::of("orders").with("40001").at(Moment::Commit).times(2).arm(lab).await?;
    order(&app, &event, &ada, 2)
        .await?
        .expect_status(201)
        .because("its first 2 COMMITs hit a conflict, the third does not")?;
    expect_one_order(lab).await
}

/// A loop without an end turns a busy database into a dead one
/// (PostgreSQL manual, 13.5 Serialization Failure Handling; OWASP API Security 2023, API4).
#[check(title = "an order that hits nothing but conflicts is given up in time", task = 8, points = 1, needs = ["conflict_retried"],
        hints = ["How many times does your server try?", "Count the tries and give up after a few, with 503."])]
async fn retries_bounded(lab: &Lab) -> CheckResult {
    let (app, event, ada) = prepare(lab).await?;
    let before = Books::read(lab).await?;
    Sabotage::of("orders").with("40001").arm(lab).await?;
    let answer = place(&app, &event, &ada, 2).within(Duration::from_secs(15)).await?;
    let tries = Sabotage::writes(lab).await?;
    answer.expect_status_in(&[409, 500, 503]).because("every try hit a conflict")?;
    expect_that(tries <= 50, format!("the server tried {tries} times")).because("at most 50 tries are allowed")?;
    expect_no_open_transaction(lab).await?;
    Books::expect_unchanged(lab, before, "an order that was abandoned").await
}

async fn prepare(lab: &Lab) -> CheckResult<(App, Id, Id)> {
    let app = lab.start().await?;
    let event = Seed::random(lab).price_cents(300).insert(lab).await?;
    Ok((app, event, customer(lab, 10_000).await?))
}

/// Fails unless the tables hold the effect of one order of 2 seats for 300 cents each, and nothing else.
async fn expect_one_order(lab: &Lab) -> CheckResult {
    let expected =
        Books { orders: 1, confirmed_orders: 1, order_lines: 2, seats_sold: 2, balances_cents: 9_400, transfers: 0 };
    Books::read(lab).await?.expect(expected, "one order of 2 seats at 300 cents got 201, after failed tries")
}
