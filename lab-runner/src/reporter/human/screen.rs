//! A result on one screen: the tasks, the first failure of the first unfinished task, and what to do next.

use lab_protocol::Verdict;

use super::super::inert::inert;
use super::super::style::{bad, dim, good, strong, warn};
use super::explain::{plain_line_ends, told_apart, wrap};
use super::{happened, summary, tasks};
use crate::guide::LabGuide;
use crate::report::{Check, Report, SubmissionKind};

/// The label column's width.
const LABELS: usize = 11;
/// A screen, where no terminal says otherwise.
const USUAL: Size = Size { columns: 100, rows: 30 };
/// The most lines of any one part: nothing is to push the rest off the screen.
const MOST_LINES: usize = 6;

/// A screen's size in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reporter) struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// The terminal's size, within what is good to read, without the line that its prompt takes.
pub(super) fn size() -> Size {
    let Some((width, height)) = terminal_size::terminal_size() else { return USUAL };
    let (columns, rows) = (usize::from(width.0).clamp(40, USUAL.columns), usize::from(height.0));
    Size { columns, rows: rows.saturating_sub(1).clamp(16, USUAL.rows) }
}

/// How a result is shown on a screen.
#[derive(Debug, Clone, Copy)]
pub(in crate::reporter) struct View<'a> {
    pub size: Size,
    /// All hints of a check, in place of as many as its failures have earned.
    pub all_hints: bool,
    /// The failure to show, if it is one: without it, the first.
    pub focus: Option<&'a str>,
    /// Whether the next save is checked by itself.
    pub watched: bool,
}

/// The screen for `report`, which is inert; `raw` is the same with its transcripts.
pub(super) fn screen(report: &Report, raw: &Report, guide: &LabGuide, view: View<'_>) -> String {
    let View { size, all_hints, focus, watched } = view;
    let mut lines = vec![head(report, guide, size.columns)];
    lines.extend(tasks::tasks(report, guide, size.columns));
    lines.extend(notes(report, size.columns));
    let end = end(report, guide, watched, size.columns);
    let wanted = report.failures().find(|check| focus == Some(check.id.as_str()));
    match wanted.or_else(|| first_failure(report)) {
        Some(check) => {
            let transcript = raw.checks.iter().find(|one| one.id == check.id).map_or(&[][..], |one| &one.transcript);
            lines.push(String::new());
            let room = size.rows.saturating_sub(lines.len() + end.len() + 1);
            let page = Page { check, transcript, guide, all_hints, watched, width: size.columns, report };
            lines.extend(page.lines(room));
            lines.push(String::new());
        }
        None => {
            lines.push(String::new());
            lines.extend(built(report, guide, size.columns));
        }
    }
    lines.extend(end);
    let lines = lines.into_iter().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}

/// The first check of the first task that is not done.
fn first_failure(report: &Report) -> Option<&Check> {
    report.failures().filter(|check| check.verdict != Verdict::Error).min_by_key(|check| check.task)
}

fn head(report: &Report, guide: &LabGuide, width: usize) -> String {
    let name = format!("{} {}", report.lab, report.title);
    let (score, max) = points(report, guide);
    let part = if report.partial && !guide.later_not_asked { "of those asked for: " } else { "" };
    let has_score = report.has_score();
    let points = if nothing_can_be_asked(report) {
        "not graded".to_owned()
    } else if has_score {
        format!("{part}{score} of {max} points")
    } else {
        "no score".to_owned()
    };
    let gap = width.saturating_sub(name.chars().count() + points.chars().count()).max(2);
    let points = match has_score {
        true if score == max && max > 0 => good(points),
        true => strong(points),
        false => bad(points),
    };
    format!("{}{}{points}", strong(cut(&name, width.saturating_sub(24))), " ".repeat(gap))
}

/// Whether no check says anything of this submission, such as of a server that already runs, whose data is out of reach.
fn nothing_can_be_asked(report: &Report) -> bool {
    !report.checks.is_empty() && report.checks.iter().all(|check| check.verdict == Verdict::Skipped && !check.counted)
}

/// The points, and out of how many: with those of the tasks that were not asked yet.
fn points(report: &Report, guide: &LabGuide) -> (u32, u32) {
    let asked = |id: &str| report.checks.iter().any(|check| check.id == id);
    let later = guide.checks.iter().filter(|check| guide.later_not_asked && !asked(&check.id));
    (report.score, report.max_score + later.map(|check| check.points).sum::<u32>())
}

