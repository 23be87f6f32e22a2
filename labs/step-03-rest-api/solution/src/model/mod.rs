//! What the HTTP layer and the store exchange.

mod event;
mod order;
mod page;
mod precondition;

pub use event::{Event, EventPatch, NewEvent};
pub use order::{NewOrder, Order, OrderPatch};
pub use page::{Listing, Slice};
pub use precondition::Precondition;
