//! No key of ours in anything that is new, in whichever commit: a later commit that removes it leaves it in history for
//! everybody to read.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::Stdio;

use super::update::Update;
use crate::git::{self, GitError};
use crate::object::ObjectId;

/// How a key begins; lower-case hexadecimal digits follow.
const PREFIX: &[u8] = b"key_live_";
/// How many digits follow.
const DIGITS: usize = 32;

/// Why `updates` may not happen, if they may not.
///
/// # Errors
/// Git cannot tell.
pub fn refusal(updates: &[Update]) -> Result<Option<String>, GitError> {
    let new: Vec<_> = updates.iter().filter_map(|update| update.new.as_ref()).collect();
    if new.is_empty() {
        return Ok(None);
    }
    let found = find(&new)?;
    Ok(found
        .map(|place| format!("there is a key in {place}: take it out of every commit, not only out of the last one")))
}

/// Where the first key is in what can be reached from `new` and from no reference that there is already. That holds for
/// new branches, tags and merges alike: there is no range whose beginning could be missing.
fn find(new: &[&ObjectId]) -> Result<Option<String>, GitError> {
    let mut walk = git::command(Path::new("."))
        .args(["rev-list", "--objects", "--stdin", "--not", "--all"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (Some(mut input), Some(objects)) = (walk.stdin.take(), walk.stdout.take()) else {
        return Err(GitError::Unexpected("rev-list"));
    };
    let mut read = git::command(Path::new("."))
        .args(["cat-file", "--buffer", "--batch=%(objecttype) %(objectsize) %(objectname) %(rest)"])
        .stdin(objects)
        .stdout(Stdio::piped())
        .spawn()?;
    for id in new {
        writeln!(input, "{id}")?;
    }
    drop(input);
    let contents = read.stdout.take().ok_or(GitError::Unexpected("cat-file"))?;
    let found = search(BufReader::new(contents));
    // After a find nobody reads on, so that both may end by a broken pipe. Without one they have to have ended well, or
    // there is something that was not looked at.
    let (read, walk) = (read.wait()?, walk.wait()?);
    match found? {
        Some(place) => Ok(Some(place)),
        None if read.success() && walk.success() => Ok(None),
        None => Err(GitError::Unexpected("rev-list")),
    }
}

/// Reads what `cat-file` writes: for each object a line about it, its bytes, and a line feed.
fn search(mut contents: impl io::BufRead) -> Result<Option<String>, GitError> {
    let mut header = Vec::new();
    loop {
        header.clear();
        if contents.read_until(b'\n', &mut header)? == 0 {
            return Ok(None);
        }
        let object = Header::parse(&header).ok_or(GitError::Unexpected("cat-file"))?;
        let mut bytes = contents.by_ref().take(object.size);
        let found = object.is_blob && has_key(&mut bytes)?;
        io::copy(&mut bytes, &mut io::sink())?;
        contents.read_exact(&mut [0])?;
        if found {
            return Ok(Some(object.place));
        }
    }
}

/// What is told of an object before its bytes.
struct Header {
    is_blob: bool,
    size: u64,
    /// How a person finds it.
    place: String,
}

impl Header {
    fn parse(line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line);
        let mut parts = line.trim_end_matches('\n').splitn(4, ' ');
        let (kind, size) = (parts.next()?, parts.next()?.parse().ok()?);
        let (id, path) = (parts.next()?, parts.next()?);
        Some(Self { is_blob: kind == "blob", size, place: format!("{path:?} ({id})") })
    }
}

/// Whether there is a key among these bytes, however they come in pieces.
fn has_key(bytes: impl Read) -> io::Result<bool> {
    let mut bytes = BufReader::with_capacity(64 * 1024, bytes);
    let mut matched = 0;
    loop {
        let piece = bytes.fill_buf()?;
        if piece.is_empty() {
            return Ok(false);
        }
        for &byte in piece {
            matched = step(matched, byte);
            if matched == PREFIX.len() + DIGITS {
                return Ok(true);
            }
        }
        let length = piece.len();
        bytes.consume(length);
    }
}

/// How much of a key ends with `byte`, where `matched` ended before it. A key's first letter is nowhere else in a key, so
/// that what does not go on can only begin anew.
fn step(matched: usize, byte: u8) -> usize {
    let goes_on = match PREFIX.get(matched) {
        Some(&wanted) => byte == wanted,
        None => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    if goes_on { matched + 1 } else { usize::from(byte == PREFIX[0]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "key_live_0123456789abcdef0123456789abcdef";

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(1).min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn a_key_is_found_wherever_it_is() {
        for text in [KEY.to_owned(), format!("\0\u{ff}{KEY}\n"), format!("key_livekkey_live_{KEY}0")] {
            assert!(has_key(text.as_bytes()).unwrap() && has_key(Slow(text.as_bytes())).unwrap(), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_not() {
        for text in
            ["", &KEY[..40], &KEY.to_uppercase(), &KEY.replace('f', "g"), "key_test_0123456789abcdef0123456789abcdef"]
        {
            assert!(!has_key(text.as_bytes()).unwrap(), "{text}");
        }
    }

    #[test]
    fn only_files_are_searched_and_the_place_is_told() {
        let object =
            |kind: &str, rest: &str, text: &str| format!("{kind} {} {} {rest}\n{text}\n", text.len(), "1".repeat(40));
        let commit = object("commit", "", KEY);
        assert_eq!(search(commit.as_bytes()).unwrap(), None);
        let all = format!("{commit}{}{}", object("blob", "a", ""), object("blob", "b c", KEY));
        assert_eq!(search(all.as_bytes()).unwrap().unwrap(), format!("\"b c\" ({})", "1".repeat(40)));
        assert!(search(format!("{} missing\n", "1".repeat(40)).as_bytes()).is_err());
    }
}
