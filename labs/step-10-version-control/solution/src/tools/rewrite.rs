//! A history without one file: every object that has to be another is written anew, and no other.
//!
//! Objects are read and written as git stores them, so that whatever is not about the file stays as it is, byte for byte:
//! people, dates, messages, encodings. A commit without the file in its past keeps its name.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::work_tree::WorkTree;
use crate::git::{Ended as _, GitError};
use crate::object::ObjectId;

/// How a folder stands in another one.
const FOLDER: &[u8] = b"40000";
/// Headers whose value is a signature of what was there before. It would be wrong.
const SIGNED: [&[u8]; 3] = [b"gpgsig ", b"gpgsig-sha256 ", b"mergetag "];
/// How a signature in a tag begins.
const SIGNATURES: [&[u8]; 3] =
    [b"-----BEGIN SSH SIGNATURE-----", b"-----BEGIN PGP SIGNATURE-----", b"-----BEGIN SIGNED MESSAGE-----"];

/// Reads objects, and knows what has become of those that it has seen.
pub struct Rewriter<'a> {
    tree: &'a WorkTree,
    reader: Reader,
    /// The folders that lead to the file, and the file.
    path: Vec<Vec<u8>>,
    commits: HashMap<ObjectId, ObjectId>,
    folders: HashMap<(ObjectId, usize), Option<ObjectId>>,
    found: bool,
}

impl<'a> Rewriter<'a> {
    /// For the file at `path`, whose parts are separated by slashes.
    ///
    /// # Errors
    /// Git cannot be started.
    pub fn new(tree: &'a WorkTree, path: &[u8]) -> Result<Self, GitError> {
        let path = path.split(|&byte| byte == b'/').map(<[u8]>::to_vec).collect();
        let (commits, folders) = (HashMap::new(), HashMap::new());
        Ok(Self { tree, reader: Reader::start(tree)?, path, commits, folders, found: false })
    }

    /// Whether any commit so far has had the file.
    pub fn found(&self) -> bool {
        self.found
    }

    /// The commits that are others now.
    pub fn replaced(&self) -> impl Iterator<Item = &ObjectId> {
        self.commits.iter().filter(|(old, new)| old != new).map(|(old, _)| old)
    }

    /// What becomes of `id`. The commits before it have to be known already.
    ///
    /// # Errors
    /// Git fails, or the object is none.
    pub fn object(&mut self, id: &ObjectId) -> Result<ObjectId, GitError> {
        if let Some(new) = self.commits.get(id) {
            return Ok(new.clone());
        }
        let (kind, bytes) = self.reader.read(id)?;
        match kind.as_slice() {
            b"commit" => {
                let new = self.commit(id, &bytes)?;
                self.commits.insert(id.clone(), new.clone());
                Ok(new)
            }
            b"tag" => self.tag(id, &bytes),
            b"tree" => self.root(id),
            _ => Ok(id.clone()),
        }
    }

    fn commit(&mut self, id: &ObjectId, bytes: &[u8]) -> Result<ObjectId, GitError> {
        let (headers, message) = halves(bytes);
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut changed = false;
        for line in headers.split(|&byte| byte == b'\n') {
            let (old, new) = if let Some(tree) = line.strip_prefix(b"tree ") {
                let tree = parse(tree)?;
                let new = self.root(&tree)?;
                (tree, new)
            } else if let Some(parent) = line.strip_prefix(b"parent ") {
                let parent = parse(parent)?;
                let new = self.commits.get(&parent).unwrap_or(&parent).clone();
                (parent, new)
            } else {
                lines.push(line.to_vec());
                continue;
            };
            changed |= old != new;
            let name = line.split(|&byte| byte == b' ').next().unwrap_or_default();
            lines.push([name, b" ", new.as_str().as_bytes()].concat());
        }
        if !changed {
            return Ok(id.clone());
        }
        let headers = unsigned(lines).join(&b'\n');
        self.write("commit", &[&headers, message].concat())
    }

    fn tag(&mut self, id: &ObjectId, bytes: &[u8]) -> Result<ObjectId, GitError> {
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or(GitError::Unexpected("cat-file"))?;
        let target = parse(bytes[..end].strip_prefix(b"object ").ok_or(GitError::Unexpected("cat-file"))?)?;
        let new = self.object(&target)?;
        if new == target {
            return Ok(id.clone());
        }
        let rest = &bytes[end..];
        let begins = |&at: &usize| rest[at] == b'\n' && SIGNATURES.iter().any(|text| rest[at + 1..].starts_with(text));
        let rest = match (0..rest.len()).find(begins) {
            Some(at) => &rest[..=at],
            None => rest,
        };
        self.write("tag", &[b"object ", new.as_str().as_bytes(), rest].concat())
    }

    /// A folder that stays, even if it is empty.
    fn root(&mut self, id: &ObjectId) -> Result<ObjectId, GitError> {
        match self.folder(id, 0)? {
            Some(new) => Ok(new),
            None => self.write("tree", b""),
        }
    }

    /// What becomes of the folder that the first `depth` parts of the path lead to; nothing if nothing is left in it.
    fn folder(&mut self, id: &ObjectId, depth: usize) -> Result<Option<ObjectId>, GitError> {
        if let Some(known) = self.folders.get(&(id.clone(), depth)) {
            return Ok(known.clone());
        }
        let (_, bytes) = self.reader.read(id)?;
        let mut entries = Entry::all(&bytes, id.as_str().len() / 2).ok_or(GitError::Unexpected("cat-file"))?;
        let new = self.without_file(id, &mut entries, depth)?;
        self.folders.insert((id.clone(), depth), new.clone());
        Ok(new)
    }