pub(super) fn notes(report: &Report, width: usize) -> Vec<String> {
    let left_out = report.submission.left_out.iter().map(|name| format!("not used from the submission: {name}"));
    let out: u32 = report.checks.iter().filter(|check| !check.counted).map(|check| check.max_points).sum();
    let out = match out {
        0 => None,
        1 => Some("1 point cannot be graded here and does not count; --all says why".to_owned()),
        _ => Some(format!("{out} points cannot be graded here and do not count; --all says why")),
    };
    let notes: Vec<String> = left_out.chain(report.notes.iter().cloned()).chain(out).collect();
    let more = notes.len().saturating_sub(3);
    let shown = notes.iter().take(3).map(|note| format!("{} {}", warn("note:"), cut(note, width.saturating_sub(6))));
    shown.chain((more > 0).then(|| format!("{} {more} more: --all", warn("note:")))).collect()
}

/// What was learned, once everything has passed.
fn built(report: &Report, guide: &LabGuide, width: usize) -> Vec<String> {
    let whole = !report.partial && !nothing_can_be_asked(report) && report.checks.iter().all(Check::is_fine);
    let learned = guide.learned.as_deref().filter(|_| whole);
    learned.map(|learned| wrap(&format!("You built: {}", inert(learned)), width)).unwrap_or_default()
}

/// The last lines: what to do next, and what the run was made with.
fn end(report: &Report, guide: &LabGuide, watched: bool, width: usize) -> Vec<String> {
    let run = format!("{:.1} s · seed {}", report.duration_ms as f64 / 1000.0, report.seed);
    let mut lines: Vec<String> = Vec::new();
    for (index, line) in wrap(&next(report, guide, watched), width.saturating_sub(7)).into_iter().enumerate() {
        lines.push(format!("{} {line}", if index == 0 { strong("next  ") } else { " ".repeat(6) }));
    }
    // Of a run that has not ended there is nothing to tell yet.
    if !report.run_id.is_empty() {
        lines.push(dim(summary::graded_with(report, &run, width)));
    }
    lines
}

/// What to do now. There is always something.
fn next(report: &Report, guide: &LabGuide, watched: bool) -> String {
    let own = report.submission.kind == SubmissionKind::WorkingTree;
    let lab = &report.lab;
    if let Some(check) = first_failure(report) {
        let again = if report.partial && !guide.later_not_asked { format!(" {}", check.id) } else { String::new() };
        return if watched {
            "mend this one and save".to_owned()
        } else if own {
            format!("mend this one, then cargo lab check {lab}{again}")
        } else {
            format!("--all shows every check and every failure: cargo lab check {lab} --all …")
        };
    }
    if nothing_can_be_asked(report) {
        return "nothing that was asked for can be graded this way; --all says why, check by check".to_owned();
    }
    let passed = |id: &str| {
        let now = report.checks.iter().find(|check| check.id == id);
        now.map_or_else(|| guide.known.get(id).is_some_and(|known| known.passed), Check::is_fine)
    };
    let mut open: Vec<_> = guide.checks.iter().filter(|check| !passed(&check.id)).collect();
    open.sort_by_key(|check| check.task);
    match open.first() {
        Some(check) if own => {
            let title = guide.title(check.task).map(|title| format!(": {}", inert(title))).unwrap_or_default();
            let place = guide.todo(check.task).map(|todo| format!(", {}:{}", inert(todo.path.as_str()), todo.line));
            let place = place.unwrap_or_else(|| ", in its README".to_owned());
            let then = if watched { " and save".to_owned() } else { format!(", then cargo lab check {lab}") };
            format!("task {}{title}{place}{then}", check.task)
        }
        Some(_) => format!("cargo lab check {lab} --all … grades every check"),
        None => match &guide.next_lab {
            Some(next) if watched => format!("n goes on with {next}"),
            Some(next) => format!("cargo lab check {next}"),
            None => "that was the last lab of the course; cargo lab shows the map".to_owned(),
        },
    }
}

