//! What a program was made of: cargo's list of sources, and the manifests and settings that the list leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Settings that cargo and rustup look for in a folder and in those above it.
const SETTINGS: [&str; 4] = [".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"];
/// Files of a package that count as soon as they appear, without being named anywhere.
const IMPLIED: [&str; 3] = ["Cargo.toml", "build.rs", "src/lib.rs"];
/// Folders that hold no sources.
const NO_SOURCES: [&str; 3] = ["target", ".git", "node_modules"];
/// More files than this are not looked at before a build. The rest counts as unknown.
const MOST_FILES: usize = 20_000;

/// A package with sources on this machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub name: String,
    pub folder: PathBuf,
}

/// The sources that cargo lists beside `program`: files and folders, as it was last built by anybody. `None` if there
/// is no list.
pub(crate) fn sources(program: &Path, root: &Path) -> Option<BTreeSet<PathBuf>> {
    let listed = fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = listed.lines().next()?.split_once(": ")?;
    Some(split_escaped(sources).map(|source| root.join(source)).collect())
}

/// All that decides what comes out of building the program that has these `sources`. What is not there counts, too: it
/// may appear.
pub(crate) fn all(sources: &BTreeSet<PathBuf>, root: &Path) -> BTreeSet<PathBuf> {
    let mut inputs = BTreeSet::new();
    sources.iter().for_each(|source| expand(source, &mut inputs));
    for package in owners(sources, root).keys() {
        inputs.extend(IMPLIED.iter().map(|name| package.folder.join(name)));
    }
    inputs.extend(["Cargo.toml", "Cargo.lock"].map(|name| root.join(name)));
    inputs.extend(root.ancestors().flat_map(|folder| SETTINGS.map(|name| folder.join(name))));
    inputs.extend(cargo_home().iter().flat_map(|home| ["config.toml", "config"].map(|name| home.join(name))));
    inputs
}

/// Cargo lists a folder where a build script asked to be run again for anything in it.
pub(crate) fn expand(path: &Path, into: &mut BTreeSet<PathBuf>) {
    into.insert(path.to_owned());
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            expand(&entry.path(), into);
        } else {
            into.insert(entry.path());
        }
    }
}

/// The packages of the workspace at `root` that `sources` belong to, and which of them belong to each.
pub(crate) fn owners(sources: &BTreeSet<PathBuf>, root: &Path) -> BTreeMap<Package, BTreeSet<PathBuf>> {
    let mut known: BTreeMap<PathBuf, Option<Package>> = BTreeMap::new();
    let mut owners: BTreeMap<Package, BTreeSet<PathBuf>> = BTreeMap::new();
    for source in sources {
        let Some(folder) = source.parent() else { continue };
        let owner = known.entry(folder.to_owned()).or_insert_with(|| owner(folder, root));
        if let Some(package) = owner {
            owners.entry(package.clone()).or_default().insert(source.clone());
        }
    }
    owners
}

fn owner(folder: &Path, root: &Path) -> Option<Package> {
    folder.ancestors().find_map(|folder| Some(Package { name: member(folder, root)?, folder: folder.to_owned() }))
}

/// The name of the package whose manifest lies in `folder`, unless it is a workspace of its own beside that at `root`: cargo
/// knows no such package there, and cannot be told to forget it.
pub(crate) fn member(folder: &Path, root: &Path) -> Option<String> {
    let name = package_name(folder)?;
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let alone = folder != root && manifest.lines().any(|line| line.trim() == "[workspace]");
    (!alone).then_some(name)
}

/// The name of the package whose manifest lies in `folder`. TOML allows it to be written in more ways; then the
/// package is not known, and cargo alone judges it.
fn package_name(folder: &Path) -> Option<String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let value = manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[package]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='))?;
    let name = value.trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// Every file below `root` that may be a source.
pub(crate) fn candidates(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let kind = entry.file_type();
            if !kind.is_ok_and(|kind| kind.is_dir()) {
                files.push(entry.path());
            } else if !NO_SOURCES.iter().any(|name| entry.file_name() == *name) {
                folders.push(entry.path());
            }
        }
        // A folder can be an input itself.
        files.push(folder);
        if files.len() > MOST_FILES {
            break;
        }
    }
    files
}

fn cargo_home() -> Option<PathBuf> {
    let named = env::var_os("CARGO_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))
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

    #[test]
    fn this_package_is_known_by_its_name() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(package_name(package).as_deref(), Some("lab-launcher"));
        let sources = BTreeSet::from([package.join("src/lib.rs")]);
        assert_eq!(owners(&sources, package).into_keys().next().unwrap().folder, package);
    }

    #[test]
    fn what_lies_in_a_workspace_of_its_own_belongs_to_the_package_around_it() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sources = BTreeSet::from([package.join("start/Cargo.lock")]);
        let owners = owners(&sources, Path::new("/"));
        assert_eq!(owners.into_keys().map(|package| package.name).collect::<Vec<_>>(), ["lab-launcher"]);
        assert_eq!(member(&package.join("start"), &package.join("start")).as_deref(), Some("lab-start"));
    }
}
