//! Rows that the grader makes by SQL, so that a check depends on no endpoint but the one it is about.

use chrono::{DateTime, Utc};
use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use super::{Id, moment, rfc3339};

/// An event to be made.
#[derive(Debug, Clone)]
pub struct Seed {
    pub title: String,
    pub starts_at: DateTime<Utc>,
    pub seats: i64,
    pub price_cents: i64,
}

impl Seed {
    /// An event with values that nobody could have foreseen.
    pub fn random(lab: &Lab) -> Self {
        Self {
            title: format!("Concert {}", lab.word()),
            starts_at: moment(lab),
            seats: lab.number(20, 500),
            price_cents: lab.number(100, 9_999),
        }
    }

    pub fn title(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    pub fn starts_at(self, starts_at: DateTime<Utc>) -> Self {
        Self { starts_at, ..self }
    }

    pub fn seats(self, seats: i64) -> Self {
        Self { seats, ..self }
    }

    pub fn price_cents(self, price_cents: i64) -> Self {
        Self { price_cents, ..self }
    }

    /// As the body of `POST /events`.
    pub fn json(&self) -> Value {
        json!({
            "title": self.title,
            "starts_at": rfc3339(self.starts_at),
            "seats": self.seats,
            "price_cents": self.price_cents,
        })
    }

    /// Inserts it.
    pub async fn insert(&self, lab: &Lab) -> CheckResult<Id> {
        Ok(insert_all(lab, std::slice::from_ref(self)).await?.remove(0))
    }

    fn values(&self) -> String {
        let Self { title, starts_at, seats, price_cents } = self;
        format!("({}, '{}', {seats}, {price_cents})", literal(title), rfc3339(*starts_at))
    }
}

/// Inserts all of them; their ids come in the same order.
pub async fn insert_all(lab: &Lab, seeds: &[Seed]) -> CheckResult<Vec<Id>> {
    let values: Vec<_> = seeds.iter().map(Seed::values).collect();
    // RETURNING follows the order of VALUES in every version of Postgres.
    let sql = format!(
        "insert into events (title, starts_at, seats, price_cents) values {} returning id::text",
        values.join(", ")
    );
    ids(lab, &sql).await
}

/// A customer with this much credit.
pub async fn customer(lab: &Lab, balance_cents: i64) -> CheckResult<Id> {
    Ok(customers(lab, 1, balance_cents).await?.remove(0))
}

/// Several customers, each with this much credit.
pub async fn customers(lab: &Lab, count: usize, balance_cents: i64) -> CheckResult<Vec<Id>> {
    let values: Vec<_> = (0..count).map(|_| format!("('{}', {balance_cents})", lab.email())).collect();
    let sql = format!("insert into customers (email, balance_cents) values {} returning id::text", values.join(", "));
    ids(lab, &sql).await
}

async fn ids(lab: &Lab, sql: &str) -> CheckResult<Vec<Id>> {
    let rows: Vec<(String,)> = lab.postgres().await?.rows(sql).await?;
    Ok(rows.iter().map(|(id,)| Id::from_sql(id)).collect())
}

/// Text as an SQL literal.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
