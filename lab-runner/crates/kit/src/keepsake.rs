//! Copies of what every server needs of ours, where nobody can take them away: the program is held open, and the frozen
//! files of the submission are in memory. What somebody removes during a run (`cargo clean` in another terminal, or the
//! server itself) is put back, and the run goes on.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use lab_protocol::Target;

/// The most that is kept of a frozen tree, in bytes: what is taken from a submission is smaller.
const MOST: u64 = 64 << 20;

/// What is kept.
#[derive(Debug)]
pub(crate) struct Keepsake {
    program: Option<KeptProgram>,
    tree: Option<Tree>,
    /// Folders that are needed: the suite's own, and the one that servers are started in.
    folders: Vec<PathBuf>,
    /// How often something was put back.
    losses: AtomicU64,
    /// One at a time puts things back.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct KeptProgram {
    path: PathBuf,
    file: File,
    permissions: Permissions,
}

/// The files of a frozen tree, by their full paths.
#[derive(Debug)]
struct Tree {
    root: PathBuf,
    files: Vec<(PathBuf, Permissions, Vec<u8>)>,
}

impl Keepsake {
    /// Keeps what the servers of `target` need, and checks that keep their files in `scratch`. What cannot be kept cannot
    /// be put back either; nothing else is lost.
    pub fn of(target: &Target, scratch: &Path) -> Self {
        let mut folders = vec![scratch.to_owned()];
        let (mut program, mut tree) = (None, None);
        if let Target::Launch { argv, cwd, .. } = target {
            program = argv.first().map(Path::new).filter(|path| path.is_absolute()).and_then(KeptProgram::keep);
            tree = frozen(cwd, scratch).and_then(|root| Tree::keep(&root).ok());
            folders.push(cwd.clone());
        }
        Self { program, tree, folders, losses: AtomicU64::new(0), turn: Mutex::default() }
    }

    /// How often something had been removed, so far.
    pub fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    /// Puts back what is gone. Tells what that was, if anything.
    ///
    /// # Errors
    /// It is gone for good, in a sentence.
    pub fn restore(&self) -> Result<Option<String>, String> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let program = self.program.as_ref().map(|program| program.path.as_path());
        let needed = program.into_iter().chain(self.folders.iter().map(PathBuf::as_path));
        let Some(gone) = needed.into_iter().find(|path| !path.exists()).map(Path::to_owned) else { return Ok(None) };
        self.losses.fetch_add(1, Ordering::Relaxed);
        let told = format!("{} was removed during the run", gone.display());
        match self.put_back() {
            Ok(()) => Ok(Some(told)),
            Err(error) => Err(format!("{told}, and cannot be put back: {error}; did `cargo clean` run meanwhile?")),
        }
    }

    fn put_back(&self) -> io::Result<()> {
        if let Some(tree) = &self.tree {
            tree.put_back()?;
        }
        for (index, folder) in self.folders.iter().enumerate().filter(|(_, folder)| !folder.exists()) {
            // The submission's own files, if they were not frozen, are nobody's to make up.
            if index > 0 {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("there is no copy of {}", folder.display()),
                ));
            }
            fs::create_dir_all(folder)?;
        }
        self.program.as_ref().map_or(Ok(()), KeptProgram::put_back)
    }
}

impl KeptProgram {
    fn keep(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let permissions = file.metadata().ok()?.permissions();
        Some(Self { path: path.to_owned(), file, permissions })
    }

    fn put_back(&self) -> io::Result<()> {
        if self.path.exists() {
            return Ok(());
        }
        let mut content = Vec::new();
        let mut kept = &self.file;
        kept.seek(SeekFrom::Start(0))?;
        kept.read_to_end(&mut content)?;
        write(&self.path, &self.permissions, &content)
    }
}

impl Tree {
    fn keep(root: &Path) -> io::Result<Self> {
        let (mut files, mut folders, mut bytes) = (Vec::new(), vec![root.to_owned()], 0);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let metadata = entry.metadata()?;
                bytes += metadata.len();
                if bytes > MOST {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                if metadata.is_dir() {
                    folders.push(entry.path());
                } else if metadata.is_file() {
                    files.push((entry.path(), metadata.permissions(), fs::read(entry.path())?));
                }
            }
        }
        Ok(Self { root: root.to_owned(), files })
    }

    fn put_back(&self) -> io::Result<()> {
        fs::create_dir_all(&self.root)?;
        let gone = self.files.iter().filter(|(path, ..)| !path.exists());
        gone.into_iter().try_for_each(|(path, permissions, content)| write(path, permissions, content))
    }
}

/// The topmost folder of a frozen tree around `cwd`: it lies beside the suite's own. A learner's own checkout does not.
fn frozen(cwd: &Path, scratch: &Path) -> Option<PathBuf> {
    let parent = scratch.parent()?;
    let first = cwd.strip_prefix(parent).ok()?.components().next()?;
    Some(parent.join(first))
}

/// Writes a file under another name first: nobody ever starts half a program.
fn write(path: &Path, permissions: &Permissions, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = path.with_extension("unfinished");
    // What stands there may be a link that a server has put: nothing is written through one.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => File::create_new(&unfinished)?.write_all(content)?,
    }
    fs::set_permissions(&unfinished, permissions.clone())?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn keepsake(root: &Path, cwd: &Path) -> Keepsake {
        let target = Target::Launch {
            argv: vec![root.join("run/held/server").display().to_string()],
            cwd: cwd.to_owned(),
            env: BTreeMap::new(),
            inherited: BTreeSet::new(),
            by_hand: String::new(),
        };
        Keepsake::of(&target, &root.join("run/suite"))
    }

    fn write_all(root: &Path) {
        for (path, text) in [("run/held/server", "program"), ("run/tree/labs/a/migrations/1.sql", "one")] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::set_permissions(root.join("run/held/server"), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(root.join("run/suite")).unwrap();
    }

    #[test]
    fn a_server_that_removes_everything_finds_it_there_the_next_time() {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path();
        write_all(root);
        let keepsake = keepsake(root, &root.join("run/tree/labs/a"));
        assert_eq!(keepsake.restore(), Ok(None));
        fs::remove_dir_all(root.join("run")).unwrap();
        assert!(keepsake.restore().unwrap().unwrap().ends_with("server was removed during the run"));
        let server = root.join("run/held/server");
        assert_eq!(fs::read_to_string(&server).unwrap(), "program");
        assert_eq!(server.metadata().unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_to_string(root.join("run/tree/labs/a/migrations/1.sql")).unwrap(), "one");
        assert!(root.join("run/suite").is_dir());
        assert_eq!((keepsake.restore(), keepsake.losses()), (Ok(None), 1));
    }

    #[test]
    fn what_is_put_back_is_written_through_no_link() {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path();
        write_all(root);
        let keepsake = keepsake(root, &root.join("run/tree/labs/a"));
        let theirs = root.join("theirs");
        fs::write(&theirs, "theirs").unwrap();
        fs::remove_file(root.join("run/held/server")).unwrap();
        std::os::unix::fs::symlink(&theirs, root.join("run/held/server.unfinished")).unwrap();
        assert!(keepsake.restore().unwrap().is_some());
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(root.join("run/held/server")).unwrap(), "program");
    }

    #[test]
    fn a_learners_own_folder_is_not_made_up() {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path();
        write_all(root);
        let own = root.join("labs/a");
        fs::create_dir_all(&own).unwrap();
        let keepsake = keepsake(root, &own);
        fs::remove_dir_all(&own).unwrap();
        assert!(keepsake.restore().unwrap_err().contains("cannot be put back"));
    }
}
