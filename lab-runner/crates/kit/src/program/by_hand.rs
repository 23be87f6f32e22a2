//! What a learner types to run the program as a check ran it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The longest input that is written out, in bytes.
const LONGEST: usize = 600;

/// A line that runs the program, but for its input.
#[derive(Debug, Clone)]
pub(super) struct ByHand {
    command: String,
    /// Whether it means the same elsewhere: a check's own folder is gone when the check is over.
    holds: bool,
}

impl ByHand {
    /// The line that starts with `command`, with the variables `env` and `arguments`. The program runs in `folder`, if there is nothing
    /// else that it needs.
    pub fn new(command: &str, env: &BTreeMap<String, String>, arguments: &[String], folder: Option<&PathBuf>) -> Self {
        let mut line = String::new();
        for (name, value) in env {
            let _ = write!(line, "{name}={} ", quoted(value));
        }
        let _ = write!(line, "{command} --");
        for argument in arguments {
            let _ = write!(line, " {}", quoted(argument));
        }
        let is_empty = |folder: &PathBuf| folder.read_dir().is_ok_and(|mut entries| entries.next().is_none());
        Self { command: line, holds: folder.is_some_and(is_empty) }
    }

    /// The line with `input`, if it shows what the check saw.
    pub fn with_input(&self, input: &[u8]) -> Option<String> {
        if !self.holds || input.len() > LONGEST {
            return None;
        }
        Some(match input {
            [] => format!("{} </dev/null", self.command),
            input => format!("printf '{}' | {}", escaped(input), self.command),
        })
    }
}

/// `text` as one word of a shell's.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `bytes` as the format of printf(1), between single quotes.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str(r"\\"),
            b'%' => text.push_str("%%"),
            b'\n' => text.push_str(r"\n"),
            b'\'' => text.push_str(r"\047"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_gives_the_shell_the_very_bytes() {
        let bytes = b"{\"a\": \"it's 5 % \\u00e9\"}\r\n\xff\x00";
        let line = format!("printf '{}'", escaped(bytes));
        let printed = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        assert_eq!(printed.stdout, bytes);
    }

    #[test]
    fn what_a_check_has_put_into_a_folder_is_not_there_by_hand() {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().to_owned();
        let (env, arguments) = (BTreeMap::from([("TZ".into(), "a b".into())]), ["x".to_owned(), String::new()]);
        let line = ByHand::new("cargo lab run tiny-1", &env, &arguments, Some(&folder));
        assert_eq!(line.with_input(b"hi\n").unwrap(), r"printf 'hi\n' | TZ='a b' cargo lab run tiny-1 -- x ''");
        assert_eq!(line.with_input(&[b'a'; 1_000]), None);
        assert_eq!(ByHand::new("cargo lab run tiny-1", &env, &arguments, None).with_input(b""), None);
        std::fs::write(folder.join("given"), "").unwrap();
        assert_eq!(ByHand::new("cargo lab run tiny-1", &env, &arguments, Some(&folder)).with_input(b""), None);
    }
}
