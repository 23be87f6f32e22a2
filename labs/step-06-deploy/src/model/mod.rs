//! What the HTTP layer and the store exchange.

mod event;
mod order;

pub use event::{Event, NewEvent};
pub use order::{NewOrder, Order};

/// Says what is wrong with a request's content, unless `holds`.
fn require(holds: bool, problem: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(problem) }
}

/// Text of a length that we keep, and that Postgres can store: its `text` holds every character but NUL.
fn is_name(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.contains('\0')
}
