//! Writes the kit that learners get. What a kit is, for a runner that finds itself in one, is in the runner.

mod contents;
mod export;
mod needles;
mod programs;

pub use export::{Export, git_state, write};
