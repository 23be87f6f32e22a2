//! Passes a server's replies on, without the answers to the proxy's own greeting and without the channels' prefix.
//!
//! RESP 2 and 3 both consist of lines, some of which announce a string of so many bytes. That is all that is read.

/// The longest line that announces anything.
const LONGEST_HEAD: usize = 32;

#[derive(Debug)]
enum State {
    /// At the beginning of a line, or in one that may still announce a string.
    Head,
    /// In a line that means nothing here.
    Line,
    /// At the beginning of a string of `length` bytes that may begin with the prefix.
    Beginning { length: usize },
    /// In a string or its line break, so many bytes before the end.
    Rest { missing: usize },
    /// Not understood: everything passes.
    Blind,
}

/// One connection's replies.
#[derive(Debug)]
pub(super) struct Replies {
    state: State,
    held: Vec<u8>,
    prefix: Vec<u8>,
    /// How many of the proxy's own commands are still to be answered, each with one line.
    greeting: usize,
    /// One of them was refused, because a script runs that does not end.
    busy: bool,
}

/// The answer to the proxy's own greeting, where it is an error.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejected(pub String);

impl Replies {
    pub fn new(prefix: &str, greeting: usize) -> Self {
        Self { state: State::Head, held: Vec::new(), prefix: prefix.as_bytes().to_vec(), greeting, busy: false }
    }

    /// How many of the proxy's own commands are still to be answered.
    pub fn awaits_greeting(&self) -> usize {
        self.greeting
    }

    /// Whether the last of the proxy's own commands is to be sent again; told once.
    pub fn take_busy(&mut self) -> bool {
        std::mem::take(&mut self.busy)
    }

