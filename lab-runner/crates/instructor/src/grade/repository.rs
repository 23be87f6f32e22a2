//! The files of a git repository at a commit, for whoever does not trust the repository.
//!
//! Git is never run in it: its settings, hooks, filters and remotes can start programs (git(1), SECURITY), and its links and
//! alternates can lead to other repositories. What its refs say and the files of its objects are copied to a bare repository
//! of ours, which has none of these, and git reads that one in the sandbox.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use lab_process::Signal;
use lab_runner::error::Error;
use lab_runner::scratch::Scratch;
use lab_runner::workspace::Lab;
use lab_sandbox::{Confinement, Limits, Sandbox, User, View};
use walkdir::WalkDir;

use super::archive::{MOST_ENTRIES, Room, Unpack, within};

/// The most bytes of objects that are copied.
const MOST_OBJECT_BYTES: u64 = 1 << 30;
/// The most files of objects that are copied.
const MOST_OBJECTS: usize = 200_000;
/// The most refs that are read.
const MOST_REFS: usize = 50_000;
/// The largest file with packed refs that is read, in bytes.
const MOST_PACKED_REFS: u64 = 16 << 20;
/// The most that git may list of one commit, in bytes.
const MOST_LISTED: u64 = 64 << 20;
/// What git may use.
const LIMITS: Limits = Limits { memory_bytes: Some(1 << 30), processor_seconds: Some(60), ..Limits::NO_CORE };
/// Folders of what is built and downloaded, which some commit by mistake.
const NEVER_MEANT: [&str; 2] = ["target", "node_modules"];
/// No settings but ours, no replaced objects, and nothing fetched.
const ENVIRONMENT: [(&str, &str); 8] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
];
const SETTINGS: [&str; 8] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.allow=never",
    "-c",
    "core.commitGraph=false",
];

/// Whether `folder` is a git repository, with a working tree or without one.
pub(super) fn is_repository(folder: &Utf8Path) -> bool {
    git_folder(folder).is_some()
}

/// Writes the files that the repository at `repository` has at `revision` to a folder in `scratch`: regular files, but for
/// those that were built. Gives that folder and the id of the commit. Git runs in `sandbox`.
///
/// # Errors
/// It is no repository, there is no such commit, or it holds more than is taken.
pub(super) fn check_out(
    repository: &Utf8Path,
    revision: &str,
    scratch: &Scratch,
    lab: &Lab,
    sandbox: &Sandbox,
) -> Result<(Utf8PathBuf, String), Error> {
    let (ours, files) = (scratch.path().join("repository"), scratch.path().join("files"));
    let checked_out = || {
        fs::create_dir_all(&files).map_err(Unpack::Ours)?;
        copy(repository, revision, &ours)?;
        let user = sandbox.user().map(|_| User::take()).transpose().map_err(Unpack::Ours)?;
        let sandbox = user.as_ref().map_or_else(|| sandbox.clone(), |user| sandbox.of_user(user));
        sandbox.give(ours.as_std_path()).map_err(Unpack::Ours)?;
        let git = Git { folder: &ours, sandbox: &sandbox };
        let commit = git.commit(revision)?;
        git.write(&git.list(&commit, lab)?, &files)?;
        fs::remove_dir_all(&ours).map_err(Unpack::Ours)?;
        Ok(commit)
    };
    match checked_out() {
        Ok(commit) => Ok((files, commit)),
        Err(Unpack::Refused(why)) => Err(Error::usage(format!("{repository}: {why}"))),
        Err(Unpack::Ours(error)) => Err(Error::io("write to", scratch.path(), error)),
    }
}

/// The folder that git keeps a repository in, if it is one and lies where it belongs: a file or a link in its place leads
/// elsewhere.
fn git_folder(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let is_folder = |path: &Utf8Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let is_file = |path: &Utf8Path| path.symlink_metadata().is_ok_and(|found| found.is_file());
    let holds =
        |place: &Utf8PathBuf| is_folder(place) && is_folder(&place.join("objects")) && is_file(&place.join("HEAD"));
    [folder.join(".git"), folder.to_owned()].into_iter().find(holds)
}

/// Makes a repository in `ours` with the refs and the objects of `repository`.
fn copy(repository: &Utf8Path, revision: &str, ours: &Utf8Path) -> Result<(), Unpack> {
    let folder = git_folder(repository).ok_or_else(|| {
        Unpack::Refused(format!(
            "it is no git repository with a folder .git of its own, and so has no commit `{revision}`"
        ))
    })?;
    let refs = Refs::read(&folder);
    for folder in ["refs", "objects"] {
        fs::create_dir_all(ours.join(folder)).map_err(Unpack::Ours)?;
    }
    let write = |name: &str, text: String| fs::write(ours.join(name), text).map_err(Unpack::Ours);
    write("HEAD", refs.head.clone().unwrap_or_else(|| "ref: refs/heads/main".to_owned()) + "\n")?;
    write("config", refs.format().to_owned())?;
    write("packed-refs", refs.packed())?;
    copy_objects(&folder.join("objects"), &ours.join("objects"))
}

