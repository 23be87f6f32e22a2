//! GitHub Actions: annotations by workflow commands, and the summary of a job's step as Markdown. What a submission wrote is
//! data of a command and never one, and text in the summary and never markup.

use std::fmt::Write as _;

use lab_protocol::Verdict;
use lab_runner::report::Check;

use super::Named;
use crate::words;

/// GitHub shows ten errors of a step.
const MOST: usize = 10;
/// The most text of one check, in bytes: a summary may have 1 MiB.
const OUTPUT: usize = 8 << 10;

/// A workflow command for each check that did not pass, and one for the whole.
pub(super) fn annotations(of: Named<'_>) -> String {
    let report = of.report;
    let mut text = String::new();
    let level = |check: &Check| if check.verdict == Verdict::Error { "warning" } else { "error" };
    for check in report.failures().take(MOST - 1) {
        let title = property(&format!("{}: {}", report.lab, check.title));
        let _ = writeln!(text, "::{} title={title}::{}", level(check), data(&words::explanation(check)));
    }
    if let Some(why) = &report.diagnostics {
        let level = if report.has_score() { "error" } else { "warning" };
        let _ = writeln!(text, "::{level} title={}::{}", property(&report.lab), data(&words::obstacle_of(why)));
    }
    let _ = writeln!(text, "::notice title={}::{}", property(&report.lab), data(&words::line(report)));
    text
}

/// The data of a workflow command.
fn data(text: &str) -> String {
    words::cut(text, OUTPUT).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of one.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The summary: a table of checks, then what failed.
pub(super) fn summary(of: Named<'_>) -> String {
    let report = of.report;
    let mut text =
        format!("## {}\n\n{}\n", html(&format!("{} {}", report.lab, report.title)), html(&words::line(report)));
    if !report.checks.is_empty() {
        text.push_str("\n<table><tr><th>task</th><th>check</th><th>verdict</th><th>points</th></tr>\n");
        for check in &report.checks {
            let points =
                if check.counted { format!("{}/{}", check.points, check.max_points) } else { "–".to_owned() };
            let verdict = words::verdict(check).replace('_', " ");
            let title = html(&check.title);
            let _ =
                writeln!(text, "<tr><td>{}</td><td>{title}</td><td>{verdict}</td><td>{points}</td></tr>", check.task);
        }
        text.push_str("</table>\n");
    }
    if report.diagnostics.is_some() {
        let _ = writeln!(text, "\n<pre>{}</pre>", html(&words::cut(&words::obstacle(report), OUTPUT)));
    }
    for check in report.failures() {
        let why = html(&words::cut(&words::explanation(check), OUTPUT));
        let _ = writeln!(text, "\n<details><summary>{}</summary><pre>{why}</pre></details>", html(&check.title));
    }
    let _ = writeln!(text, "\nseed {} · isolation {}", report.seed, html(&report.isolation));
    text
}

/// `text` as text in HTML, and nothing to Markdown: what has a meaning there is a character reference, and no line is empty,
/// as that would end a block of HTML.
fn html(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("&#10;"),
            '<' | '>' | '&' | '"' | '\'' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '~' | '|' | '\\' | '!'
            | '@' | ':' | '$' => {
                let _ = write!(safe, "&#{};", u32::from(character));
            }
            character => safe.push(character),
        }
    }
    safe
}
