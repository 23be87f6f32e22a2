//! Reads the commands that a client sends (Redis documentation, "Redis serialization protocol specification").

/// The longest line: what Redis itself takes as an inline command.
const LONGEST_LINE: usize = 64 * 1024;
/// The most arguments Redis takes.
const MOST_ARGUMENTS: i64 = 1024 * 1024;
/// The longest argument Redis takes.
const LONGEST_ARGUMENT: i64 = 512 * 1024 * 1024;
/// How much of a command is kept: its first arguments, and of each the first bytes.
const KEPT: Limits = Limits { arguments: 1024, bytes: 4 * 1024 };

/// How much of a command is kept.
#[derive(Debug, Clone, Copy)]
struct Limits {
    arguments: usize,
    /// Of each argument.
    bytes: usize,
}

/// The arguments of a command, its name first. Of a very long one some are cut or missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    pub list: Vec<Vec<u8>>,
    /// Whether everything is there.
    pub whole: bool,
}

/// The bytes are no commands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUnderstood;

#[derive(Debug)]
enum State {
    /// Between two lines: a command's first, or the length of its next argument.
    Line,
    /// Within an argument, so many bytes before its end, the line break included.
    Argument { missing: usize, kept: bool },
}

/// One client's bytes, on their way to becoming commands.
#[derive(Debug)]
pub(super) struct Reader {
    state: State,
    line: Vec<u8>,
    arguments: Arguments,
    /// How many arguments of the command are still to come; 0 between two commands.
    to_come: i64,
    limits: Limits,
}

impl Reader {
    pub fn new() -> Self {
        Self { state: State::Line, line: Vec::new(), arguments: Arguments::default(), to_come: 0, limits: KEPT }
    }

    /// The whole of the one command that `bytes` hold, whatever its length.
    pub fn read_whole(bytes: &[u8]) -> Option<Arguments> {
        let limits = Limits { arguments: usize::MAX, bytes: usize::MAX };
        let (_, command) = Self { limits, ..Self::new() }.next(bytes).ok()?;
        command
    }

    /// The name of the command that is being read, once it is there.
    pub fn name(&self) -> Option<&[u8]> {
        let read = match self.state {
            State::Argument { .. } => self.arguments.list.len() > 1,
            State::Line => !self.arguments.list.is_empty(),
        };
        if read { self.arguments.list.first().map(Vec::as_slice) } else { None }
    }

    /// Takes from `bytes` up to the end of a command, and gives the command and how many bytes were taken. An empty
    /// line, which Redis ignores, is a command without arguments.
    pub fn next(&mut self, bytes: &[u8]) -> Result<(usize, Option<Arguments>), NotUnderstood> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let done = match self.state {
                State::Line => {
                    let end = rest.iter().position(|&byte| byte == b'\n');
                    let taken = end.map_or(rest.len(), |end| end + 1);
                    self.line.extend_from_slice(&rest[..taken]);
                    at += taken;
                    if self.line.len() > LONGEST_LINE {
                        return Err(NotUnderstood);
                    }
                    if end.is_some() { self.end_of_line()? } else { false }
                }
                State::Argument { missing, kept } => {
                    let taken = missing.min(rest.len());
                    if kept {
                        self.keep(&rest[..taken], missing);
                    }
                    at += taken;
                    self.state = State::Argument { missing: missing - taken, kept };
                    if taken == missing { self.end_of_argument() } else { false }
                }
            };
            if done {
                return Ok((at, Some(std::mem::take(&mut self.arguments))));
            }
        }
        Ok((at, None))
    }

    /// Whether a command ends here.
    fn end_of_line(&mut self) -> Result<bool, NotUnderstood> {
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if self.to_come > 0 {
            let length = number(text.strip_prefix(b"$").ok_or(NotUnderstood)?)?;
            let length = usize::try_from(length).ok().filter(|_| length <= LONGEST_ARGUMENT).ok_or(NotUnderstood)?;
            let kept = self.arguments.list.len() < self.limits.arguments;
            if kept {
                self.arguments.list.push(Vec::with_capacity(length.min(KEPT.bytes)));
            }
            self.arguments.whole &= kept && length <= self.limits.bytes;
            self.state = State::Argument { missing: length + 2, kept };
            return Ok(false);
        }
        self.arguments.whole = true;
        match text.strip_prefix(b"*") {
            Some(count) => {
                let count = number(count)?;
                if count > MOST_ARGUMENTS {
                    return Err(NotUnderstood);
                }
                self.to_come = count.max(0);
                Ok(self.to_come == 0)
            }
            None => {
                self.arguments.list = inline(text).ok_or(NotUnderstood)?;
                Ok(true)
            }
        }
    }

    /// Keeps the beginning of an argument, whose last two bytes are its line break.
    fn keep(&mut self, bytes: &[u8], missing: usize) {
        let own = bytes.len().min(missing.saturating_sub(2));
        if let Some(argument) = self.arguments.list.last_mut() {
            let room = self.limits.bytes.saturating_sub(argument.len());
            argument.extend_from_slice(&bytes[..own.min(room)]);
        }
    }

    fn end_of_argument(&mut self) -> bool {
        self.state = State::Line;
        self.to_come -= 1;
        self.to_come == 0
    }
}

