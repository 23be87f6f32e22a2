//! Where a page of the list ended: the last event's sort key and id, as text that a client hands back unread.

use chrono::{DateTime, Utc};

use super::StoreError;
use crate::model::{Event, Sort};

/// A place in the list: after the event with this key and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The value the list is sorted by.
    pub key: Key,
    /// What tells events with an equal key apart.
    pub id: i64,
}

/// A value the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// When the event begins.
    StartsAt(DateTime<Utc>),
    /// What a seat costs.
    Price(i64),
}

impl Cursor {
    /// The place after `event`.
    pub fn after(event: &Event, sort: Sort) -> Self {
        let key = match sort {
            Sort::StartsAt | Sort::StartsAtDescending => Key::StartsAt(event.starts_at),
            Sort::Price | Sort::PriceDescending => Key::Price(event.price_cents),
        };
        Self { key, id: event.id }
    }

    /// What a client is given as `next`. Times keep their microseconds, as Postgres does.
    pub fn encode(&self) -> String {
        let key = match self.key {
            Key::StartsAt(time) => time.timestamp_micros(),
            Key::Price(cents) => cents,
        };
        format!("{key}.{}", self.id)
    }

    /// What a client gave as `after`.
    ///
    /// # Errors
    /// It is nothing that [`Cursor::encode`] made.
    pub fn decode(text: &str, sort: Sort) -> Result<Self, StoreError> {
        Self::parse(text, sort).ok_or(StoreError::UnknownCursor)
    }

    fn parse(text: &str, sort: Sort) -> Option<Self> {
        let (key, id) = text.split_once('.')?;
        let (key, id) = (key.parse().ok()?, id.parse().ok()?);
        let key = match sort {
            Sort::StartsAt | Sort::StartsAtDescending => Key::StartsAt(DateTime::from_timestamp_micros(key)?),
            Sort::Price | Sort::PriceDescending => Key::Price(key),
        };
        Some(Self { key, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_to_the_microsecond() {
        let time = DateTime::from_timestamp_micros(1_893_456_000_123_456).unwrap();
        let cursors = [
            (Cursor { key: Key::StartsAt(time), id: 7 }, Sort::StartsAtDescending),
            (Cursor { key: Key::StartsAt(DateTime::UNIX_EPOCH), id: i64::MAX }, Sort::StartsAt),
            (Cursor { key: Key::Price(0), id: 1 }, Sort::Price),
        ];
        for (cursor, sort) in cursors {
            assert_eq!(Cursor::decode(&cursor.encode(), sort).unwrap(), cursor);
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", ".", "1", "1.", ".1", "1.2.3", "1.x", "1 .2", "9223372036854775808.1"] {
            for sort in [Sort::StartsAt, Sort::Price] {
                assert!(matches!(Cursor::decode(text, sort), Err(StoreError::UnknownCursor)), "{text}");
            }
        }
        // A number that is no time.
        assert!(matches!(Cursor::decode("9223372036854775807.1", Sort::StartsAt), Err(StoreError::UnknownCursor)));
    }
}
