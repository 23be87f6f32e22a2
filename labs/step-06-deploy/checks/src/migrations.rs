//! Task 4: a schema that changes while others work on it.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{Office, START, VersionOne};

/// A change covers existing rows, too (Martin Fowler and Pramod Sadalage, "Evolutionary Database Design"; Danilo Sato,
/// "Parallel Change").
#[check(title = "orders of version 1 have a buyer after the migration", task = 4, points = 2,
        hints = ["A new column is NULL in every existing row.",
                 "Add a file to `migrations/`: add `buyer`, then `UPDATE orders SET buyer = customer`."])]
async fn old_rows(lab: &Lab) -> CheckResult {
    let mut old = VersionOne::prepare(lab).await?;
    let event = old.event(lab).await?;
    let names = [lab.word(), lab.word()];
    let mut orders = Vec::new();
    for name in &names {
        orders.push(old.order(event, name).await?);
    }
    old.close().await?;
    let app = lab.start().await?;
    for (order, name) in orders.iter().zip(&names) {
        expect_buyer(lab, &app, *order, name).await?;
    }
    Ok(())
}

/// A release starts several instances at once, and all of them find work to do (PostgreSQL manual, 13.3.5 Advisory Locks).
#[check(title = "several instances may migrate at the same moment", task = 4, points = 3, needs = ["old_rows"],
        hints = ["Two processes read the ledger at the same moment, and both find the second migration missing. What happens then?",
                 "sqlx takes an advisory lock around the migrations, unless you tell it not to."])]
async fn migrate_together(lab: &Lab) -> CheckResult {
    let mut old = VersionOne::prepare(lab).await?;
    let event = old.event(lab).await?;
    let name = lab.word();
    old.many_orders(lab, event).await?;
    let order = old.order(event, &name).await?;
    old.many_orders(lab, event).await?;
    old.close().await?;
    // While the table is locked nobody can change it. So all of them get to that point before one gets past it. Servers
    // that look at the ledger again and again, in place of waiting for a lock, have to do with the time.
    let starting = lab.server().start_together(3, START);
    for server in &lab.postgres().await?.overlap("orders", 3, Duration::from_secs(2), starting).await? {
        expect_buyer(lab, server, order, &name).await?;
    }
    let left = "select count(*) from orders where buyer is distinct from customer";
    let left: i64 = lab.postgres().await?.scalar(left).await?;
    expect_equal("orders whose buyer is not their customer", &left, &0)
        .because("version 1 has placed thousands of orders, and ids have gaps")
        .hint("Where does your backfill begin its next batch, and when does it end?")
}

/// Old and new instances run side by side during a release, and old ones again after a rollback. So a schema grows
/// first and shrinks some releases later (Danilo Sato, "Parallel Change"; PostgreSQL manual, 5.7 Modifying Tables).
#[check(title = "instances of version 1 work on the new schema", task = 4, points = 4, needs = ["old_rows"],
        hints = ["Which statements does an instance of version 1 send after you have renamed its column?",
                 "Keep `customer`, add `buyer`. Version 1 writes only the first: a trigger can fill the second.",
                 "Version 1 also reads what you write: write both columns."])]
async fn old_binary(lab: &Lab) -> CheckResult {
    let mut old = VersionOne::prepare(lab).await?;
    let event = old.event(lab).await?;
    let office = Office::new(lab);
    let app = office.server(lab).start().await?;
    // As long as a name may be.
    let (theirs, ours) = (format!("{:é<200}", lab.word()), format!("{:é<200}", lab.word()));
    let order = old.order(event, &theirs).await?;
    expect_buyer(lab, &app, order, &theirs).await.because("an instance of version 1 placed the order")?;
    let body = json!({"buyer": ours, "seats": 1});
    let path = format!("/events/{event}/orders");
    let placed = app.post(path).bearer(&office.token).json(&body).await?.expect_status(201)?;
    let order = placed.expect_json(json!({"buyer": ours, "seats": 1, "event_id": event}))?.at::<i64>("/id")?;
    let read = old.customer_of(order).await?;
    expect_equal("what version 1 reads as the customer of a new order", &read, &ours)?;
    expect_buyer(lab, &app, order, &ours).await?;
    old.event(lab).await?;
    old.close().await
}

