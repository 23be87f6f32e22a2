//! Where a page of events ended, as text that a client hands back unread.

use chrono::{DateTime, Datelike as _, Utc};

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
    /// What [`EventCursor::encode`] writes, as a regular expression: microseconds of the years that RFC 3339 can write.
    pub const PATTERN: &str = r"^(-[0-9]{1,17}|[0-9]{1,18})\.[0-9]{1,18}$";

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
        let starts_at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
        // Beyond lie times that Postgres does not have: it would be its error, and ours.
        let exists = starts_at.year() > -4713;
        Some(Self { starts_at, id: id.parse().ok()? }).filter(|_| exists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_to_the_microsecond() {
        let starts_at = DateTime::from_timestamp_micros(1_935_430_200_000_001).expect("a time");
        let cursor = EventCursor { starts_at, id: 7 };
        assert_eq!(EventCursor::decode(&cursor.encode()).ok(), Some(cursor));
    }

    #[test]
    fn whatever_else_a_client_sends_is_refused() {
        for text in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "1.x",
            "1.2.3",
            "99999999999999999999.1",
            "9223372036854775807.1",
            "-8000000000000000000.1",
        ] {
            assert!(matches!(EventCursor::decode(text), Err(StoreError::UnknownCursor)), "{text:?}");
        }
    }
}
