//! Makes what a submission wrote safe to show: no escape sequence reaches a terminal, no text changes its direction, and
//! no line is taken for a command by a CI system that reads the log.

use std::borrow::Cow;

use lab_protocol::{Difference, SkipReason};

use crate::report::{Check, Diagnostics, ExpectedCheck, Report, Submission, UsedService};

/// `text` with everything escaped that is not seen for what it is. Line feeds and tabs stay.
pub fn inert(text: &str) -> Cow<'_, str> {
    escape(text, false)
}

/// The same for text that is to stay on its line.
pub(super) fn line(text: &str) -> String {
    inert(text).replace('\n', "\\n")
}

/// The same for a compiler's message, whose colours stay: the sequences of SGR, and no others.
pub(super) fn coloured(text: &str) -> String {
    escape(text, true).into_owned()
}

/// A line of a server's log. Its colours would be escaped and push the cause off the screen: they are left out.
pub(super) fn log_line(text: &str) -> String {
    line(&without_colours(text))
}

/// `text` without its sequences of SGR.
pub(super) fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let length = colour(&rest[at..]);
        plain.push_str(&rest[..at + if length.is_some() { 0 } else { 1 }]);
        rest = &rest[at + length.unwrap_or(1)..];
    }
    plain.push_str(rest);
    plain
}

fn escape(text: &str, colours: bool) -> Cow<'_, str> {
    let mut safe = String::new();
    // Up to here everything is in `safe`, once there is something to escape.
    let mut copied = 0;
    let mut skip_to = 0;
    let plain = plain_length(text);
    for (at, character) in text[plain..].char_indices().map(|(at, character)| (plain + at, character)) {
        if at < skip_to {
            continue;
        }
        if colours && let Some(length) = colour(&text[at..]) {
            skip_to = at + length;
            continue;
        }
        let command = is_command(&text[..at], &text[at..]);
        if !command && !is_unseen(character) {
            continue;
        }
        safe.push_str(&text[copied..at]);
        match character {
            _ if command => safe.push_str(&format!("\\x{:02x}", u32::from(character))),
            '\r' => safe.push_str("\\r"),
            _ => safe.extend(character.escape_unicode()),
        }
        copied = at + character.len_utf8();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    safe.push_str(&text[copied..]);
    Cow::Owned(safe)
}

/// How many bytes at the beginning of `text` need no second look: nearly always all of them, and this is the quickest way
/// to know.
fn plain_length(text: &str) -> usize {
    let mut before = 0;
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        let command = byte == before && matches!(byte, b':' | b'#');
        if command {
            return at - 1;
        }
        if !matches!(byte, b' '..=b'~' | b'\n' | b'\t') {
            return at;
        }
        before = byte;
    }
    text.len()
}

/// Whether a character has no shape of its own, or changes how others are shown.
pub(super) fn is_unseen(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // Controls; marks, embeddings and isolates of the bidirectional algorithm (Unicode TR 9); separators; fillers.
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => character.is_control(),
    }
}

/// Whether `rest` begins a command to a CI system: `::error` at the start of a word, since a line may be broken there,
/// or `##[error]`, `##vso[` and their like, which count anywhere.
fn is_command(before: &str, rest: &str) -> bool {
    if let Some(word) = rest.strip_prefix("::") {
        let starts = before.chars().next_back().is_none_or(char::is_whitespace);
        return starts && word.starts_with(|first: char| first.is_ascii_alphabetic());
    }
    let word = rest.strip_prefix("##").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
    word.is_some_and(|after| after.starts_with('['))
}

/// The length of the SGR sequence that `text` begins with (ECMA-48, 8.3.117).
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

/// A report as it may be shown anywhere. Its parts are named one by one, so that nobody adds a text and forgets it here.
pub fn report(report: &Report) -> Report {
    let Report {
        schema,
        run_id,
        runner_version,
        lab,
        title,
        lab_version,
        submission,
        suite,
        seed,
        services,
        isolation,
        outcome,
        score,
        max_score,
        partial,
        started_at,
        duration_ms,
        timings,
        diagnostics,
        notes,
        manifest_sha256,
        environment,
        expected,
        checks,
    } = report;
    let Submission { kind, path, commit, sha256, left_out } = submission;
    let service = |UsedService { provider, version }: &UsedService| UsedService {
        provider: line(provider),
        version: version.as_deref().map(line),
    };
    Report {
        schema: schema.clone(),
        run_id: run_id.clone(),
        runner_version: runner_version.clone(),
        lab: line(lab),
        title: line(title),
        lab_version: *lab_version,
        submission: Submission {
            kind: *kind,
            path: line(path),
            commit: commit.as_deref().map(line),
            sha256: sha256.clone(),
            left_out: lines(left_out),
        },
        suite: suite.clone(),
        seed: *seed,
        services: services.iter().map(|(name, one)| (line(name), service(one))).collect(),
        isolation: line(isolation),
        outcome: *outcome,
        score: *score,
        max_score: *max_score,
        partial: *partial,
        started_at: *started_at,
        duration_ms: *duration_ms,
        timings: timings.clone(),
        diagnostics: diagnostics.as_ref().map(self::diagnostics),
        notes: lines(notes),
        manifest_sha256: manifest_sha256.clone(),
        environment: environment.iter().map(|(name, value)| (line(name), line(value))).collect(),
        expected: expected.iter().map(|check| ExpectedCheck { id: line(&check.id), ..check.clone() }).collect(),
        checks: checks.iter().map(check).collect(),
    }
}

