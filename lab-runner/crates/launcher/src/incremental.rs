//! Whether programs of ours are compiled incrementally. The first time they are not: what the compiler puts aside for a
//! second time costs a quarter of the first, which a learner waits for, and a learner changes none of them. Who builds one
//! of them again does, or has a new version of the course: from then on everything in the same target folder is compiled
//! incrementally, so that no two programs want the same package compiled in different ways.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// Cargo's variable for it, which is also how the user decides.
pub(crate) const VARIABLE: &str = "CARGO_INCREMENTAL";
/// Stands among the records of a target folder in which something was built again.
const MARKER: &str = "incremental";

/// What [`VARIABLE`] is to be for a build of `program`, whose records are in `records`.
pub(crate) fn value(program: &Path, records: &Path) -> OsString {
    env::var_os(VARIABLE).unwrap_or_else(|| if is_wanted(program, records) { "1" } else { "0" }.into())
}

fn is_wanted(program: &Path, records: &Path) -> bool {
    let marker = records.join(MARKER);
    if marker.exists() {
        return true;
    }
    let again = was_recorded(program, records) || was_incremental(program);
    if again {
        // Without the marker the next program is compiled the other way: slower, never wrong.
        let _ = fs::create_dir_all(records).and_then(|()| fs::write(marker, ""));
    }
    again
}

/// That a program is there does not mean that it was asked for: the suite is compiled beside the runner, and its own
/// build then finds it finished.
fn was_recorded(program: &Path, records: &Path) -> bool {
    program.file_name().is_some_and(|name| records.join(name).exists())
}

/// As by a developer's own `cargo build`.
fn was_incremental(program: &Path) -> bool {
    let (Some(folder), Some(name)) = (program.parent(), program.file_stem()) else { return false };
    let crate_name = name.to_string_lossy().replace('-', "_") + "-";
    let Ok(entries) = fs::read_dir(folder.join("incremental")) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(&crate_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Target(std::path::PathBuf);

    impl Target {
        fn new(name: &str) -> Self {
            let folder = env::temp_dir().join(format!("lab-launcher-{name}-{}", std::process::id()));
            fs::create_dir_all(folder.join("records")).unwrap();
            Self(folder)
        }

        fn wants(&self, program: &str) -> bool {
            is_wanted(&self.0.join(program), &self.0.join("records"))
        }

        fn record(&self, program: &str) {
            fs::write(self.0.join("records").join(program), "").unwrap();
        }
    }

    impl Drop for Target {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn programs_are_compiled_incrementally_from_the_first_that_is_built_again() {
        let target = Target::new("again");
        assert!(!target.wants("runner"), "nothing was built yet");
        target.record("runner");
        assert!(!target.wants("suite"), "another program's first build");
        assert!(target.wants("runner"), "it is built again");
        assert!(target.wants("suite"), "the first build of a program after that");
    }

    #[test]
    fn a_suite_that_was_compiled_beside_the_runner_is_not_compiled_a_second_time_in_another_way() {
        let target = Target::new("beside");
        fs::write(target.0.join("suite"), "").unwrap();
        assert!(!target.wants("suite"));
    }

    #[test]
    fn what_plain_cargo_compiled_incrementally_is_compiled_so_from_the_start() {
        let target = Target::new("plain");
        fs::create_dir_all(target.0.join("incremental/lab_suite-1abc")).unwrap();
        assert!(target.wants("lab-suite"));
    }
}
