//! What the checks of this lab share: events, customers, reads that are counted, and a way to Postgres of one's own.

mod customer;
mod event;
mod every_kind;
mod hit;
mod refused;
mod side_path;

pub use customer::{Customer, cookie};
pub use event::{Event, distinct, expect_items, insert_all};
pub use every_kind::every_kind;
pub use hit::{KEPT, cold_read, expect_hit, read, warm};
pub use refused::{attempt, is_refused, until_refused, wait_as_told};
pub use side_path::SidePath;
