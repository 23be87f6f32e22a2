//! Whether a program that cargo has built is up to date: the one rule for the runner, the suites, helper programs and
//! submissions.
//!
//! A program is known by its place and by the content of its inputs, not by times alone. Cargo compares times, and
//! takes an old program for a new one when a file is replaced by an older one (`cp -p`, a zip unpacked over the
//! course), when the clock was set back, and when a target folder was copied along with its workspace or is shared by
//! two. What cargo would overlook so is named by [`Build::overlooked`], for `cargo clean` to take away. Times serve
//! for one thing: an input whose stamp has not changed at all is not read again, so that asking costs a few
//! milliseconds; cargo takes a quarter of a second.
//!
//! One thing is not seen: that a *plain* cargo command of another checkout wrote a program into a shared target folder
//! and a plain cargo command of this one then took it for its own.

mod content;
mod contents;
mod incremental;
mod inputs;
mod platform;
mod record;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use content::Stamp;
use record::{Input, Now, Record};

pub use contents::Contents;
pub use platform::{LockHolder, waited_for};
pub use refusal::{Refusal, RefusalKind};

/// The folder of records, beside the programs.
const RECORDS: &str = ".lab-built";

/// A program of the workspace at some root.
#[derive(Debug, Clone)]
pub struct Artifact {
    path: PathBuf,
    root: PathBuf,
}

/// The files that cargo or the compiler lists beside `program` (in `program.d`) as what it was made of. Relative paths
/// are seen from `root`.
#[must_use]
pub fn sources_of(program: &Path, root: &Path) -> BTreeSet<PathBuf> {
    inputs::sources(program, root).unwrap_or_default()
}

/// A build of a program, from before cargo is started until it is recorded. There is one at a time in a target folder:
/// two checkouts that share it would take each other's programs.
#[derive(Debug)]
pub struct Build {
    _lock: Option<File>,
    program: Artifact,
    before: BTreeMap<PathBuf, Seen>,
    overlooked: BTreeMap<String, PathBuf>,
    incremental: OsString,
}

/// An input before the build. What was changed just now could be changed again without a trace, and is read.
type Seen = (Option<Stamp>, Option<Input>);

impl Artifact {
    /// The program at `path`, which cargo builds in the workspace at `root`.
    #[must_use]
    pub fn new(path: &Path, root: &Path) -> Self {
        let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        Self { path: path.to_owned(), root }
    }

    /// Whether the program was built here, of exactly what its inputs hold now.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let Some(mut record) = Record::load(&self.record(), &self.root) else { return false };
        let Some(program) = Stamp::of(&self.path) else { return false };
        if record.place != self.root || record.built != program.modified || record.length != program.length {
            return false;
        }
        let mut renewed = false;
        for input in &mut record.inputs {
            match input.now() {
                Now::Same => {}
                Now::Renewed(now) => {
                    renewed |= now.stamp.is_some();
                    *input = now;
                }
                Now::Changed => return false,
            }
        }
        if renewed {
            // Without the new stamps the next start reads those files again: slower, never wrong.
            let _ = record.save(&self.record(), &self.root);
        }
        true
    }

    /// What tells this build of the program from any other, for records of other kinds. `None` if there is none.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        Stamp::of(&self.path).map(|stamp| format!("{} {}", stamp.modified, stamp.length))
    }

    /// Looks at everything that may go into the program. To be called before cargo is. `waiting` is called first if
    /// somebody else builds in the same folder now, and has to be waited for.
    #[must_use]
    pub fn before_build(&self, waiting: impl FnOnce()) -> Build {
        // A folder that cannot be written is left to cargo to complain of.
        let lock = self.lock(waiting).ok();
        let sources = inputs::sources(&self.path, &self.root).unwrap_or_default();
        let mut paths = inputs::all(&sources, &self.root);
        paths.extend(inputs::candidates(&self.root));
        let look = |path: PathBuf| {
            let stamp = Stamp::of(&path);
            let recent = stamp.filter(Stamp::is_recent).and_then(|_| Input::read(&path).ok());
            (path, (stamp, recent))
        };
        let before = paths.into_iter().map(look).collect();
        let incremental = incremental::value(&self.path, &self.records());
        Build { _lock: lock, program: self.clone(), before, overlooked: self.overlooked(&sources), incremental }
    }

    fn lock(&self, waiting: impl FnOnce()) -> io::Result<File> {
        fs::create_dir_all(self.records())?;
        let file = File::options().create(true).truncate(false).write(true).open(self.records().join("lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(file)
    }

    /// The packages that have changed in a way that cargo may not notice, with their folders.
    fn overlooked(&self, sources: &BTreeSet<PathBuf>) -> BTreeMap<String, PathBuf> {
        let mut known = BTreeSet::new();
        let mut overlooked = BTreeMap::new();
        for (name, record) in self.packages() {
            let folder = self.root.join(&record.home);
            // Workspaces share a target folder without sharing all packages.
            if inputs::member(&folder, &self.root).as_ref() != Some(&name) {
                continue;
            }
            if record.place != folder || record.inputs.iter().any(|input| is_overlooked(input, &record)) {
                overlooked.insert(name.clone(), folder);
            }
            if !record.inputs.is_empty() {
                known.insert(name);
            }
        }
        let Some(program) = Stamp::of(&self.path) else { return overlooked };
        for (package, sources) in inputs::owners(sources, &self.root) {
            let later = |source: &PathBuf| {
                Stamp::of(source)
                    .is_some_and(|stamp| stamp.changed > program.modified && stamp.is_overlooked(program.modified))
            };
            if !known.contains(&package.name) && sources.iter().any(later) {
                overlooked.insert(package.name, package.folder);
            }
        }
        overlooked.extend(self.moved(sources));
        overlooked
    }

    /// The packages that `sources` name in another workspace although this one has them as well: cargo wrote the list
    /// there, and the program was copied here.
    fn moved(&self, sources: &BTreeSet<PathBuf>) -> impl Iterator<Item = (String, PathBuf)> {
        let own = |source: &&PathBuf| {
            let mut rest = source.components();
            rest.next();
            while rest.next().is_some() {
                let here = self.root.join(rest.as_path());
                if rest.as_path().components().nth(1).is_some() && here.is_file() {
                    return Some(here);
                }
            }
            None
        };
        let outside = sources.iter().filter(|source| !source.starts_with(&self.root));
        let here: BTreeSet<PathBuf> = outside.filter_map(|source| own(&source)).collect();
        inputs::owners(&here, &self.root).into_keys().map(|package| (package.name, package.folder))
    }

    /// What is recorded of packages in this target folder, by their names.
    fn packages(&self) -> Vec<(String, Record)> {
        let Ok(entries) = fs::read_dir(self.records().join("packages")) else { return Vec::new() };
        let load = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            Some((name, Record::load(&entry.path(), &self.root)?))
        };
        entries.flatten().filter_map(load).collect()
    }

    fn records(&self) -> PathBuf {
        self.path.with_file_name(RECORDS)
    }

    fn record(&self) -> PathBuf {
        self.records().join(self.path.file_name().unwrap_or_default())
    }

    fn package_record(&self, name: &str) -> PathBuf {
        self.records().join("packages").join(name)
    }
}

