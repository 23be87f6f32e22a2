//! What the checks of this lab share.

mod document;
mod gate;
mod jobs;
mod past;
mod queue;
mod signed;
mod site;

pub use document::Document;
pub use gate::Gate;
pub use jobs::{Job, Order, Unplaced};
pub use past::{Past, Restored};
pub use queue::Queue;
pub use signed::Signed;
pub use site::{Site, Upload};

use std::time::Duration;

/// Long enough on the slowest machine; nobody waits it out unless something fails.
pub const SOON: Duration = Duration::from_secs(15);