/// Why nothing was graded, for people.
pub(super) fn diagnostics(diagnostics: &Diagnostics) -> Diagnostics {
    let Diagnostics { message, details, omitted, hints, coloured: shown } = diagnostics;
    Diagnostics {
        message: line(message),
        details: details.iter().map(|text| inert(&without_colours(text)).into_owned()).collect(),
        omitted: *omitted,
        hints: lines(hints),
        coloured: shown.iter().map(|text| coloured(text)).collect(),
    }
}

/// A check for people, without its transcript and its places.
pub(super) fn check(check: &Check) -> Check {
    let Check {
        id,
        title,
        task,
        points,
        max_points,
        verdict,
        skip_reason,
        started_us,
        duration_ms,
        message,
        sent,
        received,
        expected,
        actual,
        diff,
        why,
        source,
        hint,
        hints,
        case_hint,
        reproduce,
        server_log,
        of_program,
        held_out,
        counted,
        transcript: _,
        places: _,
        asked_again,
    } = check;
    Check {
        id: line(id),
        title: line(title),
        task: *task,
        points: *points,
        max_points: *max_points,
        verdict: *verdict,
        skip_reason: skip_reason.as_ref().map(self::skip_reason),
        started_us: *started_us,
        duration_ms: *duration_ms,
        message: text(message),
        sent: text(sent),
        received: text(received),
        expected: text(expected),
        actual: text(actual),
        diff: diff.iter().map(difference).collect(),
        why: inert(why).into_owned(),
        source: line(source),
        hint: text(hint),
        hints: texts(hints),
        case_hint: text(case_hint),
        reproduce: text(reproduce),
        server_log: server_log.iter().map(|text| log_line(text)).collect(),
        of_program: *of_program,
        held_out: *held_out,
        counted: *counted,
        transcript: Vec::new(),
        places: Vec::new(),
        asked_again: text(asked_again),
    }
}

fn skip_reason(reason: &SkipReason) -> SkipReason {
    match reason {
        SkipReason::NeedsFailed { check } => SkipReason::NeedsFailed { check: line(check) },
        SkipReason::NotApplicable { message } => SkipReason::NotApplicable { message: line(message) },
    }
}

fn difference(difference: &Difference) -> Difference {
    let Difference { place, expected, actual } = difference;
    let text = |text: &str| inert(text).into_owned();
    Difference { place: text(place), expected: text(expected), actual: text(actual) }
}

fn text(text: &Option<String>) -> Option<String> {
    text.as_deref().map(|text| inert(text).into_owned())
}

fn texts(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| inert(text).into_owned()).collect()
}

fn lines(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| line(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logs_colours_are_left_out_and_nothing_else() {
        assert_eq!(log_line("\u{1b}[2m22:01\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m no URL"), "22:01 ERROR no URL");
        assert_eq!(log_line("\u{1b}[2J\u{1b}[1;31mred\u{1b}"), "\\u{1b}[2Jred\\u{1b}");
    }

    #[test]
    fn what_controls_a_terminal_is_shown_and_not_obeyed() {
        assert_eq!(inert("\u{1b}[2J\u{1b}[H100/100 points"), "\\u{1b}[2J\\u{1b}[H100/100 points");
        assert_eq!(inert("one\rtwo\u{8}\u{7f}\u{9b}31m\0"), "one\\rtwo\\u{8}\\u{7f}\\u{9b}31m\\u{0}");
        assert_eq!(line("a name\n100/100 points"), "a name\\n100/100 points");
    }

    #[test]
    fn what_turns_or_hides_text_is_shown() {
        assert_eq!(inert("\u{202e}001/001\u{202c}"), "\\u{202e}001/001\\u{202c}");
        assert_eq!(inert("a\u{2066}b\u{200b}c\u{feff}d\u{e0041}"), "a\\u{2066}b\\u{200b}c\\u{feff}d\\u{e0041}");
    }

    #[test]
    fn no_line_is_a_command_to_a_ci_system() {
        assert_eq!(inert("::error file=a::b\n  ::set-output x"), "\\x3a:error file=a::b\n  \\x3a:set-output x");
        assert_eq!(inert("log ##[error]x ##vso[task.complete]"), "log \\x23#[error]x \\x23#vso[task.complete]");
        assert_eq!(inert("std::io::Error, ## heading, a :: b"), "std::io::Error, ## heading, a :: b");
    }

    #[test]
    fn what_is_harmless_stays_as_it_is() {
        let text = "grüße 日本 שלום 👩‍💻\n\ttab";
        assert!(matches!(inert(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn a_compilers_colours_stay_and_nothing_else_of_its_kind() {
        let text = "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: \u{1b}[2J\u{1b}]0;title\u{7}\u{1b}[1";
        let shown = "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: \\u{1b}[2J\\u{1b}]0;title\\u{7}\\u{1b}[1";
        assert_eq!(coloured(text), shown);
    }
}
