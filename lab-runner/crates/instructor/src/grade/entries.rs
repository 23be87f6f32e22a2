//! Which submissions a command line names: folders, archives, repositories at a commit, and folders of these.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::error::Error;
use lab_runner::scratch::Scratch;
use lab_runner::workspace::Lab;
use lab_sandbox::Sandbox;

use super::{archive, repository};

/// How an archive's name ends.
const ARCHIVES: [&str; 3] = [".zip", ".tar.gz", ".tgz"];
/// The longest name of a result's folder, in bytes.
const LONGEST: usize = 100;

/// One submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is called: the name of its folder or archive, or the learner's in a roster.
    pub name: String,
    /// The name of its result's folder: what no file system and no shell minds, and no other submission has.
    pub folder: String,
    /// The folder or archive.
    pub path: Utf8PathBuf,
    /// How it was handed in.
    pub handed: Handed,
    /// The commit that its files are of, once they are known.
    pub commit: Option<String>,
}

/// How a submission was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// As a folder.
    Folder,
    /// As an archive.
    Archive,
    /// As a git repository, of which one commit counts, whatever its working tree holds.
    Commit(String),
    /// Not at all: a roster has a learner for it, and there is nothing.
    Nothing,
}

impl Handed {
    /// How what is at `path` was handed in, where the commit `revision` counts of a folder, if one is named.
    pub(super) fn at(path: &Utf8Path, revision: Option<&str>) -> Self {
        match revision {
            _ if is_archive(path) => Self::Archive,
            Some(revision) => Self::Commit(revision.to_owned()),
            None => Self::Folder,
        }
    }
}

impl Entry {
    /// Its files for `lab`. What is in an archive or a commit is put into a folder of its own below `unpacked`, and git runs
    /// in `sandbox`.
    ///
    /// # Errors
    /// The archive is none, or is refused; there is no such commit; or nothing was handed in.
    pub fn open(&self, lab: &Lab, unpacked: &Utf8Path, sandbox: &Sandbox) -> Result<Opened, Error> {
        let scratch = || Scratch::create(unpacked).map_err(|error| Error::io("create a folder in", unpacked, error));
        let (folder, scratch, commit) = match &self.handed {
            Handed::Folder => (self.path.clone(), None, None),
            Handed::Archive => {
                let scratch = scratch()?;
                archive::unpack(&self.path, scratch.path())?;
                (scratch.path().to_owned(), Some(scratch), None)
            }
            Handed::Commit(revision) => {
                let scratch = scratch()?;
                let (files, commit) = repository::check_out(&self.path, revision, &scratch, lab, sandbox)?;
                (files, Some(scratch), Some(commit))
            }
            Handed::Nothing => return Err(Error::usage(format!("there is nothing at {}", self.path))),
        };
        Ok(Opened { folder: root_in(&folder, lab).unwrap_or(folder), commit, _unpacked: scratch })
    }
}

/// A submission's files, where they can be read for as long as this lives.
#[derive(Debug)]
pub struct Opened {
    /// The folder that has the lab's editable paths.
    pub folder: Utf8PathBuf,
    /// The commit that they are of, if they are of one.
    pub commit: Option<String>,
    _unpacked: Option<Scratch>,
}

/// The submissions for `lab` that `paths` name, in the order of their names for each path. A folder that holds something
/// the lab takes from a submission is one; any other is a folder of submissions. With a `revision`, a git repository is a
/// submission, and so is every folder in one that is none: what counts is that commit.
///
/// # Errors
/// A path does not exist, cannot be listed, or holds nothing.
pub fn find(paths: &[Utf8PathBuf], lab: &Lab, revision: Option<&str>) -> Result<Vec<Entry>, Error> {
    let mut found: Vec<Utf8PathBuf> = Vec::new();
    for path in paths {
        let real = path.canonicalize_utf8().map_err(|error| Error::usage(format!("cannot read {path}: {error}")))?;
        let is_one = match revision {
            Some(_) => repository::is_repository(&real),
            None => root_in(&real, lab).is_some(),
        };
        if is_archive(&real) || is_one {
            found.push(real);
        } else {
            let inside = list(&real)?;
            if inside.is_empty() {
                return Err(none_in(path, lab));
            }
            found.extend(inside);
        }
    }
    let mut once = BTreeSet::new();
    found.retain(|path| once.insert(path.clone()));
    let place = |path: Utf8PathBuf| Place { name: called(&path), handed: Handed::at(&path, revision), path };
    Ok(name(found.into_iter().map(place).collect()))
}

