//! Pairs commands with their replies, for the transcript alone: what cannot be followed passes all the same, and is told
//! without a reply.
//!
//! RESP 2 and 3: each reply is a line, a string of so many bytes behind a line, or a line that announces so many further
//! replies (Redis documentation, "Redis serialization protocol specification").

use std::collections::VecDeque;
use std::time::Instant;

use super::log::{Log, NO_ANSWER};

/// How much of a reply is kept.
const KEPT: usize = 200;
/// The longest line that announces anything.
const LONGEST_HEAD: usize = 32;
/// More commands than this are not waited for at once.
const MOST: usize = 10_000;

/// The commands of one connection that are still to be answered.
#[derive(Debug)]
pub(super) struct Pairing {
    log: Log,
    waiting: VecDeque<(String, Instant)>,
    reply: Reply,
    /// Nobody can tell any more which reply belongs to which command.
    blind: bool,
}

/// A reply as far as it has come.
#[derive(Debug, Default)]
struct Reply {
    /// The line that is being read, as far as it matters.
    line: Vec<u8>,
    /// How many bytes of a string, and its line break, are still to come.
    bytes: usize,
    /// How many parts of each aggregate are still to come, the innermost last.
    parts: Vec<usize>,
    /// How it begins.
    kept: Vec<u8>,
    /// Whether it answers no command: a message to a subscriber, or what only goes before a reply.
    aside: bool,
}

impl Pairing {
    pub fn new(log: Log) -> Self {
        Self { log, waiting: VecDeque::new(), reply: Reply::default(), blind: false }
    }

    /// A command was passed on.
    pub fn sent(&mut self, command: String) {
        let name = command.split(' ').next().unwrap_or_default();
        // From here on replies come without a command, or commands without a reply.
        let other = matches!(name, "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE" | "MONITOR" | "SYNC" | "PSYNC")
            || command.to_ascii_uppercase().starts_with("CLIENT REPLY");
        if other || self.waiting.len() >= MOST {
            self.give_up();
        }
        match self.blind {
            true => self.log.answered(&command, "", std::time::Duration::ZERO),
            false => self.waiting.push_back((command, Instant::now())),
        }
    }

    /// Redis sent `bytes`.
    pub fn received(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.blind {
            let taken = match self.reply.take(bytes) {
                Some((taken, true)) => {
                    self.replied();
                    taken
                }
                Some((taken, false)) => taken,
                None => return self.give_up(),
            };
            bytes = &bytes[taken..];
        }
    }

    fn replied(&mut self) {
        let reply = std::mem::take(&mut self.reply);
        if reply.aside {
            return;
        }
        match self.waiting.pop_front() {
            Some((command, at)) => self.log.answered(&command, &reply.text(), at.elapsed()),
            None => self.give_up(),
        }
    }

    /// From here on commands are told without their replies.
    fn give_up(&mut self) {
        self.blind = true;
        for (command, _) in self.waiting.drain(..) {
            self.log.answered(&command, "", std::time::Duration::ZERO);
        }
    }
}

impl Drop for Pairing {
    fn drop(&mut self) {
        for (command, at) in self.waiting.drain(..) {
            self.log.answered(&command, NO_ANSWER, at.elapsed());
        }
    }
}

