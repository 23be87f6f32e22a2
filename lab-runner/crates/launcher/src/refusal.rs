//! Why cargo refuses to build anything at all, in our words: one lab's manifest that it cannot read ends the commands of
//! all labs, and it names neither the way out nor whose file it is.
//!
//! Cargo's lines are known by how they begin. What it quotes of a file stands behind a line number, so that nothing
//! written in a manifest is taken for one of them.

use std::fs;
use std::path::{Path, PathBuf};

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong, with the file and its line.
    pub message: String,
    /// What mends it.
    pub hint: String,
    /// The file or folder that is the cause, if one is.
    pub cause: Option<PathBuf>,
    /// Whose fault it is.
    pub kind: RefusalKind,
}

/// Whose fault a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// A file of the workspace, or a setting of the user's.
    Workspace,
    /// The machine, or its network.
    Machine,
}

/// How cargo begins the names of git's conflict markers.
const CONFLICT: [&str; 3] = ["<<<<<<<", "=======", ">>>>>>>"];

impl Refusal {
    /// What cargo means by `stderr`, which it wrote about the workspace at `root` before it began to build. `None` if it
    /// is none of the refusals that are known.
    #[must_use]
    pub fn explain(stderr: &str, root: &Path) -> Option<Self> {
        let text = without_colour(stderr);
        let lines: Vec<&str> = text.lines().collect();
        let known = [two_of_a_name, lock_file, manifest, missing_program, missing_linker, offline];
        known.iter().find_map(|explain| explain(&lines, root))
    }

    fn of_file(root: &Path, file: &Path, line: Option<usize>, why: &str) -> Self {
        let shown = relative(root, file);
        let conflict = fs::read_to_string(file).ok().and_then(|text| conflict(&text));
        let is_lock = file.file_name().is_some_and(|name| name == "Cargo.lock");
        let (line, why) = match conflict {
            Some(line) => (Some(line), "conflict markers of git are in it"),
            None => (line, why),
        };
        let place = line.map_or_else(|| shown.clone(), |line| format!("{shown}:{line}"));
        let hint = match (conflict, is_lock) {
            (Some(_), true) => {
                "take one side, and cargo adds what is missing: `git checkout --ours Cargo.lock`, or `git checkout HEAD \
                 Cargo.lock` when the merge is over"
                    .to_owned()
            }
            (None, true) => "put the committed one back: `git checkout HEAD Cargo.lock`".to_owned(),
            (Some(_), false) => {
                "choose one side of each conflict, and delete the lines that begin with <<<<<<<, ======= and >>>>>>>"
                    .to_owned()
            }
            (None, false) => format!("mend it, or put the committed one back: `git checkout HEAD '{shown}'`"),
        };
        Self { message: format!("{place}: {why}"), hint, cause: Some(file.to_owned()), kind: RefusalKind::Workspace }
    }
}

/// `error: two packages named …`, and their manifests in two lines.
fn two_of_a_name(lines: &[&str], root: &Path) -> Option<Refusal> {
    let (at, name) = find(lines, "error: two packages named `")?;
    let name = name.split('`').next()?;
    let folders: Vec<PathBuf> =
        lines[at + 1..].iter().map_while(|line| Some(Path::new(line.strip_prefix("- ")?).parent()?.into())).collect();
    let shown: Vec<String> = folders.iter().map(|folder| relative(root, folder)).collect();
    // The copy is the one that is not called as its package is.
    let is_copy = |folder: &&PathBuf| {
        let lab = if folder.ends_with("checks") { folder.parent() } else { Some(folder.as_path()) };
        lab.and_then(Path::file_name).is_none_or(|lab| lab != name.strip_suffix("-checks").unwrap_or(name))
    };
    let copy = folders.iter().find(is_copy).or(folders.last())?;
    Some(Refusal {
        message: format!("{} are both the package `{name}`", shown.join(" and ")),
        hint: format!(
            "keep a copy of a lab outside of labs/, or rename its package: {} looks like the copy",
            relative(root, copy)
        ),
        cause: Some(copy.clone()),
        kind: RefusalKind::Workspace,
    })
}

