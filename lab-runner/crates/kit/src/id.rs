//! Ids, which may be positive integers or UUIDs: a learner chooses, and a check takes either.

use std::fmt;

use serde_json::{Value, json};

use crate::lab::Lab;
use lab_check::CheckResult;
use lab_http::Response;

/// An id as its server gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// From a JSON value; `None` if it is no id.
    ///
    /// ```
    /// use lab_kit::id::Id;
    /// use serde_json::json;
    ///
    /// assert!(Id::from_json(&json!(17)).is_some());
    /// assert!(Id::from_json(&json!("8E03978E-40D5-43DD-BC93-6894A57F9324")).is_some());
    /// assert!(Id::from_json(&json!(-1)).is_none());
    /// ```
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_i64().filter(|id| *id > 0).map(|id| Self(id.to_string())),
            Value::String(text) => uuid::Uuid::parse_str(text).ok().map(|id| Self(id.to_string())),
            _ => None,
        }
    }

    /// From `id::text` in SQL.
    ///
    /// ```
    /// use lab_kit::id::Id;
    ///
    /// assert_eq!(Id::from_sql("17").to_string(), "17");
    /// ```
    pub fn from_sql(text: &str) -> Self {
        Self(text.to_ascii_lowercase())
    }

    /// The id at a JSON pointer of an answer.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let answer = app.post("/events").json(&json!({"title": "Hamlet"})).await?;
    /// let id = lab_kit::id::Id::of(&answer, "/id")?;
    /// app.get(format!("/events/{id}")).await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if there is nothing, or no id.
    pub fn of(response: &Response, pointer: &str) -> CheckResult<Self> {
        let value: Value = response.at(pointer)?;
        Self::from_json(&value).ok_or_else(|| {
            let failure = response.failure(format!("{pointer} is not an id: {value}"));
            failure.expected("a positive integer or a UUID").actual(value.to_string())
        })
    }

    /// As it stands in a body.
    ///
    /// ```
    /// use lab_kit::id::Id;
    /// use serde_json::json;
    ///
    /// assert_eq!(Id::from_json(&json!(17)).map(|id| id.json()), Some(json!(17)));
    /// ```
    pub fn json(&self) -> Value {
        self.0.parse::<i64>().map_or_else(|_| json!(self.0), |number| json!(number))
    }

    /// As it stands in SQL: Postgres reads a literal without a type as the type of the column beside it.
    ///
    /// ```
    /// use lab_kit::id::Id;
    ///
    /// assert_eq!(Id::from_sql("17").sql(), "'17'");
    /// ```
    pub fn sql(&self) -> String {
        format!("'{}'", self.0)
    }

    /// An id of the same kind that nobody has.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App, id: &lab_kit::id::Id) -> CheckResult<()> {
    /// app.get(format!("/events/{}", id.unknown(lab))).await?.expect_status(404)?;
    /// # Ok(()) }
    /// ```
    pub fn unknown(&self, lab: &Lab) -> Self {
        match self.0.parse::<i64>() {
            Ok(number) => Self((number + lab.number(1_000_000, 2_000_000)).to_string()),
            Err(_) => {
                let bits = lab.random(rand::RngExt::random);
                Self(uuid::Builder::from_random_bytes(bits).into_uuid().to_string())
            }
        }
    }
}

/// As it stands in a path, and as `id::text` gives it in SQL.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