/// Whether cargo may not notice that `input` of the package in `record` has changed.
fn is_overlooked(input: &Input, record: &Record) -> bool {
    // What appears or goes is noticed.
    let (Some(_), Some(stamp)) = (input.content, Stamp::of(&input.path)) else { return false };
    if !matches!(input.now(), Now::Changed) {
        return false;
    }
    if !input.path.is_dir() {
        return stamp.is_overlooked(record.built);
    }
    let mut inside = BTreeSet::new();
    inputs::expand(&input.path, &mut inside);
    let new = |path: &&PathBuf| !record.inputs.iter().any(|input| input.path == **path);
    inside.iter().filter(new).filter_map(|path| Stamp::of(path)).any(|stamp| stamp.is_overlooked(record.built))
}

impl Build {
    /// The variable that tells cargo whether to compile a program of ours incrementally, and its value: the user's own,
    /// if they have set it. Nothing that a submission is built with: that is compiled again and again.
    #[must_use]
    pub fn incremental(&self) -> (&'static str, &OsStr) {
        (incremental::VARIABLE, &self.incremental)
    }

    /// The packages that cargo may take for unchanged although they are not. Cargo must be made to forget them first:
    /// `cargo clean --package …`, then [`Build::cleaned`].
    pub fn overlooked(&self) -> impl Iterator<Item = &str> {
        self.overlooked.keys().map(String::as_str)
    }

    /// Says that cargo has forgotten the packages that it would have overlooked. Whatever is compiled of them from now
    /// on is this workspace's, even if the build then fails.
    pub fn cleaned(&mut self) {
        for (name, folder) in std::mem::take(&mut self.overlooked) {
            let record =
                Record { place: folder.clone(), home: self.home(&folder), built: 0, length: 0, inputs: Vec::new() };
            // Without it they are cleaned once more the next time.
            let _ = record.save(&self.program.package_record(&name), &self.program.root);
        }
    }

    /// Records what `program`, which cargo named as the result, was built of. Tells whether it could: not if an input
    /// was changed while cargo was at work, as nobody knows which content went into the program, nor if a package was
    /// overlooked and not cleaned.
    ///
    /// # Errors
    /// What the system says when an input cannot be read or a record not be written.
    pub fn finish(self, program: &Path) -> io::Result<bool> {
        let program = Artifact { path: program.to_owned(), root: self.program.root.clone() };
        let root = &program.root;
        let (Some(stamp), Some(sources)) = (Stamp::of(&program.path), inputs::sources(&program.path, root)) else {
            return Ok(false);
        };
        let mut recorded = Vec::new();
        for path in inputs::all(&sources, root) {
            let input = Input::read(&path)?;
            if !self.is_settled(&input) {
                return Ok(false);
            }
            recorded.push(input);
        }
        if !self.overlooked.is_empty() {
            return Ok(false);
        }
        let base = Record {
            place: root.clone(),
            home: PathBuf::new(),
            built: stamp.modified,
            length: stamp.length,
            inputs: recorded,
        };
        for (package, sources) in inputs::owners(&sources, root) {
            let mut own = BTreeSet::new();
            sources.iter().for_each(|source| inputs::expand(source, &mut own));
            let inputs = base.inputs.iter().filter(|input| own.contains(&input.path)).cloned().collect();
            let home = self.home(&package.folder);
            let record = Record { place: package.folder, home, inputs, ..base.clone() };
            record.save(&program.package_record(&package.name), root)?;
        }
        base.save(&program.record(), root)?;
        Ok(true)
    }

    /// Whether `input` is as it was before cargo was started.
    fn is_settled(&self, input: &Input) -> bool {
        match self.before.get(&input.path) {
            Some((stamp, recent)) => {
                *stamp == Stamp::of(&input.path) && recent.as_ref().is_none_or(|recent| recent.content == input.content)
            }
            None => input.content.is_none(),
        }
    }

    /// The path of the package in `folder` as seen from the root.
    fn home(&self, folder: &Path) -> PathBuf {
        folder.strip_prefix(&self.program.root).unwrap_or(folder).to_owned()
    }
}
