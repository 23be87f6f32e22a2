//! What happened in a check, from its transcript: requests and answers, statements, commands, faults and the server's
//! log on one clock, equal ones grouped and counted.

use std::collections::BTreeMap;

use lab_protocol::{Exchange, Happening, Mark, TranscriptEntry};

use super::super::inert;
use super::super::style::dim;
use super::screen::{cut, shorten_binary};

/// The columns of the milliseconds at the end of a line.
const CLOCK: usize = 7;

/// One line: what happened, when, how often.
struct Line {
    mark: &'static str,
    text: String,
    at_us: u64,
    times: usize,
    took_us: u64,
}

/// Whether more happened than one request and its answer, which are shown in full elsewhere.
pub(super) fn adds_something(transcript: &[TranscriptEntry]) -> bool {
    let entries = since_first_request(transcript);
    let sent = entries.iter().filter(|entry| matches!(entry.what, Happening::Sent { .. })).count();
    let inside = |entry: &TranscriptEntry| matches!(entry.what, Happening::Exchange(_));
    sent > 1 || entries.iter().any(inside)
}

/// At most `most` lines of what happened, in `width` columns.
pub(in crate::reporter) fn happened(transcript: &[TranscriptEntry], width: usize, most: usize) -> Vec<String> {
    let lines = grouped(since_first_request(transcript));
    let Some(first) = lines.first() else { return Vec::new() };
    let begin = first.at_us;
    // Of too much, the request and the end are shown: that is where the failure is.
    let left_out = if lines.len() > most { lines.len() + 1 - most.max(2) } else { 0 };
    let room = width.saturating_sub(CLOCK + 2);
    let told = |line: &Line| {
        let ms = line.at_us.saturating_sub(begin) / 1000;
        format!("{} {:<room$}{}", line.mark, render(line, room), dim(format_args!("{ms:>CLOCK$}")))
    };
    let mut text = Vec::new();
    if left_out > 0 {
        text.push(told(first));
        text.push(dim(format_args!("… {left_out} more lines: --format json has them")));
    }
    text.extend(lines.iter().skip(if left_out > 0 { left_out + 1 } else { 0 }).map(told));
    text
}

/// The line in at most `room` columns: what is counted is not cut.
fn render(line: &Line, room: usize) -> String {
    if line.times < 2 {
        return cut(&line.text, room);
    }
    let count = match line.took_us {
        0 => format!("  ran {} times", line.times),
        took => format!("  ran {} times, {} ms in all", line.times, took.div_ceil(1000)),
    };
    format!("{}{count}", cut(&line.text, room.saturating_sub(count.chars().count())))
}

/// What comes before the check's first request is the server's start.
fn since_first_request(transcript: &[TranscriptEntry]) -> &[TranscriptEntry] {
    let first = transcript.iter().position(|entry| matches!(entry.what, Happening::Sent { .. }));
    &transcript[first.unwrap_or(0)..]
}

/// A line for each thing; equal statements and commands between two messages are one, and so are the pieces of a message.
fn grouped(entries: &[TranscriptEntry]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut last_message = None;
    for entry in entries {
        let message = match &entry.what {
            Happening::Sent { connection, .. } => Some((true, *connection)),
            Happening::Received { connection, .. } => Some((false, *connection)),
            _ => None,
        };
        if message.is_some() && message == last_message {
            continue;
        }
        if message.is_some() {
            last_message = message;
            known.clear();
        }
        let Some(line) = line(entry) else { continue };
        let repeats = matches!(entry.what, Happening::Exchange(_));
        match known.get(&line.text).filter(|_| repeats) {
            Some(at) => {
                lines[*at].times += 1;
                lines[*at].took_us += line.took_us;
            }
            None => {
                if repeats {
                    known.insert(line.text.clone(), lines.len());
                }
                lines.push(line);
            }
        }
    }
    lines
}