    fn without_file(
        &mut self,
        id: &ObjectId,
        entries: &mut Vec<Entry>,
        depth: usize,
    ) -> Result<Option<ObjectId>, GitError> {
        let same = Ok(Some(id.clone()));
        let Some(at) = entries.iter().position(|entry| entry.name == self.path[depth]) else { return same };
        let is_last = depth + 1 == self.path.len();
        let is_folder = entries[at].mode == FOLDER;
        if is_last == is_folder {
            return same;
        }
        if is_last {
            self.found = true;
            entries.remove(at);
        } else {
            let old = entries[at].id()?;
            match self.folder(&old, depth + 1)? {
                Some(new) if new == old => return same,
                Some(new) => {
                    entries[at].raw = hex::decode(new.as_str()).map_err(|_| GitError::Unexpected("hash-object"))?
                }
                None => drop(entries.remove(at)),
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let bytes: Vec<u8> = entries.iter().flat_map(Entry::bytes).collect();
        self.write("tree", &bytes).map(Some)
    }

    fn write(&self, kind: &str, bytes: &[u8]) -> Result<ObjectId, GitError> {
        let mut child = self
            .tree
            .git()
            .args(["hash-object", "-w", "--stdin", "-t", kind])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(bytes)?;
        }
        parse(child.wait_with_output()?.success("hash-object")?.trim_ascii_end())
    }
}

/// The headers of an object, and the rest with the line feed before it.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
    bytes.split_at(end)
}

/// The headers without signatures, which may go over several lines: all but the first begin with a space.
fn unsigned(lines: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut within = false;
    let mut kept = lines;
    kept.retain(|line| {
        within = SIGNED.iter().any(|name| line.starts_with(name)) || (within && line.starts_with(b" "));
        !within
    });
    kept
}

fn parse(digits: &[u8]) -> Result<ObjectId, GitError> {
    let text = std::str::from_utf8(digits).map_err(|_| GitError::Unexpected("cat-file"))?;
    text.parse().map_err(|_| GitError::Unexpected("cat-file"))
}

/// What stands in a folder.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mode: Vec<u8>,
    name: Vec<u8>,
    /// The object's name as bytes, not as digits.
    raw: Vec<u8>,
}

impl Entry {
    /// All entries of a folder: mode, space, name, NUL, and the object's name in `length` bytes.
    fn all(mut bytes: &[u8], length: usize) -> Option<Vec<Self>> {
        let mut entries = Vec::new();
        while !bytes.is_empty() {
            let space = bytes.iter().position(|&byte| byte == b' ')?;
            let end = bytes.iter().position(|&byte| byte == 0)?;
            let (mode, name) = (bytes.get(..space)?.to_vec(), bytes.get(space + 1..end)?.to_vec());
            let (raw, rest) = bytes.get(end + 1..)?.split_at_checked(length)?;
            entries.push(Self { mode, name, raw: raw.to_vec() });
            bytes = rest;
        }
        Some(entries)
    }

    fn bytes(&self) -> Vec<u8> {
        [&self.mode[..], b" ", &self.name, b"\0", &self.raw].concat()
    }

    fn id(&self) -> Result<ObjectId, GitError> {
        hex::encode(&self.raw).parse().map_err(|_| GitError::Unexpected("cat-file"))
    }
}

/// One process that gives all objects.
struct Reader {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Reader {
    fn start(tree: &WorkTree) -> Result<Self, GitError> {
        let mut command = tree.git();
        command.args(["--no-replace-objects", "cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let streams = child.stdin.take().zip(child.stdout.take());
        let (input, output) = streams.ok_or(GitError::Unexpected("cat-file"))?;
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// The kind and the bytes of an object.
    fn read(&mut self, id: &ObjectId) -> Result<(Vec<u8>, Vec<u8>), GitError> {
        writeln!(self.input, "{id}")?;
        let mut header = Vec::new();
        self.output.read_until(b'\n', &mut header)?;
        let mut parts = header.trim_ascii_end().split(|&byte| byte == b' ').skip(1);
        let kind = parts.next().unwrap_or_default().to_vec();
        let size = parts.next().and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let mut bytes = vec![0; size.ok_or(GitError::Unexpected("cat-file"))?];
        self.output.read_exact(&mut bytes)?;
        self.output.read_exact(&mut [0])?;
        Ok((kind, bytes))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_and_written_as_it_is() {
        let bytes = [b"100644 a b\0", &[7; 20][..], b"40000 \xc3\xa9\0", &[0; 20]].concat();
        let entries = Entry::all(&bytes, 20).unwrap();
        assert_eq!((&entries[0].name[..], &entries[1].mode[..]), (&b"a b"[..], FOLDER));
        assert_eq!(entries.iter().flat_map(Entry::bytes).collect::<Vec<_>>(), bytes);
        assert_eq!(Entry::all(&bytes[..bytes.len() - 1], 20), None);
    }

    #[test]
    fn a_signature_goes_with_all_its_lines_and_nothing_else() {
        let lines = ["tree 1", "author a", "gpgsig -----BEGIN", " x", " -----END", "encoding latin1"];
        let kept = unsigned(lines.iter().map(|line| line.as_bytes().to_vec()).collect());
        assert_eq!(kept, ["tree 1", "author a", "encoding latin1"].map(|line| line.as_bytes().to_vec()));
    }

    #[test]
    fn headers_end_at_the_first_empty_line() {
        assert_eq!(halves(b"tree 1\n\na\n\nb"), (&b"tree 1"[..], &b"\n\na\n\nb"[..]));
        assert_eq!(halves(b"tree 1"), (&b"tree 1"[..], &b""[..]));
    }
}
