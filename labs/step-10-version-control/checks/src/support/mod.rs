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

/// What a plain file holds that the submission may have written, or that git has by what it sent: `path` in `folder`. None, if
/// something else stands there, or more than a megabyte.
pub fn plain_file(folder: &Path, path: &str) -> Option<Vec<u8>> {
    lab_files::read_below(folder, Path::new(path), 1 << 20).ok()
}

/// The same for text.
pub fn plain_text(folder: &Path, path: &str) -> Option<String> {
    String::from_utf8(plain_file(folder, path)?).ok()
}
