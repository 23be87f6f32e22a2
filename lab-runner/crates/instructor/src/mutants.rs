//! Works on the patches that are mutants: drafts them, and carries them over when the solution has changed. What a mutant
//! is, and how it is graded, is in the runner.

mod draft;
mod history;
mod place;
mod refresh;

pub use draft::{Draft, is_name, path_of};
pub use history::History;
pub use refresh::refresh;
