//! What a submission's code includes: `include_str!`, `include_bytes!`, `include!` and `#[path]` take any file that we
//! may read, and a compile error shows what it holds. Nothing from outside of the stage goes into a program that is
//! graded, nor into what is shown of a failure.
//!
//! The compiler itself lists what it has read (its dep-info files), before it evaluates anything that could fail.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use camino::Utf8Path;

use super::Job;
use super::messages::CompileError;

/// A file's time may be that of the kernel's last tick.
const TICK: Duration = Duration::from_millis(20);

/// A file outside of the stage that went into `program`.
pub(super) fn in_program(job: &Job, program: &Utf8Path) -> Option<PathBuf> {
    let listed = lab_launcher::sources_of(program.as_std_path(), job.root.as_std_path());
    Places::of(job).first_foreign(listed)
}

/// A file outside of the stage that the compiler has read since `began`, or that an error shows.
pub(super) fn in_failure(job: &Job, began: SystemTime, errors: &[CompileError]) -> Option<PathBuf> {
    let places = Places::of(job);
    let shown = errors.iter().flat_map(|error| &error.files).map(|file| job.root.join(file).into_std_path_buf());
    let name = job.package.replace('-', "_");
    let new = |path: &PathBuf| {
        path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&name))
            && path.extension().is_some_and(|ending| ending == "d")
            && path.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified >= began - TICK)
    };
    let folder = std::fs::read_dir(job.build.join("debug/deps")).into_iter().flatten().flatten();
    let lists = folder.map(|entry| entry.path()).filter(new).map(|list| list.with_extension(""));
    let listed = lists.flat_map(|list| lab_launcher::sources_of(&list, job.root.as_std_path()));
    places.first_foreign(shown.chain(listed))
}

/// Where code may come from.
struct Places(Vec<PathBuf>);

impl Places {
    /// The stage, what build scripts have made, and the sources of dependencies and of the standard library, which errors
    /// in their macros show.
    fn of(job: &Job) -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let named = |variable: &str, default: &str| {
            std::env::var_os(variable).map(PathBuf::from).or_else(|| Some(home.clone()?.join(default)))
        };
        let cargo = named("CARGO_HOME", ".cargo")
            .into_iter()
            .flat_map(|home| ["registry/src", "git/checkouts"].map(|folder| home.join(folder)));
        let rustup = named("RUSTUP_HOME", ".rustup").into_iter().map(|home| home.join("toolchains"));
        let own = [job.root.clone().into_std_path_buf(), job.build.join("debug/build").into_std_path_buf()];
        let all = own.into_iter().chain(cargo).chain(rustup);
        Self(all.map(|folder| folder.canonicalize().unwrap_or(folder)).collect())
    }

    /// The first of `files` that exists and is in none of these places.
    fn first_foreign(&self, files: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
        files.into_iter().find(|file| file.canonicalize().is_ok_and(|file| !self.hold(&file)))
    }

    fn hold(&self, file: &Path) -> bool {
        // Where the standard library's sources are, whoever has packaged it.
        let is_standard = file.components().any(|part| part.as_os_str() == "rustlib");
        is_standard || self.0.iter().any(|place| file.starts_with(place))
    }
}