/// The first failure, as far as there is room.
struct Page<'a> {
    report: &'a Report,
    check: &'a Check,
    transcript: &'a [lab_protocol::TranscriptEntry],
    guide: &'a LabGuide,
    all_hints: bool,
    watched: bool,
    width: usize,
}

impl Page<'_> {
    /// At most `room` lines. What matters more is given its lines first, whatever its place.
    fn lines(&self, room: usize) -> Vec<String> {
        let mut parts = [
            self.title(),
            self.message(),
            Vec::new(),
            self.values(),
            Vec::new(),
            Vec::new(),
            [self.prose("why", &self.why(), 3), self.hint()].concat(),
            Vec::new(),
        ];
        // A line that tells a cause, such as a panic's, is worth more than the bytes of an answer.
        let cause = self.cause();
        let log = self.log(if cause.is_some() { 3 + usize::from(room >= 18) } else { 0 });
        parts[5] = log;
        let used = |parts: &[Vec<String>]| parts.iter().map(Vec::len).sum::<usize>();
        let lost = self.check.sent.as_deref().is_some_and(|sent| happened::is_lost_among_others(self.transcript, sent));
        if !lost && happened::adds_something(self.transcript) {
            let left = room.saturating_sub(used(&parts) + 1);
            let lines = happened(self.transcript, self.width.saturating_sub(4), left.min(12));
            if left >= 3 && !lines.is_empty() {
                parts[4] =
                    vec![format!("  {}{:>gap$}", dim("what happened"), dim("ms"), gap = self.width.saturating_sub(9))];
                parts[4].extend(lines.into_iter().map(|line| format!("    {line}")));
            }
        } else {
            let left = room.saturating_sub(used(&parts));
            let sent = self.check.sent.as_deref().map(plain_line_ends);
            let received = self.check.received.as_deref().map(plain_line_ends);
            let half = (left / 2).min(MOST_LINES);
            parts[2] = self.verbatim("sent", sent.as_deref(), half);
            let other = left.min(2 * MOST_LINES).saturating_sub(half);
            let received = received.map(|message| with_its_body(&message, other));
            parts[2].extend(self.verbatim("came back", received.as_deref(), other));
        }
        let left = room.saturating_sub(used(&parts));
        parts[5] = self.log((left + parts[5].len()).min(MOST_LINES));
        let left = room.saturating_sub(used(&parts));
        parts[7] = self.try_it(left);
        let mut lines: Vec<String> = parts.into_iter().flatten().collect();
        lines.truncate(room);
        lines
    }

    fn title(&self) -> Vec<String> {
        let mark = if self.check.verdict == Verdict::TimedOut { bad("✗ out of time") } else { bad("✗") };
        let title = format!("{mark} {}   {}", strong(&self.check.id), self.check.title);
        let mut lines = wrap(&title, self.width);
        if let Some(todo) = self.guide.todo(self.check.task) {
            let mark = format!("TODO({}.{})", self.report.lab, self.check.task);
            lines.push(dim(format_args!("  {}:{}  {mark}", inert(todo.path.as_str()), todo.line)));
        }
        lines
    }

    fn message(&self) -> Vec<String> {
        let message = self.check.message.as_deref().unwrap_or_default();
        let mut lines = wrap(&shorten_quoted(message), self.width.saturating_sub(2));
        lines.truncate(4);
        lines.into_iter().map(|line| format!("  {}", bad(line))).collect()
    }

    /// Expected and found, unless the sentence above them has said both.
    fn values(&self) -> Vec<String> {
        let check = self.check;
        let message = check.message.as_deref().unwrap_or_default();
        let said = |value: &Option<String>| value.as_deref().is_none_or(|value| message.contains(value));
        let mut lines = Vec::new();
        // Where the differences are listed, the texts in which they are would only push the rest off the screen.
        if check.diff.len() < 2 && !(said(&check.expected) && said(&check.actual)) {
            let (expected, actual) = told_apart(check);
            lines.extend(self.verbatim("expected", expected.as_deref(), 4));
            lines.extend(self.verbatim("found", actual.as_deref(), 4));
        }
        if check.diff.len() > 1 {
            let one =
                |d: &lab_protocol::Difference| format!("{}: expected {}, found {}", d.place, d.expected, d.actual);
            let repeats = |d: &lab_protocol::Difference| message.contains(&d.expected) && message.contains(&d.actual);
            let text: Vec<String> = check.diff.iter().filter(|d| !repeats(d)).map(one).collect();
            lines.extend(self.verbatim("differs", Some(&text.join("\n")), 4));
        }
        lines
    }

    fn why(&self) -> String {
        let source = if self.check.source.is_empty() { String::new() } else { format!(" ({})", self.check.source) };
        format!("{}{source}", self.check.why)
    }

    /// As many hints as the check's failures have earned; the last of them is shown.
    fn hint(&self) -> Vec<String> {
        let hints = &self.check.hints;
        let known = self.guide.known.get(&self.check.id).cloned().unwrap_or_default().after(self.check);
        let shown = if self.all_hints { hints.len() } else { known.hints_shown(hints.len()) };
        let Some(first) = shown.checked_sub(1) else { return Vec::new() };
        let from = if self.all_hints { 0 } else { first };
        let own = self.report.submission.kind == SubmissionKind::WorkingTree;
        let mut lines = Vec::new();
        for index in from..shown {
            let more = if self.watched { "   (more: h)" } else { "   (more: cargo lab hint)" };
            let more = if own && index + 1 == shown && shown < hints.len() { more } else { "" };
            let label = format!("hint {}/{}", index + 1, hints.len());
            lines.extend(self.prose(&label, &format!("{}{more}", hints[index]), 4));
        }
        lines
    }

    /// The first line of the server's log that tells a cause.
    fn cause(&self) -> Option<usize> {
        let tells = |line: &String| {
            let line = line.to_lowercase();
            ["panicked", "error", "fatal", "failed"].iter().any(|word| line.contains(word))
        };
        self.check.server_log.iter().position(tells)
    }

    /// The server's log from the line that tells a cause, if one does, else its end. A cause may stand at the end of a long
    /// line, which is wrapped, not cut.
    fn log(&self, most: usize) -> Vec<String> {
        let log = &self.check.server_log;
        let from = self.cause().unwrap_or_else(|| log.len().saturating_sub(3));
        let inside = self.width.saturating_sub(LABELS + 2);
        let rows = log[from..].iter().flat_map(|line| wrap(&shorten_binary(line), inside));
        let rows = rows.map(|row| cut(&row, inside)).collect();
        labelled(self.check.log_name(), self.bounded(rows, most).into_iter())
    }

    /// A command is to be copied: it is shown whole or not at all. One request does not show what others, the data or a
    /// fault have led to: then the report names the command that keeps the server as it was.
    fn try_it(&self, room: usize) -> Vec<String> {
        let kept = self.check.reproduce.as_ref().filter(|command| command.starts_with("cargo lab try "));
        if let Some(command) = kept.filter(|_| room > 0).cloned() {
            let what = match self.check.of_program {
                true => "   what is left of it in this very state, with a line to paste",
                false => "   your server in this very state, with a line to paste",
            };
            let fits = LABELS + 2 + command.chars().count() + what.chars().count() <= self.width;
            return labelled("try", [if fits { format!("{command}{}", dim(what)) } else { command }].into_iter());
        }
        let Some(command) = self.check.reproduce.as_deref() else { return Vec::new() };
        let inside = self.width.saturating_sub(LABELS + 2).max(1);
        let rows: usize = command.lines().map(|line| line.chars().count().div_ceil(inside).max(1)).sum();
        if rows <= room { labelled("try it", command.lines().map(str::to_owned)) } else { Vec::new() }
    }

    fn prose(&self, label: &str, text: &str, most: usize) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        let lines = wrap(text, self.width.saturating_sub(LABELS + 2));
        labelled(label, self.bounded(lines, most).into_iter())
    }

    /// Text as it is, each line on one line of the screen, at most `most` of them.
    fn verbatim(&self, label: &str, text: Option<&str>, most: usize) -> Vec<String> {
        let text = text.unwrap_or_default();
        let fit = |line: &str| cut(&shorten_binary(line), self.width.saturating_sub(LABELS + 2));
        labelled(label, self.bounded(text.lines().map(fit).collect(), most).into_iter())
    }

    fn bounded(&self, lines: Vec<String>, most: usize) -> Vec<String> {
        bounded(lines, most, if self.watched { "a" } else { "--all" })
    }
}

