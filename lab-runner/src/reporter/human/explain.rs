//! One check that did not pass, explained: what was sent, what came back, what was expected, and why.

use super::super::style::{bad, dim, strong, warn};
use super::table::word;
use crate::report::Check;
use lab_protocol::{Difference, Verdict};

/// The label column's width.
const LABELS: usize = 11;
/// The most lines of a message that are shown.
const MOST_LINES: usize = 14;
/// The most lines of the log that are shown.
const MOST_LOG: usize = 8;

/// Explains `check`; `all_hints` or only the first; wrapped at `width` columns.
pub(crate) fn explain(check: &Check, all_hints: bool, width: usize) -> String {
    let points = match check.max_points {
        1 => "1 point".to_owned(),
        points => format!("{points} points"),
    };
    let mut text = format!(
        "{} {}  {} {}\n\n",
        word(check.verdict),
        strong(&check.id),
        check.title,
        dim(format_args!("({points})"))
    );
    if let Some(message) = &check.message {
        let style: fn(String) -> String = if check.verdict == Verdict::Error { |t| warn(t) } else { |t| bad(t) };
        for line in wrap(message, width.saturating_sub(2)) {
            text.push_str(&format!("  {}\n", style(line)));
        }
        text.push('\n');
    }
    let mut rows = Rows { text, width };
    if let Some(why) = &check.asked_again {
        rows.prose("again", &format!("it was asked twice, the second time alone: {why}"));
    }
    if check.verdict != Verdict::Error {
        rows.verbatim("sent", check.sent.as_deref().map(plain_line_ends).as_deref());
        rows.verbatim("came back", check.received.as_deref().map(plain_line_ends).as_deref());
        let (expected, actual) = told_apart(check);
        rows.verbatim("expected", expected.as_deref());
        rows.verbatim("found", actual.as_deref());
        let differences: Vec<String> = check
            .diff
            .iter()
            .filter(|one| !repeats_the_summary(one, check))
            .map(|one| format!("{}: expected {}, found {}", one.place, one.expected, one.actual))
            .collect();
        rows.verbatim("differs", (!differences.is_empty()).then(|| differences.join("\n")).as_deref());
        let source = if check.source.is_empty() { String::new() } else { format!(" ({})", check.source) };
        rows.prose("why", &format!("{}{source}", check.why));
        let hints = check.hints.iter().take(if all_hints { usize::MAX } else { 1 });
        for hint in hints {
            rows.prose("hint", hint);
        }
    }
    rows.log(check.log_name(), &check.server_log);
    rows.whole("try it", check.reproduce.as_deref());
    rows.text
}

/// What was expected of `check` and what was found, as they are shown. Where they differ only in the white space at their
/// ends, which nobody sees, that is written out.
pub(super) fn told_apart(check: &Check) -> (Option<String>, Option<String>) {
    let (expected, actual) = (check.expected.as_deref(), check.actual.as_deref());
    match (expected, actual) {
        (Some(one), Some(other)) if one != other && one.trim_end() == other.trim_end() => {
            (Some(with_visible_end(one)), Some(with_visible_end(other)))
        }
        _ => (expected.map(str::to_owned), actual.map(str::to_owned)),
    }
}

fn with_visible_end(text: &str) -> String {
    let kept = text.trim_end();
    let end: String = text[kept.len()..]
        .chars()
        .map(|c| if c == ' ' { "␠".into() } else { c.escape_default().to_string() })
        .collect();
    format!("{kept}{end}")
}

/// One difference that repeats what stands under `expected` and `found` already.
fn repeats_the_summary(one: &Difference, check: &Check) -> bool {
    check.diff.len() == 1
        && check.expected.as_deref() == Some(one.expected.as_str())
        && check.actual.as_deref() == Some(one.actual.as_str())
}

