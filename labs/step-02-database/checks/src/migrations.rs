//! Task 1, first half: the migrations and their ledger.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{Id, START, Seed, customer};

/// A table and columns of it.
type Table = (&'static str, &'static [&'static str]);

/// The tables and columns that the README names.
const TABLES: [Table; 5] = [
    ("events", &["id", "title", "starts_at", "seats", "seats_sold", "price_cents"]),
    ("customers", &["id", "email", "balance_cents"]),
    ("orders", &["id", "event_id", "customer_id", "status", "total_cents"]),
    ("order_lines", &["order_id", "price_cents"]),
    ("transfers", &["id", "from_customer_id", "to_customer_id", "amount_cents"]),
];

/// A program brings its own schema: whoever starts it on an empty database gets a working one (The Twelve-Factor App,
/// XII; Martin Fowler and Pramod Sadalage, "Evolutionary Database Design").
#[check(title = "the first start creates the table events", task = 1, points = 1,
        hints = ["Which tables does `psql \"$DATABASE_URL\" -c '\\d'` show after a start?",
                 "A migration does nothing unless the program runs it: call `sqlx::migrate!().run(&pool)` before you listen.",
                 "`CREATE TABLE events (…)` in `migrations/0001_events.sql`, with the columns of the README's table."])]
async fn events_table(lab: &Lab) -> CheckResult {
    let _app = lab.start().await?;
    expect_tables(lab, &TABLES[..1]).await
}

/// Each table has its own migration, and they run in the order of their numbers: a table can refer only to those that are
/// there (PostgreSQL manual, 5.5.5 Foreign Keys; sqlx, `migrate!`).
#[check(title = "the first start creates all five tables", task = 1, points = 1, needs = ["events_table"],
        hints = ["Which table has to be there before another can refer to it?",
                 "A file each: `0002_customers.sql`, `0003_orders.sql` and so on. They run in the order of their numbers.",
                 "Compare the names letter by letter with the README's table: `order_lines`, `from_customer_id`."])]
async fn schema(lab: &Lab) -> CheckResult {
    let _app = lab.start().await?;
    expect_tables(lab, &TABLES).await
}

/// A server is started thousands of times on one database. Each migration is recorded, so that it never runs again and
/// everybody can see which ones a database has (sqlx, `migrate!`; The Twelve-Factor App, VI and XII).
#[check(title = "migrations run once and are recorded in a ledger", task = 1, points = 5, needs = ["schema"],
        hints = ["When your server starts a second time, how does it know that the tables already exist?",
                 "`CREATE TABLE IF NOT EXISTS` knows that a table of this name exists, not what it looks like.",
                 "Let `sqlx::migrate!()` run the files: it keeps the table `_sqlx_migrations`."])]
async fn migrations_run_once(lab: &Lab) -> CheckResult {
    let mut app = lab.start().await?;
    let db = lab.postgres().await?;
    let ledgers = other_tables(lab).await?;
    if !ledgers.iter().any(|(_, rows)| *rows > 0) {
        let names: Vec<_> = ledgers.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Failure::learner("no table records which migrations have run")
            .expected("besides the lab's five tables, one with a row for each migration, such as `_sqlx_migrations`")
            .actual(if names.is_empty() {
                "no other table".into()
            } else {
                format!("no rows in {}", names.join(", "))
            }));
    }
    let event = Seed::random(lab).insert(lab).await?;
    let ada = customer(lab, 500).await?;
    insert_order(lab, &event, &ada).await?;
    let (tables, rows, sent) = (identities(lab).await?, contents(lab).await?, db.statements().len());
    app.restart().await?;
    expect_equal("the tables and their object ids", &identities(lab).await?, &tables)
        .because("a table with a new object id is a different table: the old one was dropped")?;
    expect_equal("the rows of events, customers and orders", &contents(lab).await?, &rows)?;
    expect_equal("rows in the ledger after the second start", &other_tables(lab).await?, &ledgers)?;
    let again = db.statements().iter().skip(sent).find_map(|statement| remade_table(&statement.sql));
    match again {
        Some((table, sql)) => Err(Failure::learner(format!("the second start creates the table `{table}` again"))
            .expected("a migration that has run does not run again")
            .actual(sql)),
        None => Ok(()),
    }
}

/// When servers start side by side, one of them must do the work while the others wait (PostgreSQL manual, 13.3.5
/// Advisory Locks).
#[check(title = "several servers may start at once on an empty database", task = 1, points = 2, needs = ["schema"],
        hints = ["Two processes read the ledger at the same moment, and both find it empty. What happens then?",
                 "A lock that outlasts the statement makes the second one wait: `pg_advisory_lock`. sqlx takes it for you."])]
