//! What `cargo lab run` prints: the URLs, then the server's own log; and what `cargo lab web` prints.

use std::collections::BTreeMap;

use super::inert::inert;
use super::style::{dim, strong};

/// The server is up.
pub(super) fn urls(urls: &BTreeMap<String, String>, taken: Option<u16>) -> String {
    let mut text: String =
        urls.iter().map(|(name, url)| format!("{} {url}\n", strong(format_args!("{name:<9}")))).collect();
    if let Some(port) = taken {
        text.push_str(&format!("{}\n", dim(format_args!("port {port} is in use, so the server got another"))));
    }
    text + &format!("{}\n", dim("the server's log follows; Ctrl-C stops it and removes its data"))
}

/// The course's site is up.
pub(super) fn site(url: &str) -> String {
    let note = "only this machine can open it, by this very address; it follows every check; Ctrl-C ends it";
    format!("{} {}\n{}\n", strong(format_args!("{:<9}", "open")), inert(url), dim(note))
}

/// The server wrote a line.
pub(super) fn log_line(line: &str) -> String {
    format!("{} {}\n", dim("|"), inert(line))
}
