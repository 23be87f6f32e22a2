//! What goes in and out, and which values make sense.

mod account;
mod event;
mod order;
mod review;
mod role;

pub use account::{Account, AccountChange, Credentials, NewAccount};
pub use event::{Event, EventList, Listing, NewEvent, Sort};
pub use order::{NewOrder, Order};
pub use review::Review;
pub use role::Role;

/// A list as clients see it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Items<T> {
    /// What is on it.
    pub items: Vec<T>,
}

/// Fails with `problem` unless `holds`.
pub(crate) fn require(holds: bool, problem: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(problem) }
}

/// Postgres cannot keep this one character in a text.
pub(crate) fn storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Text that has to be there, within `most` characters.
pub(crate) fn is_filled(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && storable(text)
}