async fn two_starts_at_once(lab: &Lab) -> CheckResult {
    let db = lab.postgres().await?;
    // While we hold this lock nobody can make a table. So all of them get to that point before one gets past it.
    let gate = db.forbid_new_tables().await?;
    if gate.is_some() {
        lab.note("nobody can create a table for now");
    }
    let open = async {
        // Servers that poll, or that agree in another way, never wait for a lock: then the time has to do.
        db.until_waiting(3, Duration::from_secs(2)).await?;
        // On a cluster without a superuser the three are left to meet by chance.
        if let Some(gate) = gate {
            gate.rollback().await?;
            lab.note("tables can be created again");
        }
        Ok(())
    };
    let _servers = tokio::try_join!(lab.server().start_together(3, START), open)?;
    // never fails alone: a server is ready once the tables are there, as `schema` asks of one
    expect_tables(lab, &TABLES).await
}

/// A start may be killed at any moment, and what it leaves behind must not stop the next one: a migration happens
/// completely or not at all (PostgreSQL manual, 3.4 Transactions; sqlx, `migrate!`).
#[check(title = "a start that is cut off half-way does no damage", task = 1, points = 2, needs = ["migrations_run_once"],
        hints = ["Half of the tables have been created when the connection breaks. What does the next start do?",
                 "Postgres can create tables in a transaction. Put each migration into one, along with its row in the ledger."])]
async fn interrupted_migration(lab: &Lab) -> CheckResult {
    let db = lab.postgres().await?;
    let failpoint = db.proxy().cut_at("order_lines");
    let mut first = lab.server().without_waiting().start().await?;
    lab.eventually("the server sends SQL that names `order_lines`", Duration::from_secs(10), || async {
        // never fails alone: whoever makes the table, as `schema` asks, names it
        expect_that(failpoint.was_triggered(), "the server sent none")
    })
    .await?;
    first.kill().await?;
    db.proxy().restore();
    lab.note("the first start was cut off; this is the second");
    let _second = lab.start().await.because("the start before it was cut off when it reached `order_lines`")?;
    expect_tables(lab, &TABLES).await
}

async fn expect_tables(lab: &Lab, tables: &[Table]) -> CheckResult {
    let sql = "select c.relname::text, a.attname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
               where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
                 and a.attnum > 0 and not a.attisdropped";
    let found: Vec<(String, String)> = lab.postgres().await?.rows(sql).await?;
    let mut missing = Vec::new();
    for (table, columns) in tables {
        if !found.iter().any(|(name, _)| name == table) {
            missing.push(format!("the table `{table}`"));
            continue;
        }
        let absent = columns.iter().filter(|column| !found.iter().any(|(t, c)| t == table && c == *column));
        missing.extend(absent.map(|column| format!("the column `{table}.{column}`")));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::learner(format!("after a start the database lacks {}", missing.join(", ")))
        .expected("the tables and columns that the README names, in the schema public"))
}

/// Every table that is not one of the lab's five, with the number of its rows.
async fn other_tables(lab: &Lab) -> CheckResult<Vec<(String, i64)>> {
    let db = lab.postgres().await?;
    let names: Vec<(String,)> = db
        .rows(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
             order by 1",
        )
        .await?;
    let mut tables = Vec::new();
    for (name,) in names {
        let ours = name.strip_prefix("public.").is_some_and(|table| TABLES.iter().any(|(ours, _)| *ours == table));
        if !ours {
            let rows = db.scalar(&format!("select count(*) from {name}")).await?;
            tables.push((name, rows));
        }
    }
    Ok(tables)
}

/// Which of the lab's tables `sql` creates, if it creates one.
fn remade_table(sql: &str) -> Option<(&'static str, String)> {
    let words = sql.to_ascii_lowercase().replace('"', " ").replace("public.", " ").replace('(', " ");
    let words: Vec<_> = words.split_whitespace().collect();
    words.windows(6).chain(words.windows(3)).find_map(|window| {
        let name = match window {
            ["create", "table", "if", "not", "exists", name] => name,
            ["create", "table", name] => name,
            _ => return None,
        };
        TABLES.iter().find(|(table, _)| table == name).map(|(table, _)| (*table, sql.to_owned()))
    })
}

async fn identities(lab: &Lab) -> CheckResult<Vec<(String, i64)>> {
    let sql = "select relname::text, oid::bigint from pg_class
               where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                 and relname in ('events', 'customers', 'orders', 'order_lines', 'transfers') order by 1";
    lab.postgres().await?.rows(sql).await
}

async fn contents(lab: &Lab) -> CheckResult<Vec<(String, String)>> {
    let sql = "select 'event', concat(id, ' ', title) from events union all
               select 'customer', concat(id, ' ', balance_cents) from customers union all
               select 'order', concat(id, ' ', status, ' ', total_cents) from orders order by 1, 2";
    lab.postgres().await?.rows(sql).await
}

async fn insert_order(lab: &Lab, event: &Id, customer: &Id) -> CheckResult {
    let sql = format!(
        "insert into orders (event_id, customer_id, status, total_cents) values ({}, {}, 'confirmed', 100)",
        event.sql(),
        customer.sql()
    );
    lab.postgres().await?.execute(&sql).await?;
    Ok(())
}
