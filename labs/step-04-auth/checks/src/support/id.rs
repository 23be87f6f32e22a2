//! Ids: numbers or texts, as the server likes.

use lab_kit::prelude::*;

/// The id of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id(Value);

impl Id {
    /// The id at `pointer` of an answer.
    pub fn at(response: &Response, pointer: &str) -> CheckResult<Self> {
        Ok(Self(response.at::<Value>(pointer)?))
    }

    /// The id of an item of a list.
    pub fn of(item: &Value) -> Self {
        Self(item.get("id").cloned().unwrap_or_default())
    }

    /// As it stands in JSON.
    pub fn json(&self) -> Value {
        self.0.clone()
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Value::String(text) => f.write_str(text),
            other => write!(f, "{other}"),
        }
    }
}
