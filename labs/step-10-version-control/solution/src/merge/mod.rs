//! Merging into `main`: what was merged is tested before it counts, and it counts only upon the `main` that it was tested
//! on.

mod folder;
mod queue;
mod scratch;
mod verification;

pub use folder::remove_leftovers;
pub use queue::{MergeError, Outcome, Queue};
