//! Whether a program that cargo has built is up to date, without asking cargo: that takes it a quarter of a second.
//!
//! Cargo writes beside a program which files went into it (`<program>.d`). What is missing there are manifests and the
//! lock file. A stamp says when the build that made the program began: a file changed later is not in the program,
//! even if the program is younger.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Whether `program`, a binary of the workspace at `root`, was recorded by [`record`] and nothing has changed since.
#[must_use]
pub fn is_fresh(program: &Path, root: &Path) -> bool {
    let Some(since) = recorded(program) else { return false };
    let Some(inputs) = inputs(program, root) else { return false };
    inputs.iter().all(|input| match fs::metadata(input).and_then(|metadata| metadata.modified()) {
        Ok(changed) => changed < since,
        Err(_) => false,
    })
}

/// Says that a build which began at `began` left `program` up to date.
///
/// # Errors
/// What the system says when the stamp beside the program cannot be written.
pub fn record(program: &Path, began: SystemTime) -> io::Result<()> {
    let identity = identity(program)?;
    let mut stamp = File::create(stamp(program))?;
    stamp.write_all(identity.as_bytes())?;
    stamp.set_modified(began)
}

/// When the build began that left the program as it is now.
fn recorded(program: &Path) -> Option<SystemTime> {
    let mut stamp = File::open(stamp(program)).ok()?;
    let mut text = String::new();
    stamp.read_to_string(&mut text).ok()?;
    if text != identity(program).ok()? {
        return None;
    }
    stamp.metadata().ok()?.modified().ok()
}

/// Tells this build of a program from another.
fn identity(program: &Path) -> io::Result<String> {
    let metadata = fs::metadata(program)?;
    let changed = metadata.modified()?.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    Ok(format!("{} {}\n", changed.as_nanos(), metadata.len()))
}

fn stamp(program: &Path) -> PathBuf {
    program.with_extension("stamp")
}

/// All files that the program was made of, or `None` if that is not known.
fn inputs(program: &Path, root: &Path) -> Option<BTreeSet<PathBuf>> {
    let listed = fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = listed.lines().next()?.split_once(": ")?;
    let mut inputs: BTreeSet<PathBuf> = split_escaped(sources).map(|source| root.join(source)).collect();
    let folders: BTreeSet<PathBuf> = inputs.iter().filter_map(|source| source.parent().map(Path::to_owned)).collect();
    inputs.extend(folders.iter().filter_map(|folder| manifest(folder, root)));
    inputs.extend([root.join("Cargo.toml"), root.join("Cargo.lock")]);
    inputs.extend(
        [".cargo/config.toml", "rust-toolchain.toml", "rust-toolchain"]
            .iter()
            .map(|name| root.join(name))
            .filter(|file| file.exists()),
    );
    Some(inputs)
}

/// The manifest of the package that `folder` is part of.
fn manifest(folder: &Path, root: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .take_while(|ancestor| ancestor.starts_with(root))
        .map(|ancestor| ancestor.join("Cargo.toml"))
        .find(|manifest| manifest.exists())
}

/// The words of a Make rule: separated by spaces, a space inside a word behind a backslash.
fn split_escaped(line: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&' ') => {
                characters.next();
                if let Some(word) = words.last_mut() {
                    word.push(' ');
                }
            }
            ' ' => words.push(String::new()),
            other => {
                if let Some(word) = words.last_mut() {
                    word.push(other);
                }
            }
        }
    }
    words.into_iter().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_in_a_file_name_does_not_end_it() {
        let words: Vec<String> = split_escaped(r"/a/b.rs /my\ labs/c.rs  d.rs").collect();
        assert_eq!(words, ["/a/b.rs", "/my labs/c.rs", "d.rs"]);
    }
}