/// A change of a table waits for all who use it, and everybody who comes later waits behind the change. One long report
/// and a migration together stop the sale (PostgreSQL manual, 13.3.1 Table-Level Locks; 19.11.1 lock_timeout).
#[check(title = "a migration that has to wait lets others go on", task = 4, points = 2, needs = ["old_binary"],
        hints = ["A report reads `orders` for minutes, and `ALTER TABLE orders` waits for its end. Who waits behind the ALTER?",
                 "`SET LOCAL lock_timeout = '2s'` in the migration: it fails in place of waiting, and others get their turn.",
                 "A migration that failed so (55P03) is tried again a moment later: on a connection that holds no lock of the try before."])]
async fn migration_gives_way(lab: &Lab) -> CheckResult {
    const TURN: Duration = Duration::from_secs(6);
    let mut old = VersionOne::prepare(lab).await?;
    let event = old.event(lab).await?;
    let before = lab.word();
    let first = old.order(event, &before).await?;
    let mut report = lab.postgres().await?.begin().await?;
    report.execute("select count(*) from orders").await?;
    lab.note("a report has read `orders`, and its transaction stays open");
    let mut app = lab.server().without_waiting().start().await?;
    lab.postgres().await?.until_waiting(1, START).await?;
    let name = lab.word();
    let placed = tokio::time::timeout(TURN, old.order(event, &name)).await;
    let Ok(placed) = placed else {
        return Err(Failure::learner(
            "while the migration waited for the table `orders`, version 1 could not place an order",
        )
        .expected("the migration gives up after 3 seconds, lets others go on, and tries again")
        .actual(format!("an INSERT of version 1 waited for {} s", TURN.as_secs())));
    };
    let second = placed?;
    report.rollback().await?;
    lab.note("the report has ended");
    app.ready(START).await.because("the report that it waited for has ended")?;
    expect_buyer(lab, &app, first, &before).await?;
    expect_buyer(lab, &app, second, &name).await?;
    old.close().await
}

/// One day the program you write now will be the old one: started again, or rolled back to, on a schema that is newer
/// than itself (sqlx, `Migrator::set_ignore_missing`).
#[check(title = "the server starts on a schema that is newer than itself", task = 4, points = 3,
        hints = ["The ledger names a migration that your program has never heard of. Is that an error?",
                 "It is for sqlx, unless you call `set_ignore_missing(true)` on the migrator."])]
async fn newer_schema(lab: &Lab) -> CheckResult {
    drop(lab.start().await?);
    let db = lab.postgres().await?;
    let ledger: bool = db.scalar("select to_regclass('public._sqlx_migrations') is not null").await?;
    if !ledger {
        // A program in another language has a ledger of its own.
        lab.tree().map_err(|_| Failure::not_applicable("only sqlx's ledger is known, and a program was given"))?;
        return Err(Failure::learner("after its first start the database has no ledger `_sqlx_migrations`")
            .expected("a row for each migration in the table `_sqlx_migrations` of the schema `public`")
            .actual("there is no such table"));
    }
    db.execute(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (99999999999999, 'from the future', true, 'unknown', 0)",
    )
    .await?;
    db.execute("alter table events add column doors_open_at timestamptz").await?;
    lab.note("a newer version has added a column, and a row to the ledger");
    let office = Office::new(lab);
    let app =
        office.server(lab).start().await.because("the schema was newer than the server, but compatible with it")?;
    office.event(lab, &app).await?;
    Ok(())
}

/// The order's buyer, as the table and as the server show it.
async fn expect_buyer(lab: &Lab, app: &App, order: i64, name: &str) -> CheckResult {
    let db = lab.postgres().await?;
    let buyer: Option<String> = db.sql("select buyer::text from orders where id = $1").bind(order).scalar().await?;
    expect_equal("orders.buyer", &buyer.as_deref(), &Some(name))?;
    app.get(format!("/orders/{order}")).await?.expect_json(json!({"id": order, "buyer": name}))?;
    Ok(())
}
