//! Passes a server's replies on, without the answers to the proxy's own greeting and without the channels' prefix, with
//! scripts and the connection under the names that the client knows them by.
//!
//! RESP 2 and 3 both consist of lines, some of which announce a string of so many bytes. That is all that is read.

use super::scripts::Scripts;

/// The longest line that announces anything.
const LONGEST_HEAD: usize = 32;
/// The longest error in which scripts are looked for, and the longest string that may be one's name.
const LONGEST_ERROR: usize = 4 * 1024;
const SHORT: usize = 64;
/// The length of a script's name.
const ID: usize = 40;

#[derive(Debug)]
enum State {
    /// At the beginning of a line, or in one that may still announce a string.
    Head,
    /// In a line that means nothing here.
    Line,
    /// In a string of `length` bytes that is looked at as a whole.
    Short { length: usize },
    /// At the beginning of a longer string of `length` bytes that may begin with the prefix.
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
    scripts: Scripts,
    /// What the connection is told to be its number: Redis counts everybody's.
    number: u64,
    /// How much of what HELLO says before that number has been seen.
    hello: Hello,
    /// How many of the proxy's own commands are still to be answered, each with one line.
    greeting: usize,
    /// One of them was refused, because a script runs that does not end.
    busy: bool,
}

/// `proto`, a number, `id`, a number: so HELLO tells what a connection is, in RESP 2 and 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hello {
    Nothing,
    Proto,
    Version,
    Id,
}

/// The answer to the proxy's own greeting, where it is an error.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejected(pub String);

impl Replies {
    pub fn new(prefix: &str, scripts: Scripts, number: u64, greeting: usize) -> Self {
        let (state, hello) = (State::Head, Hello::Nothing);
        let prefix = prefix.as_bytes().to_vec();
        Self { state, held: Vec::new(), prefix, scripts, number, hello, greeting, busy: false }
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
                State::Short { length } => self.short(bytes, length, out),
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
        let kind = *self.held.first().unwrap_or(&bytes[0]);
        if self.greeting == 0 && !matches!(kind, b'$' | b':' | b'-') {
            (self.state, self.hello) = (State::Line, Hello::Nothing);
            return Ok(0);
        }
        let end = bytes.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
        let taken = end.unwrap_or(bytes.len());
        self.held.extend_from_slice(&bytes[..taken]);
        let longest = if kind == b'-' { LONGEST_ERROR } else { LONGEST_HEAD };
        if self.greeting > 0 {
            if end.is_some() {
                self.greeted()?;
            }
        } else if end.is_some() {
            match kind {
                b'$' => self.announced(out),
                b':' => self.number(out),
                _ => self.error(out),
            }
        } else if kind == b'$' && (self.held.len() > longest || !self.held[1..].iter().all(is_of_a_length)) {
            // Nothing that would ever become a string's length is held back.
            self.state = State::Blind;
            out.append(&mut self.held);
        } else if self.held.len() > longest {
            (self.state, self.hello) = (State::Line, Hello::Nothing);
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
            Ok(length) if length <= SHORT => {
                self.state = State::Short { length };
                self.held.clear();
            }
            Ok(length) if length >= self.prefix.len() && !self.prefix.is_empty() => {
                self.hello = Hello::Nothing;
                self.state = State::Beginning { length };
                self.held.clear();
            }
            Ok(length) => {
                (self.state, self.hello) = (State::Rest { missing: length + 2 }, Hello::Nothing);
                out.append(&mut self.held);
            }
            Err(_) => {
                (self.state, self.hello) = (State::Head, Hello::Nothing);
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

    /// A line such as `:12`.
    fn number(&mut self, out: &mut Vec<u8>) {
        let own = self.hello == Hello::Id;
        self.hello = if self.hello == Hello::Proto { Hello::Version } else { Hello::Nothing };
        if own {
            self.held = format!(":{}\r\n", self.number).into_bytes();
        }
        out.append(&mut self.held);
    }

    /// A line such as `-ERR … script: 40 hexadecimal digits, on @user_script:1.`
    fn error(&mut self, out: &mut Vec<u8>) {
        self.hello = Hello::Nothing;
        for word in self.held.split_mut(|byte| !byte.is_ascii_alphanumeric()).filter(|word| word.len() == ID) {
            if let Some(shown) = self.scripts.shown(word) {
                word.copy_from_slice(shown.as_bytes());
            }
        }
        out.append(&mut self.held);
    }

    /// Holds a string and its line break until it is all there.
    fn short(&mut self, bytes: &[u8], length: usize, out: &mut Vec<u8>) -> usize {
        let taken = bytes.len().min(length + 2 - self.held.len());
        self.held.extend_from_slice(&bytes[..taken]);
        if self.held.len() < length + 2 {
            return taken;
        }
        let text = &self.held[..length];
        self.hello = match (self.hello, text) {
            (_, b"proto") => Hello::Proto,
            (Hello::Version, b"id") => Hello::Id,
            _ => Hello::Nothing,
        };
        let script = if length == ID { self.scripts.shown(text) } else { None };
        let plain = text.strip_prefix(self.prefix.as_slice()).unwrap_or(text);
        let shown = script.as_deref().map_or(plain, str::as_bytes);
        out.extend_from_slice(format!("${}\r\n", shown.len()).as_bytes());
        out.extend_from_slice(shown);
        out.extend_from_slice(&self.held[length..]);
        self.held.clear();
        self.state = State::Head;
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

    fn replies(greeting: usize) -> Replies {
        Replies::new("lab_1:", Scripts::new("lab_1"), 3, greeting)
    }

    fn passed(stream: &[u8], size: usize) -> Vec<u8> {
        passed_by(replies(2), stream, size)
    }

    fn passed_by(mut replies: Replies, stream: &[u8], size: usize) -> Vec<u8> {
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
    fn a_scripts_name_is_the_one_that_the_client_knows() {
        let scripts = Scripts::new("lab_1");
        let own = sha1_smol::Sha1::from(scripts.own(b"return x")).digest().to_string();
        let plain = sha1_smol::Sha1::from("return x").digest().to_string();
        let with = |id: &str| {
            let other = "0".repeat(40);
            format!(
                "$40\r\n{id}\r\n*1\r\n$40\r\n{other}\r\n-ERR no x script: {id}, on @user_script:1.\r\n-{other}\r\n+{own}\r\n"
            )
        };
        let stream = with(&own);
        for size in 1..=stream.len() {
            let replies = Replies::new("lab_1:", scripts.clone(), 3, 2);
            let out = passed_by(replies, stream.as_bytes(), size);
            assert_eq!(String::from_utf8(out).unwrap(), with(&plain), "in chunks of {size}");
        }
    }

    #[test]
    fn hello_tells_the_number_that_the_connection_has_in_its_check() {
        for head in ["%2", "*4"] {
            let hello = |id: &str| format!("{head}\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:{id}\r\n$2\r\nid\r\n:7\r\n");
            let stream = hello("81");
            for size in 1..=stream.len() {
                let out = passed(stream.as_bytes(), size);
                assert_eq!(String::from_utf8(out).unwrap(), hello("3"), "in chunks of {size}");
            }
        }
    }

    #[test]
    fn the_answers_to_the_greeting_are_kept_back_and_a_refusal_is_told() {
        let mut replies = replies(2);
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