    /// Takes what the server sent, and appends to `out` what the client is to see.
    pub fn pass(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Rejected> {
        while !bytes.is_empty() {
            let taken = match self.state {
                State::Head => self.head(bytes, out)?,
                State::Line => self.line(bytes, out),
                State::Beginning { length } => self.beginning(bytes, length, out),
                State::Rest { missing } => {
                    let taken = missing.min(bytes.len());
                    out.extend_from_slice(&bytes[..taken]);
                    self.state = if taken == missing { State::Head } else { State::Rest { missing: missing - taken } };
                    taken
                }
                State::Blind => {
                    out.extend_from_slice(bytes);
                    bytes.len()
                }
            };
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    fn head(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Rejected> {
        let announces = self.held.first().or(bytes.first()) == Some(&b'$');
        if self.greeting == 0 && !announces {
            self.state = State::Line;
            return Ok(0);
        }
        let end = bytes.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
        let taken = end.unwrap_or(bytes.len());
        self.held.extend_from_slice(&bytes[..taken]);
        if self.greeting > 0 {
            if end.is_some() {
                self.greeted()?;
            }
        } else if end.is_some() {
            self.announced(out);
        } else if self.held.len() > LONGEST_HEAD || !self.held[1..].iter().all(is_of_a_length) {
            // Nothing that would ever become a string's length is held back.
            self.state = State::Blind;
            out.append(&mut self.held);
        }
        Ok(taken)
    }

    fn greeted(&mut self) -> Result<(), Rejected> {
        let line = std::mem::take(&mut self.held);
        if line.starts_with(b"-BUSY ") {
            self.busy = true;
            return Ok(());
        }
        if line.first() != Some(&b'+') {
            return Err(Rejected(String::from_utf8_lossy(&line).trim().to_owned()));
        }
        self.greeting -= 1;
        Ok(())
    }

    /// A line such as `$12`. An absent string has the length -1.
    fn announced(&mut self, out: &mut Vec<u8>) {
        let digits = std::str::from_utf8(&self.held[1..]).unwrap_or_default().trim_end();
        let Ok(length) = digits.parse::<i64>() else {
            self.state = State::Blind;
            return out.append(&mut self.held);
        };
        match usize::try_from(length) {
            Ok(length) if length >= self.prefix.len() && !self.prefix.is_empty() => {
                self.state = State::Beginning { length };
                self.held.clear();
            }
            Ok(length) => {
                self.state = State::Rest { missing: length + 2 };
                out.append(&mut self.held);
            }
            Err(_) => {
                self.state = State::Head;
                out.append(&mut self.held);
            }
        }
    }

    fn line(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        let end = bytes.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
        let taken = end.unwrap_or(bytes.len());
        out.extend_from_slice(&bytes[..taken]);
        if end.is_some() {
            self.state = State::Head;
        }
        taken
    }

    /// Holds the beginning of a string until it is clear whether it is the prefix.
    fn beginning(&mut self, bytes: &[u8], length: usize, out: &mut Vec<u8>) -> usize {
        let taken = bytes.len().min(self.prefix.len() - self.held.len());
        self.held.extend_from_slice(&bytes[..taken]);
        let other = !self.prefix.starts_with(&self.held);
        if !other && self.held.len() < self.prefix.len() {
            return taken;
        }
        let shown = if other { length } else { length - self.prefix.len() };
        out.extend_from_slice(format!("${shown}\r\n").as_bytes());
        if other {
            out.extend_from_slice(&self.held);
        }
        self.state = State::Rest { missing: length + 2 - self.held.len() };
        self.held.clear();
        taken
    }
}

fn is_of_a_length(byte: &u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREETING: &[u8] = b"+OK\r\n+OK\r\n";

    fn passed(stream: &[u8], size: usize) -> Vec<u8> {
        let mut replies = Replies::new("lab_1:", 2);
        let mut out = Vec::new();
        for chunk in [GREETING, stream].concat().chunks(size) {
            replies.pass(chunk, &mut out).unwrap();
        }
        out
    }

    #[test]
    fn replies_pass_unchanged_wherever_they_are_split() {
        let stream = b"+OK\r\n-ERR no\r\n:1\r\n$-1\r\n$0\r\n\r\n$5\r\nlab_2\r\n$7\r\nlab_2:x\r\n*2\r\n$1\r\na\r\n*-1\r\n\
                       %1\r\n+k\r\n,1.5\r\n_\r\n#t\r\n(12345\r\n=7\r\ntxt:abc\r\n~1\r\n:5\r\n>1\r\n$3\r\n$9\n\r\n|1\r\n+a\r\n:2\r\n";
        for size in 1..=stream.len() {
            assert_eq!(passed(stream, size), stream, "in chunks of {size}");
        }
    }

    #[test]
    fn a_channels_prefix_is_taken_off() {
        let stream = b"*3\r\n$7\r\nmessage\r\n$10\r\nlab_1:news\r\n$11\r\nlab text 12\r\n$6\r\nlab_1:\r\n+lab_1:x\r\n";
        let expected = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$11\r\nlab text 12\r\n$0\r\n\r\n+lab_1:x\r\n";
        for size in 1..=stream.len() {
            assert_eq!(passed(stream, size), expected, "in chunks of {size}");
        }
    }

    #[test]
    fn the_answers_to_the_greeting_are_kept_back_and_a_refusal_is_told() {
        let mut replies = Replies::new("lab_1:", 2);
        let mut out = Vec::new();
        assert_eq!(replies.pass(b"+OK\r", &mut out), Ok(()));
        assert_eq!(replies.pass(b"\n-NOPERM no\r\n", &mut out), Err(Rejected("-NOPERM no".into())));
        assert_eq!(out, b"");
    }

    #[test]
    fn what_is_no_reply_passes_all_the_same() {
        for stream in [&b"$x\r\nabc"[..], &[b'$'; 100], b"\0\xff\r\n$$", b"HTTP/1.1 200 OK\r\n\r\n"] {
            for size in [1, 3, 200] {
                assert_eq!(passed(stream, size), stream);
            }
        }
    }
}
