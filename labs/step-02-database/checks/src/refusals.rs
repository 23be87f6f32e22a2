//! Task 1, second half: what the schema itself refuses, whoever writes.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{Id, Seed, customer, customers};

/// A buggy program, a second program and a person at `psql` all write to the same tables. Only the schema stands
/// between them and bad data (PostgreSQL manual, 5.5 Constraints).
#[check(title = "Postgres refuses impossible prices, seats and balances", task = 1, points = 3, needs = ["schema"],
        hints = ["Who stops a negative price when it is not your program that writes it?",
                 "`CHECK (price_cents >= 0)`; a CHECK may also compare two columns of a row."])]
async fn value_constraints(lab: &Lab) -> CheckResult {
    let _app = lab.start().await?;
    let event = Seed::random(lab).seats(10).insert(lab).await?;
    let (ada, bob) = (customer(lab, 500).await?, customer(lab, 500).await?);
    insert_transfer(lab, &ada, &bob, 5).await?;
    let event = event.sql();
    refused(
        lab,
        "a negative price",
        "insert into events (title, starts_at, seats, price_cents) values ('a', now(), 5, -1)",
    )
    .await?;
    refused(lab, "a negative price", &format!("update events set price_cents = -1 where id = {event}")).await?;
    refused(lab, "more seats sold than exist", &format!("update events set seats_sold = 11 where id = {event}"))
        .await?;
    refused(lab, "fewer than zero seats sold", &format!("update events set seats_sold = -1 where id = {event}"))
        .await?;
    refused(lab, "a negative balance", "insert into customers (email, balance_cents) values ('x@example.com', -1)")
        .await?;
    refused(lab, "a negative balance", &format!("update customers set balance_cents = -1 where id = {}", ada.sql()))
        .await?;
    refused(lab, "a transfer of a negative amount", &transfer_sql(&ada.sql(), &bob.sql(), -5)).await
}

/// A reference to a row that does not exist is data that nobody can explain (PostgreSQL manual, 5.5.5 Foreign Keys).
#[check(title = "Postgres refuses rows that refer to nothing", task = 1, points = 2, needs = ["schema"],
        hints = ["What does an order mean if its event does not exist?",
                 "`event_id bigint NOT NULL REFERENCES events (id)`, and the same for every other reference."])]
async fn reference_constraints(lab: &Lab) -> CheckResult {
    let _app = lab.start().await?;
    let event = Seed::random(lab).insert(lab).await?;
    let pair = customers(lab, 2, 500).await?;
    let (ada, bob) = (&pair[0], &pair[1]);
    let (no_event, nobody) = (event.unknown(lab), ada.unknown(lab));
    let order = insert_order(lab, &event, ada).await?;
    lab.postgres().await?.execute(&line_sql(&order)).await?;
    insert_transfer(lab, ada, bob, 5).await?;
    refused(lab, "an order for an event that does not exist", &order_sql(&no_event, ada)).await?;
    refused(lab, "an order for a customer that does not exist", &order_sql(&event, &nobody)).await?;
    refused(lab, "a line of an order that does not exist", &line_sql(&order.unknown(lab))).await?;
    refused(lab, "a transfer from nobody", &transfer_sql(&nobody.sql(), &bob.sql(), 5)).await?;
    refused(lab, "a transfer to nobody", &transfer_sql(&ada.sql(), &nobody.sql(), 5)).await
}

/// `Ada@example.com` and `ada@example.com` reach the same person; two accounts for one address are a security hole
/// (PostgreSQL manual, 11.7 Indexes on Expressions; F.9 citext).
#[check(title = "Postgres refuses a second customer with the same address", task = 1, points = 1, needs = ["schema"],
        hints = ["Does your table accept `ada@example.com` next to `Ada@Example.com`?",
                 "`CREATE UNIQUE INDEX … ON customers (lower(email))`, or the type `citext`."])]
async fn email_constraint(lab: &Lab) -> CheckResult {
    let _app = lab.start().await?;
    let email = lab.email();
    let insert = |email: &str| format!("insert into customers (email, balance_cents) values ('{email}', 0)");
    lab.postgres().await?.execute(&insert(&email)).await?;
    refused(lab, "the same address again", &insert(&email)).await?;
    refused(lab, "the same address in upper case", &insert(&email.to_ascii_uppercase())).await
}

/// Fails unless Postgres refuses `sql` for breaking a rule of the schema.
async fn refused(lab: &Lab, what: &str, sql: &str) -> CheckResult {
    let refusal = lab.postgres().await?.sql(sql).expect_refused(what).await;
    refusal.map(|_| ()).map_err(|failure| failure.reproduce(format!("psql \"$DATABASE_URL\" -c \"{sql}\"")))
}

fn order_sql(event: &Id, customer: &Id) -> String {
    format!(
        "insert into orders (event_id, customer_id, status, total_cents) values ({}, {}, 'confirmed', 100)",
        event.sql(),
        customer.sql()
    )
}

fn line_sql(order: &Id) -> String {
    format!("insert into order_lines (order_id, price_cents) values ({}, 100)", order.sql())
}

fn transfer_sql(from: &str, to: &str, amount_cents: i64) -> String {
    format!(
        "insert into transfers (from_customer_id, to_customer_id, amount_cents) values ({from}, {to}, {amount_cents})"
    )
}

async fn insert_order(lab: &Lab, event: &Id, customer: &Id) -> CheckResult<Id> {
    let sql = format!("{} returning id::text", order_sql(event, customer));
    Ok(Id::from_sql(&lab.postgres().await?.scalar::<String>(&sql).await?))
}

async fn insert_transfer(lab: &Lab, from: &Id, to: &Id, amount_cents: i64) -> CheckResult {
    lab.postgres().await?.execute(&transfer_sql(&from.sql(), &to.sql(), amount_cents)).await?;
    Ok(())
}
