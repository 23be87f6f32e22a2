//! What the checks of this lab share.

mod git;
mod history;
mod host;
pub mod signature;
mod snapshot;
mod work;

pub use git::Git;
pub use history::{History, lines};
pub use host::{Host, Local, Setup, User};
pub use snapshot::Snapshot;
pub use work::{State, Work, one_line};

use std::path::Path;

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

/// A secret, as the README describes them.
pub fn secret(lab: &Lab) -> String {
    let digit = || char::from(b"0123456789abcdef"[lab.random(|random| random.random_range(0..16))]);
    format!("key_live_{}", (0..32).map(|_| digit()).collect::<String>())
}

/// The text of a plain file that a program of the submission's may have written.
pub fn plain_text(path: &Path) -> Option<String> {
    let metadata = path.symlink_metadata().ok()?;
    if metadata.is_file() { std::fs::read_to_string(path).ok() } else { None }
}
