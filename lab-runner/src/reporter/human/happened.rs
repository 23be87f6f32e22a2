//! What happened in a check, from its transcript: requests and answers, statements, commands, faults and the server's
//! log on one clock, equal ones grouped and counted.

use std::collections::{BTreeMap, BTreeSet};

use lab_protocol::{AGENTS, Exchange, Happening, Mark, TranscriptEntry};

use super::super::inert;
use super::super::style::dim;
use super::screen::{cut, shorten_binary};

/// The columns of the milliseconds at the end of a line.
const CLOCK: usize = 7;

/// What stands between a question and its refusal.
const REFUSED: &str = "  ✗ ";
/// How a note ends that tells of a connection's regular end.
const CLOSED: &str = "was closed by the server";

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
    let inside = |entry: &TranscriptEntry| matches!(&entry.what, Happening::Exchange(one) if !one.housekeeping);
    sent > 1 || entries.iter().any(inside)
}

/// Whether the failing request, whose connection was sent `sent`, was one of several that were under way at once, and the last
/// that was sent is another: then the end of the list tells of others.
pub(super) fn is_lost_among_others(transcript: &[TranscriptEntry], sent: &str) -> bool {
    let mut waiting = BTreeSet::new();
    let (mut at_once, mut last) = (false, None);
    for entry in transcript {
        match &entry.what {
            Happening::Sent { connection, text, .. } => {
                waiting.insert(*connection);
                at_once |= waiting.len() > 1;
                last = Some(text);
            }
            Happening::Received { connection, .. } => {
                waiting.remove(connection);
            }
            _ => {}
        }
    }
    // Of a text that was cut nobody knows what else is in it.
    let is_last = |last: &String| sent.contains(last.trim_end()) || sent.ends_with(" bytes more)");
    at_once && !last.is_none_or(is_last)
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

/// The line in at most `room` columns: neither a count nor why a service refused is cut with what was asked.
fn render(line: &Line, room: usize) -> String {
    if line.times < 2 {
        let Some((asked, refusal)) = line.text.split_once(REFUSED) else { return cut(&line.text, room) };
        let refusal = format!("{REFUSED}{}", cut(refusal, (room * 2 / 3).saturating_sub(REFUSED.len())));
        return format!("{}{refusal}", cut(asked, room.saturating_sub(refusal.chars().count())));
    }
    let count = match line.took_us {
        _ if matches!(line.mark, "→" | "←") => format!("  {} times", line.times),
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
/// As long as several requests are under way at once, equal ones are one line as well, and so are their answers.
fn grouped(entries: &[TranscriptEntry]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut last_message = None;
    let mut closing = Closing::default();
    let (mut waiting, mut at_once) = (BTreeSet::new(), false);
    for entry in entries {
        if closing.is_as_asked(entry) {
            continue;
        }
        let message = match &entry.what {
            Happening::Sent { connection, .. } => Some((true, *connection)),
            Happening::Received { connection, .. } => Some((false, *connection)),
            _ => None,
        };
        if message.is_some() && message == last_message {
            continue;
        }
        match message {
            Some((true, connection)) => {
                at_once &= !waiting.is_empty();
                waiting.insert(connection);
                at_once |= waiting.len() > 1;
            }
            Some((false, connection)) => {
                waiting.remove(&connection);
            }
            None => {}
        }
        if message.is_some() {
            last_message = message;
            if !at_once {
                known.clear();
            }
        }
        let Some(line) = line(entry) else { continue };
        let repeats = matches!(entry.what, Happening::Exchange(_)) || message.is_some() && at_once;
        let may_be_repeated = repeats || message.is_some();
        match known.get(&line.text).filter(|_| repeats) {
            Some(at) => {
                lines[*at].times += 1;
                lines[*at].took_us += line.took_us;
            }
            None => {
                if may_be_repeated {
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
        Happening::Sent { text, .. } => ("→", sent(text), 0),
        Happening::Received { text, .. } => ("←", message(text.strip_prefix("HTTP/1.1 ").unwrap_or(text)), 0),
        Happening::Exchange(one) if one.housekeeping => return None,
        Happening::Exchange(one) => (" ", exchange(one), one.took_us.unwrap_or_default()),
        Happening::Log { line, .. } => ("|", one_line(&inert::without_colours(line)), 0),
        Happening::Note { mark, .. } if is_life(mark.as_ref()) => return None,
        Happening::Note { text, mark } => (sign_of_note(text, mark.as_ref()), one_line(text), 0),
    };
    (!text.is_empty()).then(|| Line { mark, text: inert::line(&text), at_us: entry.at_us, times: 1, took_us })
}

/// The connections whose client has asked for their end, and has had its answer.
#[derive(Default)]
struct Closing {
    asked: BTreeSet<u64>,
    answered: BTreeSet<u64>,
}

impl Closing {
    /// Whether `entry` only says that the server has closed a connection, as it was asked to do behind its answer.
    fn is_as_asked(&mut self, entry: &TranscriptEntry) -> bool {
        match &entry.what {
            Happening::Sent { connection, text, .. } if asks_to_close(text) => {
                self.asked.insert(*connection);
                false
            }
            Happening::Received { connection, .. } => {
                self.answered.insert(*connection);
                false
            }
            Happening::Note { text, mark: Some(Mark::Connection { connection }) } => {
                text.ends_with(CLOSED) && self.asked.contains(connection) && self.answered.contains(connection)
            }
            _ => false,
        }
    }
}

fn asks_to_close(request: &str) -> bool {
    let head = request.split("\n\\r\n").next().unwrap_or(request);
    head.lines().any(|line| line.trim_end_matches("\\r").eq_ignore_ascii_case("connection: close"))
}

/// What stands before a note: lightning before what the check has done to somebody, and no more than a dot before the end of
/// a program's run that has ended by itself, as the kit writes it: `run 1: ended after 5 ms: exit code 0`.
pub(in crate::reporter) fn sign_of_note(text: &str, mark: Option<&Mark>) -> &'static str {
    let of_a_run = matches!(mark, Some(Mark::Connection { .. }));
    let ended = text.split_once(": ").is_some_and(|(_, what)| what.starts_with("ended after "));
    if of_a_run && ended && text.contains(": exit code ") { "·" } else { "⚡" }
}

/// Whether a note only says that a server lives or lives no more, which nobody brought about just then.
fn is_life(mark: Option<&Mark>) -> bool {
    matches!(mark, Some(Mark::Ready { .. } | Mark::Ended { .. }))
}

/// The first line of a request, the lines of its head that are not in every other, and its body.
fn sent(text: &str) -> String {
    let (empty, text) = match text.strip_prefix("\\r\n") {
        Some(rest) => ("(an empty line) ", rest),
        None => ("", text),
    };
    let (head, body) = text.split_once("\n\\r\n").unwrap_or((text, ""));
    let mut lines = head.lines().map(|line| line.strip_suffix("\\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    let first = first.strip_suffix(" HTTP/1.1").unwrap_or(first);
    let length = body.replace("\\r", "\r").len().to_string();
    let mut hosts = 0;
    let mut is_usual = |line: &str| match line.split_once(": ") {
        Some(("Host", host)) => {
            hosts += 1;
            hosts == 1 && host.chars().all(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(c))
        }
        Some(("User-Agent", agent)) => AGENTS.contains(&agent),
        Some(("Connection", "close" | "keep-alive")) => true,
        Some(("Content-Length", stated)) => stated == length,
        Some(("Content-Type", "application/json") | ("Accept" | "traceparent", _)) => true,
        _ => false,
    };
    let mut own: Vec<&str> = lines.filter(|line| !is_usual(line)).collect();
    let has_host = head.lines().skip(1).any(|line| line.to_ascii_lowercase().starts_with("host:"));
    if !has_host && head.len() < text.len() {
        own.insert(0, "no Host");
    }
    let own = if own.is_empty() { String::new() } else { format!("  [{}]", own.join("; ")) };
    shorten_binary(one_line(&format!("{empty}{first}{own}  {body}")).trim_end())
}

/// The first line of an answer, and its body.
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
        Some(answer) if exchange.failed => format!("{asked}{REFUSED}{}", one_line(answer)),
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
        let long =
            asked(&format!("insert into orders values ({})", "1, ".repeat(60)), "ERROR 42601: syntax error", true);
        let lines = plain(happened(&[request(), entry(2_000, long)], 90, 10));
        assert!(
            lines[1].contains("insert into orders") && lines[1].contains("✗ ERROR 42601: syntax error"),
            "{lines:#?}"
        );
        assert!(lines[1].chars().count() <= 90, "{lines:#?}");
    }

    #[test]
    fn a_request_is_shown_with_the_lines_that_set_it_apart() {
        let common = "Host: 127.0.0.1:80\\r\nUser-Agent: curl/8.14.1\\r\nConnection: close\\r\n";
        let odd = "X-Role\\r\n ADMIN: 1\\r\nhost: a\\r\n";
        let shown = sent(&format!("GET / HTTP/1.1\\r\n{common}{odd}Content-Length: 4\\r\n\\r\nbody"));
        assert_eq!(shown, "GET / [X-Role; ADMIN: 1; host: a] body");
        let shown = sent("POST / HTTP/1.1\\r\nHost: a\\r\nHost: a\\r\nContent-Length: +4\\r\n\\r\nbody");
        assert_eq!(shown, "POST / [Host: a; Content-Length: +4] body");
        assert_eq!(sent("\\r\nGET / HTTP/1.0\\r\nHost: a\\r\n\\r\n"), "(an empty line) GET / HTTP/1.0");
        assert_eq!(sent("GET / HTTP/1.1\\r\nUser-Agent: curl/8.14.1\\r\n\\r\n"), "GET / [no Host]");
        assert_eq!(sent("GET /echo/la"), "GET /echo/la");
    }

    #[test]
    fn what_nobody_asked_about_is_left_out() {
        let sent = |connection, field: &str| {
            let text = format!("GET / HTTP/1.1\\r\nHost: a\\r\n{field}\\r\n\\r\n");
            entry(1_000, Happening::Sent { connection, text, port: None })
        };
        let received = |connection| entry(2_000, Happening::Received { connection, text: "HTTP/1.1 200 OK".into() });
        let closed = |connection| {
            let (text, mark) = (format!("connection {connection} {CLOSED}"), Some(Mark::Connection { connection }));
            entry(3_000, Happening::Note { text, mark })
        };
        let command = |text: &str, housekeeping| {
            let exchange = Exchange::new("document", "documents", Asked::Command(text.into()));
            let exchange = Exchange { housekeeping, ..exchange };
            entry(1_500, Happening::Exchange(exchange.answered("-no", true, Duration::ZERO)))
        };
        let asked = [sent(1, "Connection: close"), received(1), closed(1)];
        let early = [sent(2, "Connection: Close"), closed(2)];
        let unasked = [sent(3, "A: b"), received(3), closed(3)];
        let library = [command("hello", true), command("sign in", false)];
        let transcript: Vec<_> = asked.into_iter().chain(early).chain(unasked).chain(library).collect();
        let lines = plain(happened(&transcript, 90, 20)).join("\n");
        assert!(!lines.contains("connection 1") && !lines.contains("hello"), "{lines}");
        assert!(lines.contains("connection 2 was") && lines.contains("connection 3 was"), "{lines}");
        assert!(lines.contains("sign in  ✗ -no"), "{lines}");
    }

    #[test]
    fn the_end_of_a_run_is_no_fault_unless_it_was_killed() {
        let note = |text: &str| {
            let mark = Some(Mark::Connection { connection: 1 });
            entry(1_000, Happening::Note { text: text.into(), mark })
        };
        let transcript = [
            note("run 1: ended after 5 ms: exit code 0"),
            note("run 2: killed with SIGKILL"),
            note("run 2: ended after 5 ms: signal 9, killed"),
        ];
        let lines = plain(happened(&transcript, 90, 10));
        let signs: Vec<&str> = lines.iter().map(|line| line.trim_start().split(' ').next().unwrap()).collect();
        assert_eq!(signs, ["·", "⚡", "⚡"], "{lines:?}");
    }

    #[test]
    fn a_request_that_failed_among_others_under_way_is_told_from_the_last_one() {
        let sent = |connection, path: &str| {
            let text = format!("GET {path} HTTP/1.1\\r\n\\r\n");
            entry(1_000, Happening::Sent { connection, text, port: None })
        };
        let received = |connection| entry(2_000, Happening::Received { connection, text: "HTTP/1.1 200 OK".into() });
        let (first, last) = ("GET /a HTTP/1.1\\r\n\\r\n", "GET /b HTTP/1.1\\r\n\\r\n");
        let at_once = [sent(1, "/a"), sent(2, "/b"), received(1), received(2)];
        assert!(is_lost_among_others(&at_once, first) && !is_lost_among_others(&at_once, last));
        let in_turn = [sent(1, "/a"), received(1), sent(2, "/b"), received(2)];
        assert!(!is_lost_among_others(&in_turn, first));
    }

    #[test]
    fn equal_requests_at_once_are_one_line_and_so_are_their_answers() {
        let sent = |connection| {
            let text = "GET /hot HTTP/1.1\\r\nHost: a\\r\n\\r\n".into();
            entry(1_000, Happening::Sent { connection, text, port: None })
        };
        let received =
            |connection| entry(9_000, Happening::Received { connection, text: "HTTP/1.1 200 OK\\r\n\\r\nhot".into() });
        let race: Vec<_> = (1..=50)
            .map(sent)
            .chain((0..50).map(|_| select(2_000)))
            .chain((1..=50).map(received))
            .chain([sent(51), received(51)])
            .collect();
        let lines = plain(happened(&race, 90, 20));
        assert!(lines[0].contains("GET /hot  50 times"), "{lines:#?}");
        assert!(lines[1].contains("ran 50 times"), "{lines:#?}");
        assert!(lines[2].contains("200 OK hot  50 times"), "{lines:#?}");
        assert_eq!(lines.len(), 5, "{lines:#?}");
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
