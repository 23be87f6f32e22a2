//! What git knows of a folder, where there is git and the folder is in a repository.

use std::process::{Command, Stdio};

use camino::Utf8Path;

/// What git prints when it is called with `arguments` in `folder`; none if it fails or is not there.
pub fn output(folder: &Utf8Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("git").args(arguments).current_dir(folder).stdin(Stdio::null()).output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// Whether `folder` is the root of a repository of its own.
pub fn is_root(folder: &Utf8Path) -> bool {
    let told = output(folder, &["rev-parse", "--show-toplevel"]).and_then(|told| String::from_utf8(told).ok());
    let canonical = |path: &Utf8Path| path.canonicalize_utf8().ok();
    told.is_some_and(|told| canonical(Utf8Path::new(told.trim_end())) == canonical(folder))
}
