//! What the HTTP layer and the store exchange.

mod customer;
mod event;
mod listing;
mod order;
mod transfer;

pub use customer::{Customer, NewCustomer};
pub use event::{Event, NewEvent};
pub use listing::{Listing, Page, Sort};
pub use order::{NewOrder, Order};
pub use transfer::{NewTransfer, Transfer};

/// The most cents that one request may speak of: ten thousand million euros keep every sum far inside an `i64`.
const MOST_CENTS: i64 = 1_000_000_000_000;

/// Says what is wrong with a request's content, unless `holds`.
fn require(holds: bool, problem: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(problem) }
}

/// Text that Postgres can store: its `text` holds every character but NUL.
fn storable(text: &str) -> bool {
    !text.contains('\0')
}
