//! Bytes as a POSIX shell prints them, and words as it reads them.

use super::sent::{Part, Sent};

/// A byte this often in a row is printed by `head` and `tr`.
const LONG_RUN: usize = 100;
/// The most lines that are looked at as one repeated block: a chunk is its size and its data.
const LONGEST_BLOCK: usize = 3;
/// A block this often in a row is printed by a loop.
const MANY_BLOCKS: usize = 10;
/// The longest command that anybody would paste.
const LONGEST: usize = 4_000;
/// The most moments to wait between two parts.
const MOST_PAUSES: usize = 4;

/// `word` as one word of a command, in quotes where it needs them.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `127.0.0.1:8080` as `nc` takes it.
pub(super) fn host_and_port(address: &str) -> String {
    match address.rsplit_once(':') {
        Some((host, port)) => format!("{} {port}", host.trim_matches(['[', ']'])),
        None => address.to_owned(),
    }
}

/// A command that prints exactly `bytes`; `None` if it were too long to be of use.
pub(super) fn print(bytes: &[u8]) -> Option<String> {
    group(&commands(bytes))
}

/// A command that prints what was sent, with the moments between.
pub(super) fn print_sent(sent: &Sent) -> Option<String> {
    let mut all = Vec::new();
    let mut pending = Vec::new();
    let mut pauses = sent.parts().iter().filter(|part| matches!(part, Part::Pause)).count();
    for part in sent.parts() {
        match part {
            Part::Bytes(bytes) => pending.extend_from_slice(bytes),
            // Of many moments only the last few are kept: the failure followed them.
            Part::Pause if pauses > MOST_PAUSES => pauses -= 1,
            Part::Pause => {
                all.append(&mut commands(&std::mem::take(&mut pending)));
                all.push("sleep 1".to_owned());
            }
        }
    }
    all.append(&mut commands(&pending));
    if all.last().is_some_and(|command| command == "sleep 1") {
        all.pop();
    }
    group(&all)
}

fn group(commands: &[String]) -> Option<String> {
    let command = match commands {
        [] => return None,
        [one] => one.clone(),
        many => format!("({})", many.join("; ")),
    };
    (command.len() <= LONGEST).then_some(command)
}

fn commands(bytes: &[u8]) -> Vec<String> {
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let (mut commands, mut plain, mut at) = (Vec::new(), Vec::new(), 0);
    while at < lines.len() {
        let Some((block, times)) = repeated(&lines[at..]) else {
            plain.extend_from_slice(lines[at]);
            at += 1;
            continue;
        };
        commands.append(&mut without_loops(&std::mem::take(&mut plain)));
        let body = without_loops(&block.concat()).join("; ");
        commands.push(format!("for i in $(seq {times}); do {body}; done"));
        at += block.len() * times;
    }
    commands.append(&mut without_loops(&plain));
    commands
}

/// The block of lines that `lines` begin with many times over, and how often.
fn repeated<'a, 'b>(lines: &'a [&'b [u8]]) -> Option<(&'a [&'b [u8]], usize)> {
    (1..=LONGEST_BLOCK.min(lines.len())).find_map(|length| {
        let block = &lines[..length];
        let times = lines.chunks(length).take_while(|chunk| *chunk == block).count();
        (times >= MANY_BLOCKS).then_some((block, times))
    })
}

fn without_loops(bytes: &[u8]) -> Vec<String> {
    let mut commands = Vec::new();
    let mut plain = Vec::new();
    for run in bytes.chunk_by(|a, b| a == b) {
        if run.len() < LONG_RUN {
            plain.extend_from_slice(run);
            continue;
        }
        commands.extend(printf(&std::mem::take(&mut plain)));
        commands.push(repeat(run[0], run.len()));
    }
    commands.extend(printf(&plain));
    commands
}

/// `head -c` is everywhere, if not in POSIX.
fn repeat(byte: u8, times: usize) -> String {
    let zeros = format!("head -c {times} /dev/zero");
    match byte {
        0 => zeros,
        byte if byte.is_ascii_alphanumeric() => format!("{zeros} | tr '\\000' {}", char::from(byte)),
        byte => format!("{zeros} | tr '\\000' '\\{byte:03o}'"),
    }
}

/// POSIX's printf knows octal escapes and no hexadecimal ones.
fn printf(bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() {
        return None;
    }
    let mut format = String::with_capacity(bytes.len() + 16);
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' => format.push_str("\\r"),
            b'\n' => format.push_str("\\n"),
            b'\t' => format.push_str("\\t"),
            b'\\' => format.push_str("\\\\"),
            b'%' => format.push_str("%%"),
            b'\'' => format.push_str(r"'\''"),
            // Some shells would take it for an option.
            b'-' if index == 0 => format.push_str("\\055"),
            b' '..=b'~' => format.push(char::from(*byte)),
            other => format.push_str(&format!("\\{other:03o}")),
        }
    }
    Some(format!("printf '{format}'"))
}