fn lock_file(lines: &[&str], root: &Path) -> Option<Refusal> {
    let (at, path) = find(lines, "error: failed to parse lock file at: ")?;
    let line = lines[at..]
        .iter()
        .find_map(|line| line.trim_start().strip_prefix("TOML parse error at line ")?.split(',').next()?.parse().ok());
    Some(Refusal::of_file(root, Path::new(path), line, "cargo cannot read it"))
}

/// A manifest that is no TOML, that has no sense, or that is not there.
fn manifest(lines: &[&str], root: &Path) -> Option<Refusal> {
    let member = find(lines, "error: failed to load manifest for workspace member `")
        .map(|(_, path)| Path::new(path.trim_end_matches('`')).join("Cargo.toml"));
    if let Some((at, error)) = find(lines, "error: ")
        && let Some((file, line)) = lines.get(at + 1).and_then(|line| place(line, root))
    {
        return Some(Refusal::of_file(root, &file, Some(line), error));
    }
    let named = find(lines, "error: failed to parse manifest at `")
        .or_else(|| find(lines, "error: failed to read `"))
        .map(|(_, path)| PathBuf::from(path.trim_end_matches('`')));
    let file = member.or(named)?;
    if !file.exists() {
        let folder = file.parent()?;
        return Some(Refusal {
            message: format!("{} has no Cargo.toml, and its name is a lab's", relative(root, folder)),
            hint: "move the folder out of labs/, or give it a name without a hyphen before a digit".to_owned(),
            cause: Some(folder.to_owned()),
            kind: RefusalKind::Workspace,
        });
    }
    let why = last_cause(lines).unwrap_or("cargo cannot use it");
    Some(Refusal::of_file(root, &file, None, why))
}

/// A wrapper of the compiler, or the compiler itself.
fn missing_program(lines: &[&str], _: &Path) -> Option<Refusal> {
    let (_, command) = find(lines, "error: could not execute process `")?;
    let (command, _) = command.split_once("` (never executed)")?;
    let program = command.strip_suffix(" -vV")?;
    let (program, hint) = match program.split_once(' ') {
        Some((wrapper, _)) => (
            wrapper,
            "install it, or take it out of RUSTC_WRAPPER and of `build.rustc-wrapper` in cargo's settings \
             (~/.cargo/config.toml)",
        ),
        None => (program, "is Rust installed? see https://rustup.rs"),
    };
    let what = if command.contains(' ') && program != command { "the compiler or its wrapper" } else { "the compiler" };
    Some(Refusal {
        message: format!("{what} `{program}` cannot be started"),
        hint: hint.to_owned(),
        cause: None,
        kind: RefusalKind::Workspace,
    })
}

fn missing_linker(lines: &[&str], _: &Path) -> Option<Refusal> {
    let (_, name) = find(lines, "error: linker `")?;
    let name = name.strip_suffix("` not found")?;
    Some(Refusal {
        message: format!("the linker `{name}` was not found"),
        hint: "install a C compiler: `apt install gcc`, or Xcode's command line tools".to_owned(),
        cause: None,
        kind: RefusalKind::Machine,
    })
}

/// A dependency that is new and cannot be fetched.
fn offline(lines: &[&str], root: &Path) -> Option<Refusal> {
    const UNREACHED: [&str; 5] = [
        "As a reminder, you're using offline mode",
        "  download of ",
        "  attempting to make an HTTP request, but --offline was specified",
        "  failed to query replaced source registry",
        "warning: spurious network error",
    ];
    lines.iter().find(|line| UNREACHED.iter().any(|start| line.starts_with(start)))?;
    let quoted = |start: &str| find(lines, start).and_then(|(_, rest)| rest.split('`').next());
    let package = ["error: no matching package named `", "error: failed to get `", "error: failed to download `"]
        .iter()
        .find_map(|start| quoted(start));
    let wanted_by = lines.iter().find_map(|line| {
        let (_, rest) = line
            .split_once(" package `")
            .filter(|(start, _)| start.ends_with("required by") || start.ends_with("as a dependency of"))?;
        Some(PathBuf::from(rest.split_once(" (")?.1.split(')').next()?))
    });
    let message = match (package, &wanted_by) {
        (Some(name), Some(folder)) => {
            let manifest = folder.join("Cargo.toml");
            format!("cargo could not download `{name}`, which {} asks for", relative(root, &manifest))
        }
        (Some(name), None) => format!("cargo could not download `{name}`"),
        _ => "cargo could not download a dependency".to_owned(),
    };
    Some(Refusal {
        message,
        hint: "check the network connection and run the command again".to_owned(),
        cause: wanted_by,
        kind: RefusalKind::Machine,
    })
}

