//! What `cargo lab try` prints: what the check saw, what stands now, and a line to paste.

use std::fmt::Write as _;

use lab_protocol::{Difference, Held, Verdict};

use super::inert::{self, inert};
use super::style::{bad, dim, good, strong};
use crate::report::Check;

/// How a check ended, and what stands of it.
pub(super) fn tried(lab: &str, check: &Check, held: Option<&Held>) -> String {
    let check = inert::check(check);
    let mut text = match check.verdict {
        Verdict::Passed => format!("{} {}   {}\n", good("✓"), strong(&check.id), check.title),
        _ => format!("{} {}   {}\n", bad("✗"), strong(&check.id), check.title),
    };
    for (label, value) in told(&check) {
        for line in value.lines().take(6) {
            let _ = writeln!(text, "  {}{line}", dim(label));
        }
    }
    match held {
        Some(held) => text.push_str(&standing(held)),
        None if check.verdict == Verdict::Passed => {
            let _ = write!(text, "  it passes, so that nothing is left standing; --hold keeps it: ");
            let _ = writeln!(text, "cargo lab try {lab} {} --hold", check.id);
        }
        None => {}
    }
    text
}

/// What is said of `check`: its message, and what that leaves open of what was expected and found.
fn told(check: &Check) -> Vec<(&'static str, String)> {
    let message = check.message.clone().unwrap_or_default();
    let said = |value: &Option<String>| value.as_deref().is_none_or(|value| message.contains(value));
    let mut told = vec![("", message.clone())];
    if check.diff.len() > 1 {
        let one = |one: &Difference| format!("{}: expected {}, found {}", one.place, one.expected, one.actual);
        told.push(("differs  ", check.diff.iter().map(one).collect::<Vec<_>>().join("\n")));
    } else if !(said(&check.expected) && said(&check.actual)) {
        let values = [("expected ", &check.expected), ("found    ", &check.actual)];
        told.extend(values.into_iter().filter_map(|(label, value)| Some((label, value.clone()?))));
    }
    told
}

fn standing(held: &Held) -> String {
    let is_empty = held.servers.is_empty() && held.services.is_empty();
    let (what, end) = match is_empty {
        false => (
            "your server and its services, as the check left them",
            "the server's log follows; Enter or Ctrl-C stops everything and removes the data",
        ),
        true => ("what is left of the check", "Enter or Ctrl-C removes it"),
    };
    let mut text = format!("\n{}\n", strong(what));
    for note in &held.notes {
        let _ = writeln!(text, "  {} {}", dim("note:"), inert(note));
    }
    for url in &held.servers {
        let _ = writeln!(text, "  {} {url}", dim(format_args!("{:<9}", "server")));
    }
    for (name, url) in &held.services {
        let _ = writeln!(text, "  {} {url}", dim(format_args!("{name:<9}")));
    }
    if !held.variables.is_empty() {
        let _ = writeln!(text, "\n{}", strong("in another terminal"));
    }
    for (name, value) in &held.variables {
        let _ = writeln!(text, "export {name}={}", inert::line(&quoted(value)));
    }
    if let Some(line) = &held.line {
        let _ = writeln!(text, "\n{}\n{}", strong("what the check saw"), inert(line));
    }
    let _ = writeln!(text, "\n{}", dim(end));
    text
}

/// `value` as one word of a shell's.
pub(super) fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,-".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_whatever_it_holds() {
        assert_eq!(quoted("postgres://a:b@127.0.0.1:5432/c"), "postgres://a:b@127.0.0.1:5432/c");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("a&b"), "'a&b'");
        assert_eq!(quoted(""), "''");
    }
}
