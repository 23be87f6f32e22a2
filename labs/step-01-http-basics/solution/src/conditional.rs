//! Entity tags and the requests that depend on them (RFC 9110 §8.8.3, §13.1.2).

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use crate::headers::Headers;

/// The tag of a file's current content. A replaced file has another inode, so even a new content of the same
/// size, written in the same tick of the clock, has another tag.
pub fn tag_of(file: &Metadata) -> String {
    format!("\"{:x}-{:x}-{:x}.{:x}\"", file.ino(), file.len(), file.mtime(), file.mtime_nsec())
}

/// Whether the client already has what the tag stands for.
pub fn is_known(headers: &Headers, tag: &str) -> bool {
    let known = headers.list("if-none-match");
    // Our tags have no letters that the list's lower case would change, and weak comparison ignores `W/`.
    known.iter().any(|known| known == "*" || known.strip_prefix("w/").unwrap_or(known) == tag)
}