/// A message whose lines all end as they should, in CR LF, is shown without the CRs. One that mixes them is shown as
/// it is: then they are the point.
pub(super) fn plain_line_ends(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("\\r\n") {
        return format!("(an empty line)\n{}", plain_line_ends(rest));
    }
    let (head, body) = message.split_once("\n\\r\n").map_or((message, None), |(head, body)| (head, Some(body)));
    let broken = head.lines().collect::<Vec<_>>();
    let (last, others) = broken.split_last().map_or(("", [].as_slice()), |(last, others)| (*last, others));
    let complete = body.is_none() || last.ends_with("\\r");
    if !complete || !others.iter().all(|line| line.ends_with("\\r")) {
        return message.to_owned();
    }
    let head: Vec<&str> = broken.iter().map(|line| line.strip_suffix("\\r").unwrap_or(line)).collect();
    match body {
        Some(body) if !body.is_empty() => format!("{}\n\n{body}", head.join("\n")),
        _ => head.join("\n"),
    }
}

struct Rows {
    text: String,
    width: usize,
}

impl Rows {
    /// Text as it is, bounded.
    fn verbatim(&mut self, label: &str, value: Option<&str>) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        let lines: Vec<&str> = value.lines().collect();
        let more = lines.len().saturating_sub(MOST_LINES);
        let shown = lines.into_iter().take(MOST_LINES).map(|line| shorten(line, 4 * self.width));
        let shown: Vec<String> = shown.collect();
        self.lines(label, &shown);
        if more > 0 {
            self.lines("", &[dim(format_args!("… {more} more lines"))]);
        }
    }

    /// A command: it is to be copied, so that nothing of it is cut or wrapped.
    fn whole(&mut self, label: &str, value: Option<&str>) {
        if let Some(value) = value {
            let lines: Vec<String> = value.lines().map(str::to_owned).collect();
            self.lines(label, &lines);
        }
    }

    fn prose(&mut self, label: &str, value: &str) {
        if !value.is_empty() {
            let lines = wrap(value, self.width.saturating_sub(LABELS + 2));
            self.lines(label, &lines);
        }
    }

    fn log(&mut self, name: &str, lines: &[String]) {
        let from = lines.len().saturating_sub(MOST_LOG);
        let shown: Vec<String> = lines[from..].iter().map(|line| dim(shorten(line, 2 * self.width))).collect();
        self.lines(name, &shown);
    }

    fn lines(&mut self, label: &str, lines: &[String]) {
        for (index, line) in lines.iter().enumerate() {
            // Without a label no style: spaces at the end of a row are to go.
            let label = if index == 0 { dim(format_args!("{label:<LABELS$}")) } else { " ".repeat(LABELS) };
            let row = format!("  {label}{line}");
            self.text.push_str(row.trim_end());
            self.text.push('\n');
        }
    }
}

pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width.max(20)).break_words(false);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}

fn shorten(line: &str, most: usize) -> String {
    if line.len() <= most {
        return line.to_owned();
    }
    format!("{}…", &line[..line.floor_char_boundary(most)])
}

#[cfg(test)]
mod tests {
    use super::{plain_line_ends, with_visible_end};

    #[test]
    fn white_space_at_an_end_can_be_made_visible() {
        assert_eq!(with_visible_end("a b"), "a b");
        assert_eq!(with_visible_end("a b \r\n"), "a b␠\\r\\n");
    }

    #[test]
    fn regular_line_ends_are_not_shown_and_irregular_ones_are() {
        assert_eq!(plain_line_ends("GET / HTTP/1.1\\r\nHost: lab\\r\n\\r\n"), "GET / HTTP/1.1\nHost: lab");
        assert_eq!(plain_line_ends("HTTP/1.1 200 OK\\r\n\\r\na\nb"), "HTTP/1.1 200 OK\n\na\nb");
        assert_eq!(plain_line_ends("\\r\nGET / HTTP/1.1\\r\n\\r\n"), "(an empty line)\nGET / HTTP/1.1");
        let mixed = "HTTP/1.1 200 OK\nA: b\\r\n\\r\n";
        assert_eq!(plain_line_ends(mixed), mixed);
    }
}
