//! A database on which version 1 has run, and what an instance of version 1 says to it.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;
use sha2::{Digest as _, Sha384};
use sqlx::{Connection as _, Executor as _, PgConnection};

/// The migration that version 1 brought along, as it was given out.
const MIGRATION: &str = include_str!("../../../migrations/0001_box_office.sql");
const FILE: &str = "migrations/0001_box_office.sql";

/// A session of version 1: the server's own user, with the statements of the old program.
#[derive(Debug)]
pub struct VersionOne(PgConnection);

impl VersionOne {
    /// A session on whatever schema the database has.
    pub async fn connect(lab: &Lab) -> CheckResult<Self> {
        let url = lab.postgres().await?.url();
        Ok(Self(PgConnection::connect(url).await.ours("connecting to the database as version 1")?))
    }

    /// Brings an empty database to the state in which version 1 left it: its schema, and the ledger of sqlx.
    pub async fn prepare(lab: &Lab) -> CheckResult<Self> {
        expect_that(
            lab.file(FILE)? == MIGRATION,
            format!("`{FILE}` was changed, although it has already run on databases that are in use"),
        )
        .because("a migration that has run is never edited; the next change is a new file")?;
        let mut session = Self::connect(lab).await?;
        let ledger = "create table _sqlx_migrations (
                        version bigint primary key, description text not null,
                        installed_on timestamptz not null default now(), success boolean not null,
                        checksum bytea not null, execution_time bigint not null)";
        // Each file is one text of several statements.
        for sql in [MIGRATION, ledger] {
            session.0.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.ours("making version 1's database")?;
        }
        sqlx::query("insert into _sqlx_migrations values (1, 'box office', now(), true, $1, 0)")
            .bind(Sha384::digest(MIGRATION.as_bytes()).to_vec())
            .execute(&mut session.0)
            .await
            .ours("writing version 1's ledger")?;
        lab.note("the database is as version 1 left it");
        Ok(session)
    }

    /// Makes an event.
    pub async fn event(&mut self, lab: &Lab) -> CheckResult<i64> {
        sqlx::query_scalar("INSERT INTO events (title, seats) VALUES ($1, $2) RETURNING id")
            .bind(format!("Concert {}", lab.word()))
            .bind(100)
            .fetch_one(&mut self.0)
            .await
            .map_err(|error| refused("INSERT INTO events (title, seats)", &error))
    }

    /// Places an order.
    pub async fn order(&mut self, event: i64, customer: &str) -> CheckResult<i64> {
        sqlx::query_scalar("INSERT INTO orders (event_id, customer, seats) VALUES ($1, $2, $3) RETURNING id")
            .bind(event)
            .bind(customer)
            .bind(1)
            .fetch_one(&mut self.0)
            .await
            .map_err(|error| refused("INSERT INTO orders (event_id, customer, seats)", &error))
    }

    /// Places 2,000 orders, more than anybody takes in one batch, with a gap of as many ids behind them.
    pub async fn many_orders(&mut self, lab: &Lab, event: i64) -> CheckResult {
        let orders = "INSERT INTO orders (event_id, customer, seats) SELECT $1, $2 || number, 1
                      FROM generate_series(1, 2000) AS number";
        let placed = sqlx::query(orders).bind(event).bind(lab.word()).execute(&mut self.0).await;
        placed.map_err(|error| refused("INSERT INTO orders (event_id, customer, seats)", &error))?;
        let gap = "SELECT setval(pg_get_serial_sequence('orders', 'id'), max(id) + 2000) FROM orders";
        self.0.execute(gap).await.ours("leaving ids out")?;
        Ok(())
    }

    /// Reads the customer of an order, which version 1 takes to be there always.
    pub async fn customer_of(&mut self, order: i64) -> CheckResult<String> {
        let (_, _, customer, _): (i64, i64, String, i32) =
            sqlx::query_as("SELECT id, event_id, customer, seats FROM orders WHERE id = $1")
                .bind(order)
                .fetch_one(&mut self.0)
                .await
                .map_err(|error| refused("SELECT id, event_id, customer, seats FROM orders", &error))?;
        Ok(customer)
    }

    /// Ends the session.
    pub async fn close(self) -> CheckResult {
        self.0.close().await.ours("closing version 1's session")
    }
}

/// Version 1's statements are right on version 1's schema: when one fails, the schema has changed under it.
fn refused(statement: &str, error: &sqlx::Error) -> Failure {
    if matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) {
        return Failure::ours("speaking to Postgres as version 1", error);
    }
    Failure::learner(format!("a statement of version 1 no longer works: {error}"))
        .sent(format!("{statement} …"))
        .expected("the statements of version 1 work as before, because its instances still run")
        .actual(error.to_string())
}
