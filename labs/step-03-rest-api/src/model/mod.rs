//! What the HTTP layer and the store exchange.

mod event;
mod order;
mod page;

pub use event::{Event, NewEvent};
pub use order::{NewOrder, Order};
pub use page::{Listing, Slice};
