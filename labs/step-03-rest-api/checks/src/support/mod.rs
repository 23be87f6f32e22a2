//! What the checks of this lab share: things to sell, refusals, links, and rows as the database has them.

pub mod bounds;
mod link;
mod made;
mod moment;
mod problem;
mod table;

pub use link::{Page, Walk, follow};
pub use made::{
    EVENT_MEMBERS, Made, ORDER_MEMBERS, delete, event, event_at, make, make_event, make_events, make_order, merge,
    merged, order, padded, read, tag_of,
};
pub use moment::{expect_moment, in_the_east, moment, rfc3339};
pub use problem::Problem;
pub use table::{count, overlap, texts};