/// What the refs of a repository point to.
#[derive(Debug, Default)]
struct Refs {
    head: Option<String>,
    by_name: BTreeMap<String, String>,
}

impl Refs {
    /// Reads those of the repository in `folder`. What is no ref is passed over, as it is of no use here.
    fn read(folder: &Utf8Path) -> Self {
        let mut refs = Self::default();
        for line in read_up_to(&folder.join("packed-refs"), MOST_PACKED_REFS).lines() {
            if let Some((id, name)) = line.split_once(' ') {
                refs.add(name, id);
            }
        }
        // A ref of its own file counts more than a packed one.
        for entry in WalkDir::new(folder.join("refs")).follow_links(false).into_iter().flatten().take(MOST_REFS) {
            let Some(path) = Utf8Path::from_path(entry.path()) else { continue };
            if let Ok(name) = path.strip_prefix(folder)
                && entry.file_type().is_file()
            {
                refs.add(name.as_str(), read_up_to(path, 100).trim());
            }
        }
        let head = read_up_to(&folder.join("HEAD"), 1_024).trim().to_owned();
        let is_head = head.strip_prefix("ref: ").map_or_else(|| is_id(&head), is_plain);
        refs.head = is_head.then_some(head);
        refs
    }

    fn add(&mut self, name: &str, id: &str) {
        if is_plain(name) && is_id(id) && self.by_name.len() < MOST_REFS {
            self.by_name.insert(name.to_owned(), id.to_owned());
        }
    }

    fn packed(&self) -> String {
        self.by_name.iter().map(|(name, id)| format!("{id} {name}\n")).collect()
    }

    /// What git has to know of a repository whose objects are called as these are.
    fn format(&self) -> &'static str {
        let is_longer = self.by_name.values().chain(&self.head).any(|id| is_id(id) && id.len() == 64);
        if is_longer {
            "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n"
        } else {
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
        }
    }
}

/// The text of the file at `path`, which is no link; nothing, where there is none or it is longer than `most` bytes.
fn read_up_to(path: &Utf8Path, most: u64) -> String {
    let fits = path.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() <= most);
    if fits { fs::read_to_string(path).unwrap_or_default() } else { String::new() }
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether `name` is a ref's, without anything that git would end at. What replaces objects is left out.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "-_./@+#=,%!".contains(c);
    let part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.ends_with(".lock");
    name.starts_with("refs/")
        && !name.starts_with("refs/replace/")
        && !name.contains("..")
        && name.chars().all(plain)
        && name.split('/').all(part)
}

/// Copies the files of objects: those that hold one, and packs with their indexes. What is only for speed is left out, and
/// so is what leads to other repositories.
fn copy_objects(from: &Utf8Path, to: &Utf8Path) -> Result<(), Unpack> {
    let (mut bytes, mut count) = (0, 0);
    for entry in WalkDir::new(from).min_depth(2).max_depth(2).follow_links(false) {
        let entry = entry.map_err(|error| Unpack::Refused(format!("its objects cannot be read: {error}")))?;
        let Some(relative) = Utf8Path::from_path(entry.path()).and_then(|path| path.strip_prefix(from).ok()) else {
            continue;
        };
        if !entry.file_type().is_file() || !holds_objects(relative) {
            continue;
        }
        count += 1;
        bytes += entry.metadata().map_or(0, |found| found.len());
        if bytes > MOST_OBJECT_BYTES || count > MOST_OBJECTS {
            return Err(Unpack::Refused("its history holds more than 1 GiB, or more than 200,000 objects".into()));
        }
        let copied = to.join(relative);
        copied.parent().map_or(Ok(()), fs::create_dir_all).map_err(Unpack::Ours)?;
        let unreadable = |error| Unpack::Refused(format!("objects/{relative} cannot be read: {error}"));
        let mut object = File::open(entry.path()).map_err(unreadable)?;
        io::copy(&mut object, &mut File::create_new(copied).map_err(Unpack::Ours)?).map_err(Unpack::Ours)?;
    }
    Ok(())
}

fn holds_objects(path: &Utf8Path) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (path.parent().map_or("", Utf8Path::as_str), path.file_name().unwrap_or_default()) {
        ("pack", name) => name.starts_with("pack-") && (name.ends_with(".pack") || name.ends_with(".idx")),
        (folder, name) => folder.len() == 2 && is_hex(folder) && is_hex(name),
    }
}

/// A file of a commit.
struct Blob {
    id: String,
    path: Utf8PathBuf,
}

/// Git in a repository of ours.
struct Git<'a> {
    folder: &'a Utf8Path,
    sandbox: &'a Sandbox,
}