/// Fields that seldom tell why an answer is not the one that was expected.
const BESIDE_THE_POINT: [&str; 5] = ["connection", "content-type", "date", "server", "vary"];

/// An answer of an error that has more than `most` lines without some of its fields, so that the beginning of its body, in
/// which a server says what was wrong, is among the first `most`.
fn with_its_body(message: &str, most: usize) -> String {
    let is_error = matches!(message.split(' ').nth(1).and_then(|code| code.chars().next()), Some('4' | '5'));
    let Some((head, body)) = message.split_once("\n\n").filter(|_| is_error) else { return message.to_owned() };
    let mut over = message.lines().count().saturating_sub(most);
    let mut kept = Vec::new();
    for line in head.lines().rev() {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if over > 0 && BESIDE_THE_POINT.contains(&name.as_str()) {
            over -= 1;
        } else {
            kept.push(line);
        }
    }
    kept.reverse();
    format!("{}\n\n{body}", kept.join("\n"))
}

/// A sentence whose quotations are shortened where they are no text.
fn shorten_quoted(message: &str) -> String {
    let parts = message.split('`').enumerate();
    let short = |(index, part): (usize, &str)| if index % 2 == 1 { shorten_escapes(part) } else { part.to_owned() };
    parts.map(short).collect::<Vec<_>>().join("`")
}

