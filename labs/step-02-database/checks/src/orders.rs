//! Task 6: an order is several writes, and either all of them happen or none.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::events::read;
use crate::support::{
    BAD_INPUT, Books, Id, Moment, Sabotage, Seed, TOO_LARGE, customer, expect_server_error, no_amounts,
};

/// An order moves seats and money, and all tables agree about it (PostgreSQL manual, 3.4 Transactions).
#[check(title = "an order takes seats and credit", task = 6, points = 2, needs = ["read_event"],
        hints = ["Which tables does an order change?",
                 "One row in `orders`, one in `order_lines` for each seat, `seats_sold` up, `balance_cents` down."])]
async fn place_order(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let seed = Seed::random(lab);
    let (event, ada) = (seed.insert(lab).await?, customer(lab, 1_000_000).await?);
    customer(lab, 77).await?;
    let seats = lab.number(2, 7);
    let total_cents = seats * seed.price_cents;
    let expected = json!({
        "id": lab_kit::http::any_id(),
        "event_id": event.json(),
        "customer_id": ada.json(),
        "seats": seats,
        "total_cents": total_cents,
        "status": "confirmed",
    });
    let answer = ordered(&app, &event, &ada, seats).await?.expect_json(expected)?;
    let id = Id::of(&answer, "/id")?;
    let db = lab.postgres().await?;
    let sql = "select id::text, event_id::text, customer_id::text, status::text, total_cents::bigint from orders";
    let rows: Vec<(String, String, String, String, i64)> = db.rows(sql).await?;
    let row = (id.to_string(), event.to_string(), ada.to_string(), "confirmed".to_owned(), total_cents);
    expect_equal("the rows in `orders`", &rows, &vec![row])?;
    let lines: Vec<(String, i64)> = db.rows("select order_id::text, price_cents::bigint from order_lines").await?;
    let line = (id.to_string(), seed.price_cents);
    expect_equal("the rows in `order_lines`", &lines, &vec![line; usize::try_from(seats).unwrap_or(0)])?;
    let books = Books {
        orders: 1,
        confirmed_orders: 1,
        order_lines: seats,
        seats_sold: seats,
        balances_cents: 1_000_077 - total_cents,
        transfers: 0,
    };
    Books::read(lab).await?.expect(books, &format!("an order of {seats} seats at {} cents each", seed.price_cents))?;
    let left = json!({ "seats_left": seed.seats - seats });
    read(&app, &format!("/events/{event}")).await?.expect_json(left)?;
    Ok(())
}

/// Asking for more than there is conflicts with the state of the data; what does not exist is not found (RFC 9110
/// §15.5.10 and §15.5.5).
#[check(title = "an order that cannot be filled is refused and changes nothing", task = 6, points = 2, needs = ["place_order"],
        hints = ["Which status tells a client that there are not enough seats, and which that there is no such event?",
                 "An UPDATE whose WHERE requires enough seats changes no row when there are too few: then find out why."])]
async fn order_refusals(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = Seed::random(lab).seats(3).price_cents(400).insert(lab).await?;
    let (ada, bob) = (customer(lab, 1_200).await?, customer(lab, 799).await?);
    let before = Books::read(lab).await?;
    order(&app, &event, &ada, 4).await?.expect_status(409).because("the event has 3 seats")?;
    order(&app, &event, &bob, 2)
        .await?
        .expect_status(409)
        .because("2 seats cost 800 cents, and the customer has 799")?;
    order(&app, &event.unknown(lab), &ada, 1).await?.expect_status(404).because("there is no such event")?;
    order(&app, &event, &ada.unknown(lab), 1).await?.expect_status(404).because("there is no such customer")?;
    let path = format!("/events/{event}/orders");
    for seats in no_amounts() {
        let body = json!({ "customer_id": ada.json(), "seats": seats });
        app.post(&path).json(&body).await?.expect_status_in(&BAD_INPUT)?;
    }
    for body in [json!({ "customer_id": ada.json() }), json!({ "seats": 1 })] {
        app.post(&path).json(&body).await?.expect_status_in(&BAD_INPUT).because("a member is missing")?;
    }
    // 2^32 + 1 is 1 for whoever cuts it to 32 bits.
    for seats in [3_000_000_000, (1 << 32) + 1, i64::MAX] {
        order(&app, &event, &ada, seats).await?.expect_status_in(&TOO_LARGE).hint(
            "Which numbers fit into the type that `seats` has in your code, and in each column it is compared with?",
        )?;
    }
    Books::expect_unchanged(lab, before, "orders that were refused")
        .await
        .hint("Which of an order's statements have already run when your server finds that it cannot be filled?")?;
    order(&app, &event, &ada, 3)
        .await
        .hint("Orders were refused before this one. How did the transaction of each of them end, and on which connection?")?
        .expect_status(201)
        .because("there are exactly enough seats and enough credit")
        .hint("Three seats are left, and three are wanted. What does your comparison say to that?")?;
    order(&app, &event, &bob, 1).await?.expect_status(409).because("all seats have been sold")?;
    let (free, poor) = (Seed::random(lab).price_cents(0).insert(lab).await?, customer(lab, 0).await?);
    let answer = order(&app, &free, &poor, 1).await?.expect_status(201);
    answer
        .because("the event costs nothing, and no credit is enough for that")?
        // never fails alone: `place_order` asks for the total
        .expect_json(json!({ "total_cents": 0 }))?;
    Ok(())
}

/// A transaction that fails anywhere leaves nothing behind: no order without its lines, no payment without its seats
/// (PostgreSQL manual, 3.4 Transactions).
#[check(title = "an order that fails half-way leaves nothing behind", task = 6, points = 3, needs = ["place_order"],
        hints = ["The last of your statements fails. Who undoes the earlier ones?",
                 "Run every statement of the order on the transaction (`&mut *transaction`), none on the pool.",
                 "A transaction that is dropped without `commit()` is rolled back."])]