impl Reply {
    /// Takes some of `bytes`: how many, and whether the reply is whole. None, if they are no reply.
    fn take(&mut self, bytes: &[u8]) -> Option<(usize, bool)> {
        if self.bytes > 0 {
            let taken = self.bytes.min(bytes.len());
            self.keep(&bytes[..taken]);
            self.bytes -= taken;
            return Some((taken, self.bytes == 0 && self.part_ended()));
        }
        let end = bytes.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
        let taken = end.unwrap_or(bytes.len());
        self.keep(&bytes[..taken]);
        let room = (LONGEST_HEAD + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..taken.min(room)]);
        let whole = end.is_some() && self.line_ended()?;
        Some((taken, whole))
    }

    /// What a line means: whether it ends the reply.
    fn line_ended(&mut self) -> Option<bool> {
        let line = std::mem::take(&mut self.line);
        let (kind, rest) = line.split_first()?;
        let count = || -> Option<usize> {
            let digits = std::str::from_utf8(rest).ok()?.trim_end();
            // An absent string or array has the length -1, and nothing follows it.
            if digits == "-1" { Some(usize::MAX) } else { digits.parse().ok().filter(|count| *count < usize::MAX / 4) }
        };
        match kind {
            b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => {}
            b'$' | b'=' | b'!' => match count()? {
                usize::MAX => {}
                length => {
                    self.bytes = length + 2;
                    return Some(false);
                }
            },
            b'*' | b'~' | b'>' | b'%' | b'|' => {
                self.aside |= self.parts.is_empty() && matches!(kind, b'>' | b'|');
                match count()? {
                    0 | usize::MAX => {}
                    parts => {
                        self.parts.push(if matches!(kind, b'%' | b'|') { parts * 2 } else { parts });
                        return Some(false);
                    }
                }
            }
            _ => return None,
        }
        Some(self.part_ended())
    }

    /// A part is whole: whether all is.
    fn part_ended(&mut self) -> bool {
        while let Some(left) = self.parts.last_mut() {
            *left -= 1;
            if *left > 0 {
                return false;
            }
            self.parts.pop();
        }
        true
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = (KEPT + 1).saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// How it begins, as people write it: without the lengths.
    fn text(&self) -> String {
        let shown = &self.kept[..self.kept.len().min(KEPT)];
        let text = String::from_utf8_lossy(shown);
        let lines: Vec<&str> = text.split("\r\n").filter(|line| !line.is_empty()).collect();
        let simple = match lines.as_slice() {
            ["$-1" | "*-1" | "_"] => "nil".to_owned(),
            [line] => line.strip_prefix(['+', ':', ',']).unwrap_or(line).to_owned(),
            [head, value] if head.starts_with('$') => (*value).to_owned(),
            lines => lines.iter().filter(|line| !line.starts_with('$')).copied().collect::<Vec<_>>().join(" "),
        };
        if self.kept.len() > KEPT { format!("{simple}…") } else { simple }
    }
}

#[cfg(test)]
mod tests {
    use lab_check::transcript::Transcript;
    use lab_protocol::Happening;

    use super::*;

    /// What the transcript holds after `commands` were sent, and `replies` came in chunks of `size`.
    fn paired(commands: &[&str], replies: &[u8], size: usize) -> Vec<(String, String)> {
        let transcript = Transcript::default();
        let mut pairing = Pairing::new(Log::new(transcript.clone()));
        commands.iter().for_each(|command| pairing.sent((*command).to_owned()));
        replies.chunks(size).for_each(|chunk| pairing.received(chunk));
        drop(pairing);
        let told = transcript.entries().into_iter().filter_map(|entry| match entry.what {
            Happening::Exchange(one) => Some((one.asked.text().to_owned(), one.answer.unwrap_or_default())),
            _ => None,
        });
        told.collect()
    }

    #[test]
    fn each_reply_belongs_to_its_command_wherever_it_is_split() {
        let commands = ["GET a", "GET b", "INCR n", "HGETALL h", "EXEC", "SET x y", "EVAL s"];
        let replies =
            b"$5\r\nhe\r\no\r\n$-1\r\n:7\r\n%1\r\n+k\r\n*2\r\n:1\r\n$0\r\n\r\n*2\r\n+OK\r\n*0\r\n+OK\r\n-ERR no\r\n";
        let answers = ["he o", "nil", "7", "%1 k *2 :1", "*2 OK *0", "OK", "-ERR no"];
        for size in 1..=replies.len() {
            let told = paired(&commands, replies, size);
            let names: Vec<&str> = told.iter().map(|(command, _)| command.as_str()).collect();
            assert_eq!(names, commands, "in chunks of {size}");
            assert_eq!(told[1].1, answers[1]);
            assert_eq!(told[2].1, answers[2]);
            assert_eq!(told[6].1, answers[6]);
        }
    }

    #[test]
    fn what_answers_no_command_is_passed_over() {
        let told = paired(&["GET a"], b">2\r\n+invalidate\r\n:1\r\n|1\r\n+ttl\r\n:1\r\n+OK\r\n", 4);
        assert_eq!(told, [("GET a".to_owned(), "OK".to_owned())]);
    }

    #[test]
    fn what_cannot_be_followed_is_told_without_a_reply() {
        assert_eq!(paired(&["GET a"], b"HTTP/1.1 200\r\n", 100), [("GET a".to_owned(), String::new())]);
        assert_eq!(paired(&["SUBSCRIBE c"], b"*3\r\n", 100), [("SUBSCRIBE c".to_owned(), String::new())]);
        assert_eq!(paired(&["GET a"], b"", 1)[0].1, "no answer: the connection was closed");
    }
}