/// The first line that begins with `start`, and what follows it.
fn find<'a>(lines: &[&'a str], start: &str) -> Option<(usize, &'a str)> {
    lines.iter().enumerate().find_map(|(at, line)| Some((at, line.strip_prefix(start)?)))
}

/// The file and the line of ` --> FILE:LINE:COLUMN`.
fn place(line: &str, root: &Path) -> Option<(PathBuf, usize)> {
    let mut parts = line.trim_start().strip_prefix("--> ")?.rsplitn(3, ':');
    let (_, line, file) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    // Cargo shows it as seen from its folder, which may lie below the root.
    let from = std::env::current_dir().unwrap_or_else(|_| root.to_owned());
    let file = [from.join(file), root.join(file)].into_iter().find(|file| file.exists())?;
    Some((fs::canonicalize(&file).unwrap_or(file), line))
}

/// What stands under cargo's last `Caused by:`.
fn last_cause<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let at = lines.iter().rposition(|line| *line == "Caused by:")?;
    lines.get(at + 1).map(|line| line.trim())
}

/// The line, from 1, of the first conflict marker.
fn conflict(text: &str) -> Option<usize> {
    text.lines().position(|line| CONFLICT.iter().any(|marker| line.starts_with(marker))).map(|index| index + 1)
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// `text` without the escape sequences of colours and links.
fn without_colour(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = match after.strip_prefix('[') {
            Some(sequence) => sequence.split_once(|end: char| end.is_ascii_alphabetic()).map_or("", |(_, rest)| rest),
            None => after,
        };
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(text: &str) -> Refusal {
        Refusal::explain(text, Path::new("/w")).unwrap()
    }

    #[test]
    fn a_copied_lab_is_told_from_the_original() {
        let refusal = explain(
            "error: two packages named `one-http` in this workspace:\n- /w/labs/one-copy/Cargo.toml\n- /w/labs/one-http/Cargo.toml\n",
        );
        assert_eq!(refusal.message, "labs/one-copy and labs/one-http are both the package `one-http`");
        assert_eq!(refusal.cause.as_deref(), Some(Path::new("/w/labs/one-copy")));
    }

    #[test]
    fn a_wrapper_that_is_missing_is_named() {
        let refusal = explain("error: could not execute process `/nope/sccache /r/bin/rustc -vV` (never executed)\n");
        assert_eq!(refusal.message, "the compiler or its wrapper `/nope/sccache` cannot be started");
        assert!(refusal.hint.contains("RUSTC_WRAPPER"));
    }

    #[test]
    fn a_dependency_that_cannot_be_fetched_is_named_with_who_asks_for_it() {
        let offline = "error: no matching package named `rand9` found\nlocation searched: crates.io index\nrequired by package `three v0.1.0 (/w/labs/three)`\nAs a reminder, you're using offline mode (--offline)\n";
        let refusal = explain(offline);
        assert_eq!(refusal.message, "cargo could not download `rand9`, which labs/three/Cargo.toml asks for");
        assert_eq!(refusal.kind, RefusalKind::Machine);
    }

    #[test]
    fn colours_do_not_hide_a_linker_that_is_missing() {
        let refusal = explain("\x1b[1m\x1b[91merror\x1b[0m: linker `cc` not found\n");
        assert_eq!(refusal.message, "the linker `cc` was not found");
    }

    #[test]
    fn what_is_quoted_of_a_manifest_is_no_line_of_cargos() {
        let quoted = "error: expected `=`\n --> no/such:1:1\n  |\n1 | error: linker `cc` not found\n";
        assert_eq!(Refusal::explain(quoted, Path::new("/w")), None);
        assert_eq!(Refusal::explain("error[E0425]: cannot find value\n", Path::new("/w")), None);
    }

    #[test]
    fn a_conflict_is_found_by_its_first_marker() {
        assert_eq!(conflict("[package]\n<<<<<<< HEAD\nname = \"a\"\n=======\n"), Some(2));
        assert_eq!(conflict("[package]\nname = \"<<<<<<<\"\n"), None);
    }
}