async fn order_all_or_nothing(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = Seed::random(lab).insert(lab).await?;
    let ada = customer(lab, 1_000_000).await?;
    let before = Books::read(lab).await?;
    for (table, first) in [("events", 1), ("customers", 1), ("orders", 1), ("order_lines", 3)] {
        Sabotage::of(table).from(first).arm(lab).await?;
        let answer = order(&app, &event, &ada, 3).await?;
        expect_server_error(answer).because(&format!("a write to `{table}` failed"))?;
        expect_no_open_transaction(lab).await?;
        Sabotage::disarm(lab).await?;
        Books::expect_unchanged(lab, before, &format!("an order whose write to `{table}` failed")).await?;
    }
    order(&app, &event, &ada, 3).await?.expect_status(201).because("nothing fails any more")?;
    Ok(())
}

/// Nothing is certain until COMMIT has returned: constraints may be checked only then, and conflicts found (PostgreSQL
/// manual, COMMIT; SET CONSTRAINTS).
#[check(title = "an order is confirmed only once it is committed", task = 6, points = 2, needs = ["place_order"],
        hints = ["Can COMMIT fail?", "Send 201 only after `transaction.commit().await?` has returned Ok."])]
async fn commit_failure(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = Seed::random(lab).insert(lab).await?;
    let ada = customer(lab, 1_000_000).await?;
    let before = Books::read(lab).await?;
    Sabotage::of("orders").at(Moment::Commit).arm(lab).await?;
    expect_server_error(order(&app, &event, &ada, 2).await?).because("the COMMIT failed")?;
    // never fails alone: Postgres ends a transaction whose COMMIT has failed, whatever the server does next
    expect_no_open_transaction(lab).await?;
    Sabotage::disarm(lab).await?;
    Books::expect_unchanged(lab, before, "an order whose COMMIT failed").await?;
    order(&app, &event, &ada, 2).await?.expect_status(201).because("nothing fails any more")?;
    Ok(())
}

/// Cancelling returns what the order took (PostgreSQL manual, 3.4 Transactions).
#[check(title = "cancelling returns seats and credit", task = 6, points = 1, needs = ["place_order"],
        hints = ["Which of the order's changes have to be undone?", "`seats_sold` down, `balance_cents` up, `status` to `cancelled`, in one transaction.",
                 "Return what the order cost, which may differ from what its seats cost now."])]
async fn cancel_order(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = Seed::random(lab).insert(lab).await?;
    let ada = customer(lab, 1_000_000).await?;
    ordered(&app, &event, &ada, 1).await?;
    let kept = Books::read(lab).await?;
    let placed = ordered(&app, &event, &ada, 3).await?;
    let (id, total) = (Id::of(&placed, "/id")?, placed.at::<Value>("/total_cents")?);
    // What comes back is what was paid, whatever a seat costs by now.
    let sql = format!("update events set price_cents = price_cents + 50 where id = {}", event.sql());
    lab.postgres().await?.execute(&sql).await?;
    let ordered = Books::read(lab).await?;
    for table in ["events", "customers", "orders"] {
        Sabotage::of(table).arm(lab).await?;
        expect_server_error(cancel(&app, &id).await?).because(&format!("a write to `{table}` failed"))?;
        Sabotage::disarm(lab).await?;
        Books::expect_unchanged(lab, ordered, &format!("a cancellation whose write to `{table}` failed")).await?;
    }
    let expected = json!({
        "id": id.json(), "event_id": event.json(), "customer_id": ada.json(), "seats": 3, "total_cents": total,
        "status": "cancelled",
    });
    cancel(&app, &id).await?.expect_status(200)?.expect_json(expected)?;
    let after = Books::read(lab).await?;
    // The lines of a cancelled order may stay or go.
    let expected = Books { orders: kept.orders + 1, order_lines: after.order_lines, ..kept };
    after
        .expect(expected, "a cancelled order keeps its row and returns seats and credit")
        .hint("The price has changed since. What did these seats cost, and where is that written?")?;
    cancel(&app, &id.unknown(lab)).await?.expect_status(404)?;
    Ok(())
}

/// Sends an order.
pub async fn order(app: &App, event: &Id, customer: &Id, seats: i64) -> CheckResult<Response> {
    place(app, event, customer, seats).await
}

/// Sends an order that is to be made.
pub async fn ordered(app: &App, event: &Id, customer: &Id, seats: i64) -> CheckResult<Response> {
    order(app, event, customer, seats).await?.expect_status(201)
}

/// An order that is sent when it is awaited.
pub fn place(app: &App, event: &Id, customer: &Id, seats: i64) -> Request {
    app.post(format!("/events/{event}/orders")).json(&json!({ "customer_id": customer.json(), "seats": seats }))
}

/// A cancellation that is sent when it is awaited. It has no content and says so (RFC 9110 §8.6).
pub fn cancellation(app: &App, order: &Id) -> Request {
    app.post(format!("/orders/{order}/cancel")).header("Content-Length", 0)
}

/// Sends a cancellation.
pub async fn cancel(app: &App, order: &Id) -> CheckResult<Response> {
    cancellation(app, order).await
}

/// Fails unless every transaction that the server began has come to its end.
pub async fn expect_no_open_transaction(lab: &Lab) -> CheckResult {
    let db = lab.postgres().await?;
    let sql = "select count(*) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'";
    lab.eventually("the server has no open transaction", Duration::from_secs(3), || async {
        expect_equal("transactions that were begun and never ended", &db.scalar::<i64>(sql).await?, &0)
    })
    .await
}
