//! Where a page of events ended, as text that a client hands back unread.

use chrono::{DateTime, Utc};

use super::StoreError;
use crate::model::Event;

/// A place in the list: after the event that begins then and has this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventCursor {
    /// When the last event of the page begins.
    pub starts_at: DateTime<Utc>,
    /// What tells events that begin together apart.
    pub id: i64,
}

impl EventCursor {
    /// The place after `event`.
    pub fn after(event: &Event) -> Self {
        Self { starts_at: event.starts_at, id: event.id }
    }

    /// Its text. Times keep their microseconds, as Postgres does.
    pub fn encode(&self) -> String {
        format!("{}.{}", self.starts_at.timestamp_micros(), self.id)
    }

    /// Reads what [`EventCursor::encode`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub fn decode(text: &str) -> Result<Self, StoreError> {
        Self::parse(text).ok_or(StoreError::UnknownCursor)
    }

    fn parse(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once('.')?;
        Some(Self { starts_at: DateTime::from_timestamp_micros(micros.parse().ok()?)?, id: id.parse().ok()? })
    }
}