fn line(entry: &TranscriptEntry) -> Option<Line> {
    let (mark, text, took_us) = match &entry.what {
        Happening::Sent { text, .. } => ("→", message(text), 0),
        Happening::Received { text, .. } => ("←", message(text.strip_prefix("HTTP/1.1 ").unwrap_or(text)), 0),
        Happening::Exchange(one) => (" ", exchange(one), one.took_us.unwrap_or_default()),
        Happening::Log { line, .. } => ("|", one_line(&inert::without_colours(line)), 0),
        Happening::Note { mark, .. } if is_life(mark.as_ref()) => return None,
        Happening::Note { text, .. } => ("⚡", one_line(text), 0),
    };
    (!text.is_empty()).then(|| Line { mark, text: inert::line(&text), at_us: entry.at_us, times: 1, took_us })
}

/// Whether a note only says that a server lives or lives no more, which nobody brought about just then.
fn is_life(mark: Option<&Mark>) -> bool {
    matches!(mark, Some(Mark::Ready { .. } | Mark::Ended { .. }))
}

/// The first line of a message, and its body.
fn message(text: &str) -> String {
    let (head, body) = text.split_once("\n\\r\n").unwrap_or((text, ""));
    let first = head.lines().next().unwrap_or_default().trim_end_matches("\\r");
    let first = first.strip_suffix(" HTTP/1.1").unwrap_or(first);
    shorten_binary(one_line(&format!("{first}  {body}")).trim_end())
}

/// What was asked of a service, and its answer if that is a refusal.
fn exchange(exchange: &Exchange) -> String {
    let asked = one_line(exchange.asked.text());
    match &exchange.answer {
        Some(answer) if exchange.failed => format!("{asked}  ✗ {}", one_line(answer)),
        _ => asked,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lab_protocol::Asked;

    use super::*;

    fn entry(at_us: u64, what: Happening) -> TranscriptEntry {
        TranscriptEntry { at_us, what }
    }

    fn select(at_us: u64) -> TranscriptEntry {
        entry(at_us, asked("SELECT *\n  FROM orders WHERE id = $1", "SELECT 1", false))
    }

    fn asked(statement: &str, answer: &str, failed: bool) -> Happening {
        let exchange = Exchange::new("sql", "a database", Asked::Statement(statement.into()));
        Happening::Exchange(exchange.answered(answer, failed, Duration::from_micros(400)))
    }

    fn plain(lines: Vec<String>) -> Vec<String> {
        lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
    }

    fn request() -> TranscriptEntry {
        let text = "GET /orders HTTP/1.1\\r\nHost: a\\r\n\\r\n".into();
        entry(1_000, Happening::Sent { connection: 1, text, port: None })
    }

    #[test]
    fn equal_statements_are_one_line_and_counted() {
        let mut transcript = vec![select(10), request()];
        transcript.extend((0..50).map(|n| select(2_000 + n)));
        let text = "HTTP/1.1 200 OK\\r\nA: b\\r\n\\r\n[]".to_owned();
        transcript.push(entry(30_000, Happening::Received { connection: 1, text }));
        let lines = plain(happened(&transcript, 80, 10));
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert!(lines[0].starts_with("→ GET /orders ") && lines[0].ends_with(" 0"), "{lines:#?}");
        assert!(lines[1].contains("SELECT * FROM orders WHERE id = $1  ran 50 times, 20 ms in all"), "{lines:#?}");
        assert!(lines[2].starts_with("← 200 OK []") && lines[2].ends_with(" 29"), "{lines:#?}");
    }

    #[test]
    fn what_a_service_refused_is_shown_with_its_answer() {
        let refused = asked("insert into orders\n values (1)", "ERROR 23505: duplicate key", true);
        let command = Happening::Exchange(Exchange::new("document", "documents", Asked::Command("find {}".into())));
        let lines = plain(happened(&[request(), entry(2_000, refused), entry(3_000, command)], 90, 10));
        assert!(lines[1].contains("insert into orders values (1)  ✗ ERROR 23505: duplicate key"), "{lines:#?}");
        assert!(lines[2].contains("find {}"), "{lines:#?}");
    }

    #[test]
    fn of_too_much_the_request_and_the_end_are_shown() {
        let mut transcript = vec![request()];
        let note = |n| entry(n, Happening::Note { text: format!("fault {n}"), mark: None });
        transcript.extend((1_000..1_020).map(note));
        let lines = plain(happened(&transcript, 60, 4));
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(lines[1].contains("18 more lines") && lines[3].contains("fault 1019"), "{lines:#?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 60), "{lines:#?}");
    }
}
