//! What goes in and out.

mod customer;
mod event;
mod listing;

pub use customer::Customer;
pub use event::{Event, NewEvent};
pub use listing::{Listing, Sort};

/// Says what is wrong with a request's content, unless `holds`.
fn require(holds: bool, problem: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(problem) }
}

/// Text of 1 to `most` characters that Postgres can store: its `text` holds every character but NUL.
fn is_text(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.contains('\0')
}
