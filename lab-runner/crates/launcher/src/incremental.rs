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
    let again = program.exists();
    if again {
        // Without the marker the next program is compiled the other way: slower, never wrong.
        let _ = fs::create_dir_all(records).and_then(|()| fs::write(marker, ""));
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_compiled_incrementally_from_the_first_that_is_built_again() {
        let folder = env::temp_dir().join(format!("lab-launcher-incremental-{}", std::process::id()));
        let (runner, suite, records) = (folder.join("runner"), folder.join("suite"), folder.join("records"));
        fs::create_dir_all(&folder).unwrap();
        assert!(!is_wanted(&runner, &records), "nothing was built yet");
        fs::write(&runner, "").unwrap();
        assert!(!is_wanted(&suite, &records), "another program's first build");
        assert!(is_wanted(&runner, &records), "it is built again");
        assert!(is_wanted(&suite, &records), "the first build of a program after that");
        fs::remove_dir_all(folder).unwrap();
    }
}
