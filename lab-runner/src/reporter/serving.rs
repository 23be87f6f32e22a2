//! What `cargo lab run` prints: the URLs, then the server's own log; and what `cargo lab web` prints.

use std::collections::BTreeMap;

use super::inert::{inert, without_colours};
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

/// The server wrote a line, which it may have coloured.
pub(super) fn log_line(line: &str) -> String {
    format!("{} {}\n", dim("|"), inert(&without_colours(line)))
}

#[cfg(test)]
mod tests {
    use super::log_line;

    #[test]
    fn a_servers_colours_are_left_out_of_its_log() {
        let shown = log_line("\u{1b}[31mERROR\u{1b}[0m \u{1b}[2Jgone");
        assert!(shown.ends_with(" ERROR \\u{1b}[2Jgone\n"), "{shown}");
    }
}
