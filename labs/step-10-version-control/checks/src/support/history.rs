//! Histories that a check makes up: commits with authors, dates, files and parents, brought into a repository in one go.

use std::collections::BTreeMap;
use std::path::Path;

use lab_kit::prelude::*;

use super::git::Git;

/// A commit of a history that is not written yet, or one that a repository has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    /// One of the same history.
    Made(usize),
    /// One that is there, by its hash.
    There(String),
}

impl From<usize> for Parent {
    fn from(made: usize) -> Self {
        Self::Made(made)
    }
}

impl From<&String> for Parent {
    fn from(hash: &String) -> Self {
        Self::There(hash.clone())
    }
}

/// A commit that is to be made.
#[derive(Debug, Clone)]
pub struct Commit {
    branch: String,
    parents: Vec<Parent>,
    files: Vec<(String, Option<Vec<u8>>)>,
    /// Files of earlier commits.
    taken: Vec<(usize, String)>,
    message: String,
    author: (String, String),
    time: i64,
}

impl Commit {
    /// Writes a file.
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.into(), Some(content.into())));
        self
    }

    /// Removes a file.
    pub fn without(mut self, path: &str) -> Self {
        self.files.push((path.into(), None));
        self
    }

    /// Has files as an earlier commit of the same history has them.
    pub fn same_as(mut self, commit: usize, paths: &[&str]) -> Self {
        self.taken.extend(paths.iter().map(|path| (commit, (*path).to_owned())));
        self
    }

    /// A parent beside the one that it has.
    pub fn merges(mut self, parent: impl Into<Parent>) -> Self {
        self.parents.push(parent.into());
        self
    }

    /// Its message.
    pub fn message(mut self, message: &str) -> Self {
        self.message = message.into();
        self
    }

    /// Its author's name.
    pub fn author(mut self, name: &str) -> Self {
        self.author.0 = name.into();
        self
    }
}

/// Commits that are to be made.
#[derive(Debug)]
pub struct History<'a> {
    lab: &'a Lab,
    commits: Vec<Commit>,
    /// Where each branch stands.
    tips: BTreeMap<String, usize>,
    time: i64,
}

impl<'a> History<'a> {
    /// None yet.
    pub fn new(lab: &'a Lab) -> Self {
        Self { lab, commits: Vec::new(), tips: BTreeMap::new(), time: 1_700_000_000 + lab.number(0, 10_000_000) }
    }

    /// A commit on top of `branch`, as far as that is part of this history; the first of a branch has no parent. By another
    /// author and at another time than all others.
    pub fn on(&mut self, branch: &str) -> Commit {
        let parents = self.tips.get(branch).map(|tip| Parent::Made(*tip)).into_iter().collect();
        self.draft(branch, parents)
    }

    /// A commit on top of `parent`, where `branch` will stand.
    pub fn from(&mut self, parent: impl Into<Parent>, branch: &str) -> Commit {
        self.draft(branch, vec![parent.into()])
    }

    fn draft(&mut self, branch: &str, parents: Vec<Parent>) -> Commit {
        self.time += self.lab.number(60, 5_000);
        let name = self.lab.word();
        Commit {
            branch: branch.into(),
            parents,
            files: Vec::new(),
            taken: Vec::new(),
            message: format!("Change {}\n\nFor {}.", self.lab.word(), self.lab.word()),
            author: (format!("Author {name}"), format!("{name}@example.com")),
            time: self.time,
        }
    }

    /// Adds a commit.
    pub fn add(&mut self, mut commit: Commit) -> usize {
        for (from, path) in std::mem::take(&mut commit.taken) {
            let content = self.content(from, &path);
            commit.files.push((path, content));
        }
        self.tips.insert(commit.branch.clone(), self.commits.len());
        self.commits.push(commit);
        self.commits.len() - 1
    }

    /// What a file holds at `commit`, as far as its first parents tell.
    fn content(&self, commit: usize, path: &str) -> Option<Vec<u8>> {
        let Commit { files, parents, .. } = self.commits.get(commit)?;
        match (files.iter().find(|(name, _)| name == path), parents.first()) {
            (Some((_, content)), _) => content.clone(),
            (None, Some(Parent::Made(parent))) => self.content(*parent, path),
            _ => None,
        }
    }

    /// Brings all commits into the repository in `folder`, and has their branches stand there. Tells their hashes.
    pub async fn write(&self, folder: &Path) -> CheckResult<Vec<String>> {
        self.write_by(Git::new(self.lab, folder)).await
    }

    /// The same by `git` in whatever repository that is in.
    pub async fn write_by(&self, git: Git<'_>) -> CheckResult<Vec<String>> {
        let marks = tempfile::NamedTempFile::new().ours("making a file for hashes")?;
        let mut option = std::ffi::OsString::from("--export-marks=");
        option.push(marks.path());
        let arguments = ["fast-import".into(), "--quiet".into(), "--force".into(), option];
        git.args(arguments).input(self.stream()).ours().await?;
        let text = std::fs::read_to_string(marks.path()).ours("reading the hashes of commits")?;
        let hashes: BTreeMap<usize, String> = text
            .lines()
            .filter_map(|line| {
                let (mark, hash) = line.strip_prefix(':')?.split_once(' ')?;
                Some((mark.parse().ok()?, hash.to_owned()))
            })
            .collect();
        Ok(hashes.into_values().collect())
    }

    /// As `git fast-import` reads it.
    fn stream(&self) -> Vec<u8> {
        let mut stream = Vec::new();
        for (index, commit) in self.commits.iter().enumerate() {
            let Commit { branch, parents, files, message, author: (name, mail), time, .. } = commit;
            let mut head = format!("reset refs/heads/{branch}\ncommit refs/heads/{branch}\nmark :{}\n", index + 1);
            head += &format!("author {name} <{mail}> {time} +0100\n");
            head += &format!("committer {name} <{mail}> {} +0000\n", time + 30);
            stream.extend(head.as_bytes());
            data(&mut stream, format!("{message}\n").as_bytes());
            for (place, parent) in parents.iter().enumerate() {
                let word = if place == 0 { "from" } else { "merge" };
                let name = match parent {
                    Parent::Made(made) => format!(":{}", made + 1),
                    Parent::There(hash) => hash.clone(),
                };
                stream.extend(format!("{word} {name}\n").as_bytes());
            }
            for (path, content) in files {
                match content {
                    Some(content) => {
                        stream.extend(format!("M 100644 inline {}\n", quoted(path)).as_bytes());
                        data(&mut stream, content);
                    }
                    None => stream.extend(format!("D {}\n", quoted(path)).as_bytes()),
                }
            }
            stream.push(b'\n');
        }
        stream
    }
}

fn data(stream: &mut Vec<u8>, bytes: &[u8]) {
    stream.extend(format!("data {}\n", bytes.len()).as_bytes());
    stream.extend(bytes);
    stream.push(b'\n');
}

/// A path as fast-import takes it, whatever is in it.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// Lines of text that nobody could have foreseen.
pub fn lines(lab: &Lab, count: usize) -> String {
    (0..count).map(|_| format!("{} {}\n", lab.word(), lab.word())).collect()
}
