//! What a learner types to have the server as a check had it: the command, the check's variables, and its folders.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The most files of a folder that are made again by hand.
const MOST_FILES: usize = 3;
/// The longest file that is written out, in bytes. Of a longer one only the length is made again.
const LONGEST: usize = 200;

/// A line that starts the server, as its check started it.
#[derive(Debug, Clone, Default)]
pub(super) struct StartLine {
    command: String,
    /// The check's folders, each with the one that takes its place by hand.
    folders: Vec<(PathBuf, String)>,
}

impl StartLine {
    /// The line that is `command` and nothing more.
    pub(super) fn plain(command: String) -> Self {
        Self { command, folders: Vec::new() }
    }

    /// `command`, which takes the variables in `env` as options `--env NAME=VALUE`. A folder of this run has another
    /// take its place. What else needs quoting is a secret of this run, which would mean nothing by hand.
    pub(super) fn with_variables(command: &str, env: &BTreeMap<String, String>) -> Self {
        let mut line = Self::plain(command.to_owned());
        for (name, value) in env {
            let folder = Path::new(value);
            if is_plain(value) {
                let _ = write!(line.command, " --env {name}={value}");
            } else if folder.is_absolute() && folder.is_dir() {
                let by_hand = format!("/tmp/lab-{}", name.to_lowercase().replace('_', "-"));
                let _ = write!(line.command, " --env {name}={by_hand}");
                line.folders.push((folder.to_owned(), by_hand));
            }
        }
        line
    }

    /// The line as it is now: a folder is made again with what the check has put into it so far.
    pub(super) fn written(&self) -> String {
        let folders: String = self.folders.iter().map(|(folder, by_hand)| made_again(folder, by_hand)).collect();
        format!("{folders}{}", self.command)
    }
}

/// Whether a shell takes `value` as it stands.
pub(super) fn is_plain(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || ".:-_".contains(c))
}

fn made_again(folder: &Path, by_hand: &str) -> String {
    let mut line = format!("mkdir -p {by_hand}; ");
    let mut names: Vec<_> = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    names.sort();
    for path in names.iter().filter(|path| path.is_file()).take(MOST_FILES) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| is_plain(name)) else {
            continue;
        };
        let length = path.metadata().map_or(0, |metadata| metadata.len());
        let text = (length <= LONGEST as u64).then(|| std::fs::read_to_string(path).ok()).flatten();
        let writable = |text: &String| text.chars().all(|c| !c.is_control() && !matches!(c, '\'' | '\\'));
        let _ = match text.filter(writable) {
            Some(text) => write!(line, "printf %s '{text}' >{by_hand}/{name}; "),
            None => write!(line, "head -c {length} /dev/urandom >{by_hand}/{name}; "),
        };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_options_and_a_secret_is_left_out() {
        let env = BTreeMap::from([("LIMIT".into(), "3".into()), ("SECRET".into(), "a b/c".into())]);
        let line = StartLine::with_variables("cargo lab run tiny-1", &env);
        assert_eq!(line.written(), "cargo lab run tiny-1 --env LIMIT=3");
    }

    #[test]
    fn a_folder_is_made_again_with_what_is_in_it_when_the_line_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let env = BTreeMap::from([("FILES_DIR".into(), folder.path().to_str().unwrap().to_owned())]);
        let line = StartLine::with_variables("cargo lab run tiny-1", &env);
        let command = "cargo lab run tiny-1 --env FILES_DIR=/tmp/lab-files-dir";
        assert_eq!(line.written(), format!("mkdir -p /tmp/lab-files-dir; {command}"));
        std::fs::write(folder.path().join("a.txt"), "hello").unwrap();
        std::fs::write(folder.path().join("b.bin"), [0; 5000]).unwrap();
        let files =
            "printf %s 'hello' >/tmp/lab-files-dir/a.txt; head -c 5000 /dev/urandom >/tmp/lab-files-dir/b.bin; ";
        assert_eq!(line.written(), format!("mkdir -p /tmp/lab-files-dir; {files}{command}"));
    }
}
