//! Where in a suite's source a failure was made. Only an audit asks for it, so that it knows which expectations have
//! been seen to fail; a learner's run spares the time, and a learner's report does not name an instructor's files.

use std::backtrace::Backtrace;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether failures name their places. One suite is one process with one run.
static ASKED: AtomicBool = AtomicBool::new(false);
/// What leads to a suite's sources, in the path of a file of its own.
const SUITE: &str = "checks/src/";

/// From now on, every failure names where in the suite's source it was made.
pub fn name_places() {
    ASKED.store(true, Ordering::Relaxed);
}

/// Where in the suite's source the caller is being run from, as `src/file.rs:line:column`, the innermost place first. Empty
/// unless [`name_places`] was called, and where the program names no lines.
pub(crate) fn here() -> Vec<String> {
    if !ASKED.load(Ordering::Relaxed) {
        return Vec::new();
    }
    // An async function's frames are those of its future, with the line that is being awaited.
    in_suite(&Backtrace::force_capture().to_string())
}

/// The lines `at …/checks/src/file.rs:line:column` of a printed backtrace, without what follows itself.
fn in_suite(backtrace: &str) -> Vec<String> {
    let mut places: Vec<String> = Vec::new();
    for line in backtrace.lines() {
        let Some(path) = line.trim_start().strip_prefix("at ") else { continue };
        let Some(start) = path.rfind(SUITE) else { continue };
        let inside = &path[start + "checks/".len()..];
        if !places.iter().any(|place| place == inside) {
            places.push(inside.to_owned());
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_frames_of_a_suite_are_places_and_the_innermost_comes_first() {
        let printed = "   0: lab_check::place::here\n             at ./lab-runner/crates/check/src/place.rs:24:15\n\
                       \x20  1: suite::helper::{{closure}}\n             at ./labs/tiny-1-greeter/checks/src/kit/helper.rs:17:9\n\
                       \x20  2: suite::check::{{closure}}\n             at /x/labs/tiny-1-greeter/checks/src/main.rs:40:26\n\
                       \x20  3: suite::__run_check\n             at /x/labs/tiny-1-greeter/checks/src/main.rs:40:26\n";
        assert_eq!(in_suite(printed), ["src/kit/helper.rs:17:9", "src/main.rs:40:26"]);
    }

    #[test]
    fn nobody_pays_for_places_that_were_not_asked_for() {
        assert!(here().is_empty());
    }
}