impl Git<'_> {
    /// The id of the commit that `revision` names.
    fn commit(&self, revision: &str) -> Result<String, Unpack> {
        let named = format!("{revision}^{{commit}}");
        let asked = self.command(&["rev-parse", "--verify", "--quiet", "--end-of-options", &named]).output();
        let output = asked.map_err(|error| Unpack::Refused(format!("git cannot be started: {error}")))?;
        let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && is_id(&id) {
            return Ok(id);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let why = said.lines().next().map(|line| format!(" ({line})")).unwrap_or_default();
        Err(Unpack::Refused(format!("there is no commit `{revision}` in it{why}")))
    }

    /// The files of `commit` that may be meant.
    fn list(&self, commit: &str, lab: &Lab) -> Result<Vec<Blob>, Unpack> {
        let mut git = Running::start(self.command(&["ls-tree", "-r", "-z", "--full-tree", commit]))?;
        let mut listed = BufReader::new(git.output()?.take(MOST_LISTED));
        let (mut blobs, mut entry) = (Vec::new(), Vec::new());
        while listed.read_until(0, &mut entry).map_err(Unpack::broken)? > 0 {
            let text = String::from_utf8_lossy(&entry).into_owned();
            entry.clear();
            let Some((about, path)) = text.trim_end_matches('\0').split_once('\t') else { continue };
            let path = within(path)?;
            let about: Vec<&str> = about.split(' ').collect();
            let [mode, "blob", id] = about[..] else { continue };
            // Links are left out, as they are in a folder that is handed in.
            if !mode.starts_with("100") || is_built(&path, lab) {
                continue;
            }
            if blobs.len() == MOST_ENTRIES {
                return Err(Unpack::Refused(format!("the commit holds more than {MOST_ENTRIES} files")));
            }
            blobs.push(Blob { id: id.to_owned(), path });
        }
        drop(listed);
        git.end()?;
        Ok(blobs)
    }

    /// Writes `blobs` to the folder `to`.
    fn write(&self, blobs: &[Blob], to: &Utf8Path) -> Result<(), Unpack> {
        let mut command = self.command(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped());
        let mut git = Running::start(command)?;
        let asked: String = blobs.iter().map(|blob| format!("{}\n", blob.id)).collect();
        let mut input = git.0.stdin.take();
        // Beside the reading: git answers before it has heard all. It ends where git does.
        thread::spawn(move || input.as_mut().map(|input| input.write_all(asked.as_bytes())));
        let mut answers = BufReader::new(git.output()?);
        let mut room = Room::new();
        for blob in blobs {
            let mut head = String::new();
            (&mut answers).take(200).read_line(&mut head).map_err(Unpack::broken)?;
            let size = head.trim_end().strip_prefix(&format!("{} blob ", blob.id)).and_then(|size| size.parse().ok());
            let size: u64 = size.ok_or_else(|| Unpack::Refused(format!("{} is not in it", blob.path)))?;
            room.entry()?;
            room.write((&mut answers).take(size), &to.join(&blob.path))?;
            let mut end = [0];
            answers.read_exact(&mut end).map_err(Unpack::broken)?;
        }
        drop(answers);
        git.end()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut environment: BTreeMap<OsString, OsString> =
            ENVIRONMENT.iter().map(|(name, value)| (name.into(), value.into())).collect();
        environment.extend(std::env::var_os("PATH").map(|path| ("PATH".into(), path)));
        let confinement = Confinement {
            folder: self.folder.into(),
            environment,
            limits: LIMITS,
            orphan_signal: Signal::KILL,
            view: View { programs: true, readable: vec![self.folder.into()], writable: Vec::new() },
            network: None,
        };
        let mut command = self.sandbox.command("git", &confinement);
        command.args(SETTINGS).arg("--git-dir").arg(self.folder).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A git that runs, and ends when nobody waits for it.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Result<Self, Unpack> {
        // What it says goes nowhere: what is wrong shows by what it does not answer.
        let started = command.stderr(Stdio::null()).spawn();
        started.map(Self).map_err(|error| Unpack::Refused(format!("git cannot be started: {error}")))
    }

    fn output(&mut self) -> Result<impl Read + use<>, Unpack> {
        self.0.stdout.take().ok_or_else(|| Unpack::Ours(io::ErrorKind::BrokenPipe.into()))
    }

    /// Waits for it to end, and says whether it did all that it was to do.
    fn end(mut self) -> Result<(), Unpack> {
        match self.0.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Unpack::Refused(format!("git cannot read it ({status})"))),
            Err(error) => Err(Unpack::Ours(error)),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether `path` is in a folder of what was built, which is not in one that the lab takes.
fn is_built(path: &Utf8Path, lab: &Lab) -> bool {
    let first = |path: &Utf8PathBuf| path.components().next().map(|part| part.to_string());
    let editable: Vec<String> = lab.manifest.editable.iter().filter_map(first).collect();
    let mut parts = path.components().map(|part| part.as_str().to_owned());
    let telling = parts.find(|part| NEVER_MEANT.contains(&part.as_str()) || editable.contains(part));
    telling.is_some_and(|part| NEVER_MEANT.contains(&part.as_str()))
}
