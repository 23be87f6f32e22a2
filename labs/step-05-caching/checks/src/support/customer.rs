//! Customers and their sessions.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

/// A customer of the box office.
#[derive(Debug, Clone)]
pub struct Customer {
    pub name: String,
    pub card: String,
    pub discount_percent: i64,
}

impl Customer {
    /// Makes one by SQL.
    pub async fn insert(lab: &Lab, discount_percent: i64) -> CheckResult<Self> {
        let customer = Self { name: lab.word(), card: format!("{}-{}", lab.word(), lab.word()), discount_percent };
        let sql = "insert into customers (name, card, discount_percent) values ($1, $2, $3)";
        let db = lab.postgres().await?;
        let insert = db.sql(sql).bind(customer.name.clone()).bind(customer.card.clone());
        insert.bind(i32::try_from(discount_percent).unwrap_or_default()).execute().await?;
        Ok(customer)
    }

    /// The request that begins a session.
    pub fn log_in(&self, app: &App) -> Request {
        app.post("/sessions").json(&json!({ "card": self.card }))
    }

    /// Begins a session and gives the cookie's value.
    pub async fn session(&self, app: &App) -> CheckResult<String> {
        cookie(&self.log_in(app).await?.expect_status(201)?)
    }

    /// Fails unless the answer shows this customer.
    pub fn expect_in(&self, answer: Response) -> CheckResult<Response> {
        answer.expect_status(200)?.expect_json(self.json())
    }

    /// As answers show them.
    pub fn json(&self) -> Value {
        json!({ "customer": {
            "id": lab_kit::http::any_id(), "name": self.name, "discount_percent": self.discount_percent,
        } })
    }
}

/// The value of the session cookie that an answer sets.
pub fn cookie(answer: &Response) -> CheckResult<String> {
    let set = answer.headers("set-cookie");
    let value = set.iter().find_map(|field| {
        let (name, value) = field.split(';').next()?.split_once('=')?;
        (name.trim() == "session").then(|| value.trim().trim_matches('"').to_owned())
    });
    value.filter(|value| value.len() >= 16).ok_or_else(|| {
        answer
            .failure("the answer sets no session cookie")
            .expected("Set-Cookie: session=…, with a value of at least 16 characters")
            .actual(format!("{set:?}"))
    })
}