fn number(digits: &[u8]) -> Result<i64, NotUnderstood> {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(NotUnderstood)
}

/// The words of an inline command. Quotes and their escapes are as in Redis's own `sdssplitargs`.
fn inline(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut bytes = line.iter().copied().peekable();
    loop {
        while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
        let Some(&first) = bytes.peek() else { return Some(words) };
        let mut word = Vec::new();
        match first {
            b'"' | b'\'' => {
                bytes.next();
                quoted(&mut bytes, first, &mut word)?;
                if bytes.peek().is_some_and(|byte| !byte.is_ascii_whitespace()) {
                    return None;
                }
            }
            _ => {
                while let Some(byte) = bytes.next_if(|byte| !byte.is_ascii_whitespace()) {
                    word.push(byte);
                }
            }
        }
        words.push(word);
    }
}

fn quoted(bytes: &mut impl Iterator<Item = u8>, quote: u8, word: &mut Vec<u8>) -> Option<()> {
    loop {
        match bytes.next()? {
            byte if byte == quote => return Some(()),
            b'\\' if quote == b'"' => word.push(match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                byte => byte,
            }),
            b'\\' => {
                let next = bytes.next()?;
                if next != b'\'' {
                    word.push(b'\\');
                }
                word.push(next);
            }
            byte => word.push(byte),
        }
    }
}

/// A command as a client would send it.
pub(super) fn written(arguments: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", arguments.len()).into_bytes();
    for argument in arguments {
        bytes.extend(format!("${}\r\n", argument.len()).into_bytes());
        bytes.extend_from_slice(argument);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(reader: &mut Reader, mut bytes: &[u8]) -> Vec<Vec<String>> {
        let mut commands = Vec::new();
        while !bytes.is_empty() {
            let (taken, command) = reader.next(bytes).unwrap();
            bytes = &bytes[taken..];
            commands.extend(command.map(|c| c.list.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect()));
        }
        commands
    }

    #[test]
    fn commands_are_the_same_wherever_the_stream_is_split() {
        let stream = [
            written(&[b"SET", b"key", b"a\r\nb"]),
            b"PING\r\n".to_vec(),
            written(&[b"GET", b""]),
            b"\r\n*0\r\nset k \"a \\\"b\\\" \\n\" 'c d'\n".to_vec(),
            written(&[b"MGET", b"a", b"b"]),
        ]
        .concat();
        let whole = all(&mut Reader::new(), &stream);
        let expected: [&[&str]; 7] = [
            &["SET", "key", "a\r\nb"],
            &["PING"],
            &["GET", ""],
            &[],
            &[],
            &["set", "k", "a \"b\" \n", "c d"],
            &["MGET", "a", "b"],
        ];
        assert_eq!(whole, expected);
        for split in 0..=stream.len() {
            let mut reader = Reader::new();
            let mut parts = all(&mut reader, &stream[..split]);
            parts.extend(all(&mut reader, &stream[split..]));
            assert_eq!(parts, whole, "split at {split}");
        }
    }

    #[test]
    fn a_long_command_is_counted_to_its_end_and_kept_in_part() {
        let value = vec![b'x'; 100_000];
        let many: Vec<&[u8]> = std::iter::once(&b"MSET"[..]).chain((0..3_000).map(|_| &value[..10])).collect();
        let stream = [written(&[b"SET", b"k", &value, b"EX", b"60"]), written(&many), written(&[b"PING"])].concat();
        let mut reader = Reader::new();
        let mut commands = Vec::new();
        for mut chunk in stream.chunks(999) {
            while !chunk.is_empty() {
                let (taken, command) = reader.next(chunk).unwrap();
                chunk = &chunk[taken..];
                commands.extend(command);
            }
        }
        assert_eq!(commands[0].list.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1, KEPT.bytes, 2, 2]);
        assert_eq!(commands[0].list[4], b"60");
        assert!(!commands[0].whole && !commands[1].whole && commands[2].whole);
        assert_eq!(commands[1].list.len(), KEPT.arguments);
        assert_eq!(commands[1].list[KEPT.arguments - 1], b"xxxxxxxxxx");
        assert_eq!(commands[2].list, [b"PING"]);
    }

    #[test]
    fn what_is_no_command_is_not_understood() {
        for bytes in [&b"*x\r\n"[..], b"*1\r\n:5\r\n", b"*1\r\n$-1\r\n", b"set \"open\r\n", &[b'x'; 70_000]] {
            assert_eq!(Reader::new().next(bytes), Err(NotUnderstood));
        }
    }
}
