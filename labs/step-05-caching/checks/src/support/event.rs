//! Events, as the grader makes them.

use chrono::{DateTime, Utc};
use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;
use lab_kit::time::{expect_moment, moment, rfc3339};
use lab_postgres::LabPostgres as _;
use uuid::Uuid;

/// An event with values that nobody could have foreseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: Uuid,
    pub title: String,
    pub category: String,
    pub starts_at: DateTime<Utc>,
    pub seats: i64,
    /// Whole euros, so that percentages leave no fractions.
    pub price_cents: i64,
}

impl Event {
    pub fn random(lab: &Lab) -> Self {
        Self {
            id: id(lab),
            title: format!("Concert {}", lab.word()),
            category: lab.word(),
            starts_at: moment(lab),
            seats: lab.number(20, 500),
            price_cents: 100 * lab.number(1, 100_000),
        }
    }

    pub fn with_category(self, category: &str) -> Self {
        Self { category: category.to_owned(), ..self }
    }

    /// The same event with everything about it changed but its id and category.
    pub fn changed(&self, lab: &Lab) -> Self {
        Self { id: self.id, category: self.category.clone(), ..Self::random(lab) }
    }

    pub fn path(&self) -> String {
        format!("/events/{}", self.id)
    }

    /// Its category's list.
    pub fn list(&self) -> String {
        format!("/events?category={}", self.category)
    }

    /// What it costs who has this discount.
    pub fn at_discount(&self, percent: i64) -> Self {
        Self { price_cents: self.price_cents * (100 - percent) / 100, ..self.clone() }
    }

    /// Inserts it by SQL, behind the server's back.
    pub async fn insert(&self, lab: &Lab) -> CheckResult {
        insert_all(lab, std::slice::from_ref(self)).await
    }

    /// Changes its row by SQL, behind the server's back.
    pub async fn overwrite(&self, lab: &Lab) -> CheckResult {
        let sql = "update events set title = $2, category = $3, starts_at = $4, seats = $5::bigint, price_cents = $6
                   where id = $1";
        let db = lab.postgres().await?;
        let update = db.sql(sql).bind(self.id).bind(self.title.clone()).bind(self.category.clone());
        update.bind(self.starts_at).bind(self.seats).bind(self.price_cents).execute().await?;
        Ok(())
    }

    /// The request that writes it.
    pub fn put(&self, app: &App) -> Request {
        app.put(self.path()).json(&json!({
            "title": self.title,
            "category": self.category,
            "starts_at": rfc3339(self.starts_at),
            "seats": self.seats,
            "price_cents": self.price_cents,
        }))
    }

    /// Writes it, as a change of an event that was there before.
    pub async fn change(&self, app: &App) -> CheckResult {
        // never fails alone: `events` asks the same of a PUT, and whatever changes an event needs it
        self.put(app).await?.expect_status(200)?;
        Ok(())
    }

    /// As an answer must show it, without the time.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "title": self.title,
            "category": self.category,
            "seats": self.seats,
            "price_cents": self.price_cents,
        })
    }

    /// Fails unless `answer` shows this event.
    pub fn expect_in(&self, answer: Response) -> CheckResult<Response> {
        expect_moment(answer.expect_json(self.json())?, "/starts_at", self.starts_at)
    }

    /// Fails unless `answer` is 200 and shows this event.
    pub fn expect_shown(&self, answer: Response) -> CheckResult<Response> {
        self.expect_in(answer.expect_status(200)?)
    }

    /// Fails unless this is what a `GET` gives.
    pub async fn expect_read(&self, request: Request) -> CheckResult<Response> {
        self.expect_shown(request.await?)
    }
}

/// Events of which no two begin at the same time or cost the same.
pub fn distinct(lab: &Lab, count: usize) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    while events.len() < count {
        let event = Event::random(lab);
        if !events.iter().any(|known| known.starts_at == event.starts_at || known.price_cents == event.price_cents) {
            events.push(event);
        }
    }
    events
}

/// Fails unless the answer has exactly these events, in this order.
pub fn expect_items(answer: Response, expected: &[&Event]) -> CheckResult<Response> {
    let answer = answer.expect_status(200)?;
    let items: Vec<Value> = answer.at("/items")?;
    let title = |item: &Value| item.get("title").and_then(Value::as_str).unwrap_or("(no title)").to_owned();
    let actual: Vec<_> = items.iter().map(title).collect();
    let wanted: Vec<_> = expected.iter().map(|event| event.title.clone()).collect();
    if actual != wanted {
        return Err(answer
            .failure("the response has other events than it should")
            .expected(format!("{} events: {wanted:?}", wanted.len()))
            .actual(format!("{} events: {actual:?}", actual.len())));
    }
    answer.expect_json(json!({ "items": expected.iter().map(|event| event.json()).collect::<Vec<_>>() }))
}

/// Inserts events by SQL, behind the server's back.
pub async fn insert_all(lab: &Lab, events: &[Event]) -> CheckResult {
    let row = |event: &Event| {
        let Event { id, title, category, starts_at, seats, price_cents } = event;
        format!("('{id}', '{title}', '{category}', '{}', {seats}, {price_cents})", starts_at.to_rfc3339())
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    let sql =
        format!("insert into events (id, title, category, starts_at, seats, price_cents) values {}", rows.join(", "));
    lab.postgres().await?.execute(&sql).await?;
    Ok(())
}

fn id(lab: &Lab) -> Uuid {
    uuid::Builder::from_random_bytes(lab.random(|random| random.random())).into_uuid()
}
