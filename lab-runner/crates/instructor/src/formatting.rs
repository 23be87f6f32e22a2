//! Formats the sources of labs. `cargo fmt` formats packages, and a solution is none: it would be passed over.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::error::Error;
use walkdir::WalkDir;

/// The edition that cargo assumes where none is named.
const OLDEST_EDITION: &str = "2015";
/// How many lines of what rustfmt reports are shown.
const MOST_LINES: usize = 20;

/// The Rust files below `folder`: of a lab, those of its starter, its suite and its solution.
pub fn sources(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(|entry| entry.file_name() != "target");
    let paths = walk.flatten().filter_map(|entry| Utf8PathBuf::try_from(entry.into_path()).ok());
    paths.filter(|path| path.extension() == Some("rs") && path.is_file()).collect()
}

/// The edition of the package in `folder`, which may inherit it from the workspace at `root`.
pub fn edition(root: &Utf8Path, folder: &Utf8Path) -> String {
    let table = |path: Utf8PathBuf| toml::from_str::<toml::Table>(&std::fs::read_to_string(path).ok()?).ok();
    let own = table(folder.join("Cargo.toml")).and_then(|manifest| manifest.get("package")?.get("edition").cloned());
    let of_workspace = || table(root.join("Cargo.toml"))?.get("workspace")?.get("package")?.get("edition").cloned();
    let edition = own.and_then(|edition| if edition.is_table() { of_workspace() } else { Some(edition) });
    edition.as_ref().and_then(toml::Value::as_str).unwrap_or(OLDEST_EDITION).to_owned()
}

/// Formats `files`, or only looks at them if not to `write`. Returns those that were not formatted, each once.
///
/// # Errors
/// There is no rustfmt, or it cannot read a file.
pub fn rustfmt(files: &[Utf8PathBuf], edition: &str, write: bool) -> Result<Vec<Utf8PathBuf>, Error> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = Command::new("rustfmt");
    command.args(["--edition", edition, "--files-with-diff"]).args(files);
    if !write {
        command.arg("--check");
    }
    let output = command.output().map_err(|error| Error::Infrastructure {
        message: format!("cannot start rustfmt: {error}"),
        hints: vec!["`rustup component add rustfmt` installs it".into()],
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && (write || said.lines().any(|line| line.starts_with("error"))) {
        let said: Vec<&str> = said.lines().take(MOST_LINES).collect();
        return Err(Error::usage(format!("rustfmt cannot format this:\n{}", said.join("\n"))));
    }
    let mut unformatted: Vec<Utf8PathBuf> = String::from_utf8_lossy(&output.stdout).lines().map(Into::into).collect();
    unformatted.sort();
    unformatted.dedup();
    Ok(unformatted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edition_is_the_packages_own_or_the_workspaces() {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap();
        let lab = root.join("lab");
        std::fs::create_dir(&lab).unwrap();
        std::fs::write(root.join("Cargo.toml"), "[workspace.package]\nedition = '2024'\n").unwrap();
        let editions = ["edition.workspace = true", "edition = '2021'", ""].map(|line| {
            std::fs::write(lab.join("Cargo.toml"), format!("[package]\n{line}\n")).unwrap();
            edition(root, &lab)
        });
        assert_eq!(editions, ["2024", "2021", "2015"]);
    }

    #[test]
    fn what_is_not_formatted_is_found_and_what_cannot_be_read_is_told() {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap();
        let write = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
        write("good.rs", "fn good() {}\n");
        write("bad.rs", "fn  bad( ) { }\n");
        write("notes.txt", "fn  x( ) { }\n");
        let files = sources(root);
        let bad = [root.join("bad.rs")];
        assert_eq!(rustfmt(&files, "2024", false).unwrap(), bad);
        assert_eq!(std::fs::read_to_string(&bad[0]).unwrap(), "fn  bad( ) { }\n");
        assert_eq!(rustfmt(&files, "2024", true).unwrap(), bad);
        assert_eq!(rustfmt(&files, "2024", false).unwrap(), [""; 0]);
        write("bad.rs", "fn bad( {");
        for write in [true, false] {
            let error = rustfmt(&files, "2024", write).unwrap_err();
            assert!(error.to_string().contains("unclosed delimiter"), "{error}");
        }
    }
}
