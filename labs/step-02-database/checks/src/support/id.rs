//! Ids, which may be positive integers or UUIDs.

use std::fmt;

use lab_kit::prelude::*;

/// An id as its server gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// From `id::text`.
    pub fn from_sql(text: &str) -> Self {
        Self(text.to_ascii_lowercase())
    }

    /// From a JSON member; `None` if it is no id.
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_i64().filter(|id| *id > 0).map(|id| Self(id.to_string())),
            Value::String(text) => uuid::Uuid::parse_str(text).ok().map(|id| Self(id.to_string())),
            _ => None,
        }
    }

    /// The id at a JSON pointer of an answer.
    pub fn of(response: &Response, pointer: &str) -> CheckResult<Self> {
        let value: Value = response.at(pointer)?;
        Self::from_json(&value).ok_or_else(|| {
            response.failure(format!("{pointer} is no id: {value}")).expected("a positive integer or a UUID")
        })
    }

    /// As it stands in a body.
    pub fn json(&self) -> Value {
        self.0.parse::<i64>().map_or_else(|_| json!(self.0), |number| json!(number))
    }

    /// As it stands in SQL. Postgres reads an unknown literal as the type of the column beside it.
    pub fn sql(&self) -> String {
        format!("'{}'", self.0)
    }

    /// An id of the same kind that nobody has.
    pub fn unknown(&self, lab: &Lab) -> Self {
        match self.0.parse::<i64>() {
            Ok(number) => Self((number + lab.number(1_000_000, 2_000_000)).to_string()),
            Err(_) => {
                let bits = lab.random(lab_kit::rand::RngExt::random);
                Self(uuid::Builder::from_random_bytes(bits).into_uuid().to_string())
            }
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
