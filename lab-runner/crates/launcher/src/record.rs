//! What was built of which inputs, kept beside the programs: one file for each program, and one for each package.
//!
//! Paths stand in it relative to the workspace's root, and the root itself once: a record that was copied along with
//! its workspace is recognised as another's.

use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::content::{self, Stamp};

/// Records of another format are no records.
const FORMAT: &str = "backend-labs/built/v1";

/// What a program or a package was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Where it was built: the workspace's root for a program, the package's folder for a package.
    pub place: PathBuf,
    /// Where that is, as seen from the workspace's root. Empty for a program.
    pub home: PathBuf,
    /// When its program was written, in nanoseconds since 1970.
    pub built: i128,
    /// The program's length in bytes.
    pub length: u64,
    /// What went into it.
    pub inputs: Vec<Input>,
}

/// A file, a folder, or the absence of either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// Its path.
    pub path: PathBuf,
    /// The hash of its content, if it is there.
    pub content: Option<u128>,
    /// Its stamp, if one is enough to know that the content is still the same.
    pub stamp: Option<Stamp>,
}

/// What became of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Now {
    /// Nothing.
    Same,
    /// It holds what it held, and looks different.
    Renewed(Input),
    /// It holds something else, has appeared or has gone.
    Changed,
}

impl Input {
    /// The input at `path` as it is now.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let stamp = Stamp::of(path);
        let content = content::hash(path)?;
        Ok(Self { path: path.to_owned(), content, stamp: stamp.filter(|stamp| !stamp.is_recent()) })
    }

    /// What became of it.
    pub(crate) fn now(&self) -> Now {
        let stamp = Stamp::of(&self.path);
        if stamp.is_none() || self.content.is_none() {
            return if stamp.is_none() && self.content.is_none() { Now::Same } else { Now::Changed };
        }
        if stamp == self.stamp {
            return Now::Same;
        }
        match Self::read(&self.path) {
            Ok(now) if now.content == self.content => Now::Renewed(now),
            _ => Now::Changed,
        }
    }
}

impl Record {
    /// Reads the record at `path`, whose relative paths are meant from `root`.
    pub(crate) fn load(path: &Path, root: &Path) -> Option<Self> {
        let text = fs::read(path).ok()?;
        let mut lines = text.split(|byte| *byte == b'\n');
        if lines.next()? != FORMAT.as_bytes() {
            return None;
        }
        let place = to_path(lines.next()?);
        let home = to_path(lines.next()?);
        let mut numbers = std::str::from_utf8(lines.next()?).ok()?.split(' ');
        let (built, length) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        let mut inputs = Vec::new();
        // A record that was cut off lacks its last line.
        loop {
            match lines.next()? {
                b"end" => return Some(Self { place, home, built, length, inputs }),
                line => inputs.push(parse(line, root)?),
            }
        }
    }

    /// Writes the record to `path`, whole or not at all.
    pub(crate) fn save(&self, path: &Path, root: &Path) -> io::Result<()> {
        let mut text = format!("{FORMAT}\n").into_bytes();
        for place in [&self.place, &self.home] {
            text.extend(line(place)?);
            text.push(b'\n');
        }
        text.extend(format!("{} {}\n", self.built, self.length).bytes());
        for input in &self.inputs {
            match input.content {
                Some(content) => text.extend(format!("{content:032x} ").bytes()),
                None => text.extend(b"- "),
            }
            match input.stamp {
                Some(Stamp { inode, length, modified, changed }) => {
                    text.extend(format!("{inode} {length} {modified} {changed} ").bytes());
                }
                None => text.extend(b"- - - - "),
            }
            text.extend(line(input.path.strip_prefix(root).unwrap_or(&input.path))?);
            text.push(b'\n');
        }
        text.extend(b"end\n");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let unfinished = path.with_extension(std::process::id().to_string());
        fs::write(&unfinished, text)?;
        fs::rename(&unfinished, path)
    }
}

fn parse(line: &[u8], root: &Path) -> Option<Input> {
    let mut words = line.splitn(6, |byte| *byte == b' ');
    let mut word = || std::str::from_utf8(words.next()?).ok();
    let content = match word()? {
        "-" => None,
        hash => Some(u128::from_str_radix(hash, 16).ok()?),
    };
    let (inode, length, modified, changed) = (word()?, word()?, word()?, word()?);
    let stamp = match inode {
        "-" => None,
        inode => Some(Stamp {
            inode: inode.parse().ok()?,
            length: length.parse().ok()?,
            modified: modified.parse().ok()?,
            changed: changed.parse().ok()?,
        }),
    };
    Some(Input { path: root.join(to_path(words.next()?)), content, stamp })
}

fn line(path: &Path) -> io::Result<&[u8]> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.contains(&b'\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a path with a line break cannot be recorded"));
    }
    Ok(bytes)
}

fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec()))
}
