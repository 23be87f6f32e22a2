//! A panic of ours is told in plain words, with what a report of it needs.

use std::io::Write as _;

/// Has panics say that they are our fault, in place of a backtrace.
pub(super) fn explain_panics() {
    std::panic::set_hook(Box::new(|info| {
        let mut stderr = anstream::stderr();
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("no message");
        let _ = writeln!(stderr, "error: internal error in cargo lab: {message} ({place})");
        let _ = writeln!(stderr, "\nhint: your code is not to blame; please report this with the command you ran");
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            let _ = writeln!(stderr, "{}", std::backtrace::Backtrace::force_capture());
        }
    }));
}
