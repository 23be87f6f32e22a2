//! Takes out of the environment what `cargo run` puts in: nothing the runner starts shall mistake itself for the
//! launcher's package.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `cargo run` says of the package it runs (The Cargo Book, "Environment variables Cargo sets for crates"). Other
/// `CARGO_*` variables are the user's settings.
const OURS: [&str; 9] = [
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
    "RUST_RECURSION_COUNT",
];
const OURS_BEGIN: &str = "CARGO_PKG_";
/// `cargo run` puts its folders before the user's in these.
const LIBRARY_PATHS: [&str; 2] = ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

/// Gives `command` the environment that the user started `cargo lab` in.
pub(crate) fn scrub(command: &mut Command, cargo: &Path, own: &Path) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if OURS.contains(&text.as_ref()) || text.starts_with(OURS_BEGIN) {
            command.env_remove(&name);
        }
    }
    let added: Vec<PathBuf> =
        [own.parent(), cargo.parent().and_then(Path::parent)].into_iter().flatten().map(Path::to_owned).collect();
    for name in LIBRARY_PATHS {
        let Some(value) = env::var_os(name) else { continue };
        match without(&value, &added) {
            Some(kept) => command.env(name, kept),
            None => command.env_remove(name),
        };
    }
}

/// The paths of `value` that are in none of the folders `added`; `None` if there are none.
fn without(value: &OsString, added: &[PathBuf]) -> Option<OsString> {
    let kept: Vec<PathBuf> =
        env::split_paths(value).filter(|path| !added.iter().any(|folder| path.starts_with(folder))).collect();
    if kept.is_empty() { None } else { env::join_paths(kept).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_library_path_is_kept() {
        let value = OsString::from("/w/target/debug/deps:/w/target/debug:/toolchain/lib:/opt/mine");
        let added = [PathBuf::from("/w/target/debug"), PathBuf::from("/toolchain")];
        assert_eq!(without(&value, &added), Some(OsString::from("/opt/mine")));
    }

    #[test]
    fn a_variable_that_only_cargo_filled_is_gone() {
        assert_eq!(without(&OsString::from("/w/target/debug/deps"), &[PathBuf::from("/w/target/debug")]), None);
    }
}