/// The beginning of a quotation that is mostly escaped bytes.
fn shorten_escapes(quoted: &str) -> String {
    const SHOWN: usize = 24;
    if quoted.matches("\\x").count() < 4 {
        return quoted.to_owned();
    }
    let kept: String = quoted.chars().take(SHOWN).collect();
    // Not in the middle of an escape.
    let end = kept.rfind("\\x").filter(|at| kept.len() - at < 4).unwrap_or(kept.len());
    format!("{}…", &kept[..end])
}

/// The first `most` lines, of which the last says how many are missing, and that `more` shows them.
pub(super) fn bounded(mut lines: Vec<String>, most: usize, more: &str) -> Vec<String> {
    if lines.len() > most {
        let kept = most.saturating_sub(1);
        let missing = lines.len() - kept;
        lines.truncate(kept);
        if most > 0 {
            lines.push(format!("… {missing} more lines: {more}"));
        }
    }
    lines
}

pub(super) fn labelled(label: &str, lines: impl Iterator<Item = String>) -> Vec<String> {
    let line = |(index, line): (usize, String)| {
        let label = if index == 0 { dim(format_args!("{label:<LABELS$}")) } else { " ".repeat(LABELS) };
        format!("  {label}{line}")
    };
    lines.enumerate().map(line).collect()
}

/// `text` in at most `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A line with a few escaped bytes is shown as it is; one that is mostly such bytes is no text, and its beginning is
/// enough.
pub(super) fn shorten_binary(line: &str) -> String {
    const SHOWN: usize = 40;
    let escapes = line.matches("\\x").count();
    if escapes < 8 || 12 * escapes < line.chars().count() {
        return line.to_owned();
    }
    let kept: String = line.chars().take(SHOWN).collect();
    let bytes = line.chars().count() - 3 * escapes;
    format!("{kept}… ({bytes} bytes, not text)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_around_bytes_that_are_no_text_are_kept() {
        let bytes = "\\x8a\\xb8\\xff\\x00\\x8a\\xb8\\xff";
        let message = format!("the body differs at byte 121: expected `{bytes}`, got `hello`");
        let short = "the body differs at byte 121: expected `\\x8a\\xb8\\xff\\x00\\x8a\\xb8…`, got `hello`";
        assert_eq!(shorten_quoted(&message), short);
        assert_eq!(shorten_quoted("expected `caf\\xc3`, got nothing"), "expected `caf\\xc3`, got nothing");
    }

    #[test]
    fn an_answer_is_cut_where_it_says_least() {
        let answer = "HTTP/1.1 400 Bad Request\nDate: now\nX-Lab: 1\nVary: Cookie\n\nno such size";
        assert_eq!(with_its_body(answer, 6), answer);
        assert_eq!(with_its_body(answer, 5), "HTTP/1.1 400 Bad Request\nDate: now\nX-Lab: 1\n\nno such size");
        assert_eq!(with_its_body(answer, 4), "HTTP/1.1 400 Bad Request\nX-Lab: 1\n\nno such size");
    }
}