/// Where the files for `lab` are in `folder`: there, in its labs/ as in a whole workspace, or in the one folder that it
/// holds, as archives often have it.
fn root_in(folder: &Utf8Path, lab: &Lab) -> Option<Utf8PathBuf> {
    let holds = |folder: &Utf8Path| lab.manifest.editable.iter().any(|path| folder.join(path).exists());
    let direct = |folder: &Utf8Path| {
        let inside = folder.join("labs").join(lab.package());
        [inside, folder.to_owned()].into_iter().find(|place| holds(place))
    };
    direct(folder).or_else(|| match list(folder).ok()?.as_slice() {
        [only] if only.is_dir() => direct(only),
        _ => None,
    })
}

fn none_in(path: &Utf8Path, lab: &Lab) -> Error {
    let editable: Vec<String> = lab.manifest.editable.iter().map(|path| format!("`{path}`")).collect();
    Error::Usage {
        message: format!("{path} holds no submission"),
        hints: vec![
            format!("a submission for {} has at least one of {}", lab.id(), editable.join(", ")),
            "folders, .zip and .tar.gz files in it are taken as submissions".into(),
        ],
    }
}

/// The folders and archives in `folder`, by name. What begins with a dot is the system's, and a link may lead anywhere.
fn list(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Error> {
    let unreadable = |error| Error::usage(format!("cannot read {folder}: {error}"));
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8().map_err(unreadable)? {
        // A name that is not UTF-8 cannot be told to anybody.
        let Ok(entry) = entry else { continue };
        let Ok(kind) = entry.file_type() else { continue };
        let hidden = entry.file_name().starts_with('.') || entry.file_name() == "__MACOSX";
        if !hidden && (kind.is_dir() || kind.is_file() && is_archive(entry.path())) {
            found.push(entry.into_path());
        }
    }
    found.sort();
    Ok(found)
}

fn is_archive(path: &Utf8Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
    path.is_file() && ARCHIVES.iter().any(|end| name.ends_with(end))
}

/// A submission whose result has no folder yet.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub path: Utf8PathBuf,
    /// How it was handed in.
    pub handed: Handed,
}

/// What a submission at `path` is called.
fn called(path: &Utf8Path) -> String {
    let file = path.file_name().unwrap_or("submission");
    let lower = file.to_ascii_lowercase();
    let end = ARCHIVES.iter().find(|end| lower.ends_with(**end) && path.is_file());
    end.map_or(file, |end| &file[..file.len() - end.len()]).to_owned()
}

/// Gives the result of each of `places` a folder of its own.
pub(super) fn name(places: Vec<Place>) -> Vec<Entry> {
    let mut taken = BTreeSet::new();
    let named = |Place { name, path, handed }: Place| {
        let safe = safe(&name);
        let numbered = (2..).map(|number| format!("{safe}-{number}"));
        // Some file systems take `Ada` for `ada`.
        let folder = std::iter::once(safe.clone()).chain(numbered).find(|name| taken.insert(name.to_lowercase()));
        Entry { name, folder: folder.unwrap_or(safe), path, handed, commit: None }
    };
    places.into_iter().map(named).collect()
}

fn safe(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.@+".contains(c) { c } else { '_' };
    let mut safe = String::new();
    for c in name.chars().map(plain) {
        if safe.len() + c.len_utf8() > LONGEST {
            break;
        }
        safe.push(c);
    }
    let safe = safe.trim_start_matches(['.', '-']).to_owned();
    if safe.is_empty() { "submission".into() } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(paths: &[&str]) -> Vec<String> {
        let place =
            |path: &&str| Place { name: called(Utf8Path::new(path)), path: path.into(), handed: Handed::Folder };
        name(paths.iter().map(place).collect()).into_iter().map(|entry| entry.folder).collect()
    }

    #[test]
    fn results_have_folders_that_no_name_can_lead_out_of_or_share() {
        assert_eq!(folders(&["/a/..", "/x/.hidden", "/a/-rf"]), ["submission", "hidden", "rf"]);
        assert_eq!(folders(&["/a/ada", "/b/ada", "/c/Ada"]), ["ada", "ada-2", "Ada-3"]);
        assert_eq!(folders(&["/a/=cmd|' C calc'!A0", "/a/two\nlines"]), ["_cmd___C_calc__A0", "two_lines"]);
        assert!(folders(&[&format!("/a/{}", "ü".repeat(200))])[0].len() <= LONGEST);
    }
}
