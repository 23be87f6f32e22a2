//! How an expected error is shown: what happened, then what may help, on lines of its own.

use std::io::Write as _;

use crate::error::Error;
use crate::reporter::{bad, dim};

/// Shows `error` on standard error.
pub(super) fn error(error: &Error) {
    let mut stderr = anstream::stderr();
    let _ = writeln!(stderr, "{} {error}", bad("error:"));
    for detail in error.details() {
        let _ = writeln!(stderr, "\n{detail}");
    }
    let hints = error.hints();
    if !hints.is_empty() {
        let _ = writeln!(stderr);
    }
    for hint in hints {
        let _ = writeln!(stderr, "{} {hint}", dim("hint:"));
    }
}
