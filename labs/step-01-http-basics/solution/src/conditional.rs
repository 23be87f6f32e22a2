//! Entity tags and the requests that depend on them (RFC 9110 §8.8.3, §13).

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use crate::headers::Headers;

/// The tag of a file's current content. A replaced file has another inode, so even a new content of the same
/// size, written in the same tick of the clock, has another tag.
pub fn tag_of(file: &Metadata) -> String {
    format!("\"{:x}-{:x}-{:x}.{:x}\"", file.ino(), file.len(), file.mtime(), file.mtime_nsec())
}

/// Whether `If-None-Match` names the tag: the client has what it stands for already, or wants nobody else's work
/// overwritten (RFC 9110 §13.1.2). A file that is not there has no tag, and is named by nothing.
pub fn is_known(headers: &Headers, tag: Option<&str>) -> bool {
    let known = headers.list("if-none-match");
    // Our tags have no letters that the list's lower case would change, and weak comparison ignores `W/`.
    tag.is_some_and(|tag| known.iter().any(|known| known == "*" || known.strip_prefix("w/").unwrap_or(known) == tag))
}

/// Whether `If-Match` names other tags only: the file is no longer the one that the client means to change, or is not
/// there at all (RFC 9110 §13.1.1). The comparison is strong: a weak tag is never the same.
pub fn is_stale(headers: &Headers, tag: Option<&str>) -> bool {
    let meant = headers.list("if-match");
    let matches = tag.is_some_and(|tag| meant.iter().any(|meant| meant == "*" || meant == tag));
    headers.has("if-match") && !matches
}

#[cfg(test)]
mod tests {
    use super::{is_known, is_stale};
    use crate::headers::Headers;

    const TAG: Option<&str> = Some("\"1-2\"");

    fn with(field: &str) -> Headers {
        let mut headers = Headers::default();
        headers.push_line(field.as_bytes()).expect("a field");
        headers
    }

    #[test]
    fn a_known_tag_is_compared_weakly_and_as_a_whole() {
        for known in ["\"1-2\"", "W/\"1-2\"", "\"x\", \"1-2\"", "*"] {
            assert!(is_known(&with(&format!("If-None-Match: {known}")), TAG), "{known}");
        }
        for other in ["\"1-23\"", "1-2", ""] {
            assert!(!is_known(&with(&format!("If-None-Match: {other}")), TAG), "{other}");
        }
        assert!(!is_known(&with("If-None-Match: *"), None));
        assert!(!is_known(&Headers::default(), TAG));
    }

    #[test]
    fn a_stale_tag_is_compared_strongly() {
        for meant in ["\"1-2\"", "\"x\", \"1-2\"", "*"] {
            assert!(!is_stale(&with(&format!("If-Match: {meant}")), TAG), "{meant}");
        }
        for other in ["\"1-23\"", "W/\"1-2\"", ""] {
            assert!(is_stale(&with(&format!("If-Match: {other}")), TAG), "{other}");
        }
        assert!(is_stale(&with("If-Match: *"), None));
        assert!(!is_stale(&Headers::default(), None));
    }
}
