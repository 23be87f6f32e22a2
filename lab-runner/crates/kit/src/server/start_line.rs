//! What a learner types to have the server as a check had it: the command, the check's variables, and its folders.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// The most files of a folder that are made again by hand.
const MOST_FILES: usize = 3;
/// The longest file that is written out, in bytes. Of a longer one only the length is made again.
const LONGEST: u64 = 200;

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
    let mut names: Vec<_> = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    let files = names.iter().filter_map(|name| Some((name.to_str()?, own_file(folder, name)?)));
    for (name, file) in files.filter(|(name, _)| is_plain(name)).take(MOST_FILES) {
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let writable = |text: &String| text.chars().all(|c| !c.is_control() && !matches!(c, '\'' | '\\'));
        let _ = match short_text(file, length).filter(writable) {
            Some(text) => write!(line, "printf %s '{text}' >{by_hand}/{name}; "),
            None => write!(line, "head -c {length} /dev/urandom >{by_hand}/{name}; "),
        };
    }
    line
}

/// The regular file `name` of `folder`. The server may have put it there: a link of either kind could show a file of ours
/// that a learner is not to see, and a pipe would never end.
fn own_file(folder: &Path, name: &OsStr) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags | OFlags::DIRECTORY, Mode::empty()).ok()?;
    let file = File::from(rustix::fs::openat(folder, name, flags, Mode::empty()).ok()?);
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.nlink() == 1).then_some(file)
}

fn short_text(file: File, length: u64) -> Option<String> {
    let mut text = String::new();
    (length <= LONGEST).then(|| file.take(LONGEST).read_to_string(&mut text).ok()).flatten()?;
    Some(text)
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

    #[test]
    fn nothing_behind_a_link_is_shown() {
        let (folder, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let hidden = ours.path().join("hidden");
        std::fs::write(&hidden, "a secret of ours").unwrap();
        std::os::unix::fs::symlink(&hidden, folder.path().join("a.txt")).unwrap();
        std::fs::hard_link(&hidden, folder.path().join("b.txt")).unwrap();
        std::os::unix::fs::symlink(ours.path(), folder.path().join("folder")).unwrap();
        let shown = made_again(folder.path(), "/tmp/lab-files-dir");
        assert_eq!(shown, "mkdir -p /tmp/lab-files-dir; ");
        assert_eq!(made_again(&folder.path().join("folder"), "/tmp/x"), "mkdir -p /tmp/x; ");
    }
}
