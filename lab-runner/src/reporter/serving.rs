//! What `cargo lab run` prints: the URLs, then the server's own log.

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

/// The server wrote a line.
pub(super) fn log_line(line: &str) -> String {
    format!("{} {}\n", dim("|"), inert(line))
}
