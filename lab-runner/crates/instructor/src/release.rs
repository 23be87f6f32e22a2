//! Versions of labs: the suite of a version that learners have is not changed. `checks/released.toml` says which suite that
//! is; `cargo lab export kit --release` writes it, and the audit holds the lab to it.

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::audit::Problem;
use lab_runner::error::Error;
use lab_runner::hash::PartsHash;
use lab_runner::workspace::Lab;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

/// The record, in the lab's folder.
const FILE: &str = "checks/released.toml";
/// What versions have changed, for learners.
const CHANGELOG: &str = "CHANGELOG.md";
/// What of a suite's folder has no say in a verdict: this record, what the audit counts, and what cargo makes.
const NOT_THE_SUITE: [&str; 3] = ["released.toml", "expectations.toml", "target"];
const HEAD: &str = "# The suite that learners have been given, as `cargo lab export kit --release` has written it down. Before checks\n\
                    # are changed, `version` in lab.toml is raised.\n";

/// The version of a lab that learners were given last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Released {
    /// The version.
    version: u32,
    /// The SHA-256 of its suite's files.
    suite_sha256: String,
}

/// What is wrong with the version of `lab`.
#[must_use]
pub fn problems(lab: &Lab) -> Vec<Problem> {
    let now = lab.manifest.version;
    let mut problems = Vec::new();
    let changelog = std::fs::read_to_string(lab.folder.join(CHANGELOG)).unwrap_or_default();
    if now > 1 && !has_heading(&changelog, now) {
        problems.push(Problem::of(
            CHANGELOG,
            format!("it has no heading `## Version {now}`, and lab.toml says that version"),
        ));
    }
    match released(&lab.folder) {
        Ok(Some(released)) if released.version > now => problems.push(Problem::of(
            "lab.toml",
            format!("it says version {now}, and learners have version {} already", released.version),
        )),
        Ok(Some(released)) if released.version == now => match suite_hash(&lab.folder) {
            Ok(hash) if hash == released.suite_sha256 => {}
            Ok(_) => problems.push(Problem::of(
                "checks",
                format!(
                    "the suite has changed since learners were given version {now}: raise `version` in lab.toml, and say \
                     in {CHANGELOG} what is new"
                ),
            )),
            Err(error) => problems.push(Problem::of("checks", error.to_string())),
        },
        Ok(_) => {}
        Err(why) => problems.push(Problem::of(FILE, why)),
    }
    problems
}

/// Records that learners are given `lab` as it is. Gives the record's path, if it has become another one.
///
/// # Errors
/// The version has been given away with another suite, or the record cannot be written.
pub fn record(lab: &Lab) -> Result<Option<Utf8PathBuf>, Error> {
    let path = lab.folder.join(FILE);
    let suite_sha256 =
        suite_hash(&lab.folder).map_err(|source| Error::io("read", &lab.folder.join("checks"), source))?;
    let release = Released { version: lab.manifest.version, suite_sha256 };
    if released(&lab.folder).is_ok_and(|before| before.as_ref() == Some(&release)) {
        return Ok(None);
    }
    let text = toml::to_string(&release).map_err(|error| Error::Fault(error.to_string()))?;
    std::fs::write(&path, format!("{HEAD}{text}")).map_err(|source| Error::io("write", &path, source))?;
    Ok(Some(path))
}

/// Refuses to release labs whose versions do not fit.
///
/// # Errors
/// One has a problem.
pub fn refuse_unfit(labs: &[Lab]) -> Result<(), Error> {
    let told = |lab: &Lab| -> Vec<String> {
        problems(lab)
            .into_iter()
            .map(|problem| format!("{} {}: {}", lab.id(), problem.place, problem.message))
            .collect()
    };
    let unfit: Vec<String> = labs.iter().flat_map(told).collect();
    if unfit.is_empty() {
        return Ok(());
    }
    Err(Error::Usage { message: "nothing was released: not every version fits".to_owned(), hints: unfit })
}

fn has_heading(changelog: &str, version: u32) -> bool {
    let heading = format!("## Version {version}");
    let is_it =
        |line: &str| line.strip_prefix(&heading).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
    changelog.lines().any(is_it)
}

fn released(lab: &Utf8Path) -> Result<Option<Released>, String> {
    match std::fs::read_to_string(lab.join(FILE)) {
        Ok(text) => toml::from_str(&text).map(Some).map_err(|error| error.message().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// The hash of the files of a suite, by their names, whatever the order in which they are found.
fn suite_hash(lab: &Utf8Path) -> std::io::Result<String> {
    let mut hash = PartsHash::default();
    let suite = lab.join("checks");
    let is_suite = |entry: &walkdir::DirEntry| {
        entry.depth() != 1 || entry.file_name().to_str().is_none_or(|name| !NOT_THE_SUITE.contains(&name))
    };
    for entry in WalkDir::new(&suite).sort_by_file_name().into_iter().filter_entry(is_suite) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(&suite).unwrap_or(entry.path());
            hash.add(name.to_string_lossy().as_bytes());
            hash.add(std::fs::read(entry.path())?);
        }
    }
    Ok(hash.finish())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use lab_runner::manifest::Manifest;

    use super::*;

    /// A lab with one check, of `version`.
    fn lab(keep: &tempfile::TempDir, version: u32) -> Lab {
        let folder = Utf8PathBuf::try_from(keep.path().to_owned()).unwrap();
        fs::create_dir_all(folder.join("checks/src")).unwrap();
        let text = format!(
            "format_version = 1\nid = \"tiny-1\"\nslug = \"x\"\ntitle = \"X\"\nsummary = \"x\"\nversion = {version}\n\
             roadmap = [1]\neditable = [\"src\"]\n[server]\nreadiness = {{ path = \"/\" }}\n"
        );
        let manifest = Manifest::parse(&text, Utf8Path::new("lab.toml")).unwrap();
        Lab { folder, manifest }
    }

    fn told(lab: &Lab) -> Vec<String> {
        problems(lab).into_iter().map(|problem| format!("{}: {}", problem.place, problem.message)).collect()
    }

    #[test]
    fn a_suite_that_learners_have_is_changed_under_a_new_version_only() {
        let keep = tempfile::tempdir().unwrap();
        let first = lab(&keep, 1);
        let check = first.folder.join("checks/src/main.rs");
        fs::write(&check, "a").unwrap();
        assert!(told(&first).is_empty());
        assert!(record(&first).unwrap().is_some());
        assert!(told(&first).is_empty());
        assert_eq!(record(&first).unwrap(), None);
        // What an audit counts is no part of it.
        fs::write(first.folder.join("checks/expectations.toml"), "x").unwrap();
        assert!(told(&first).is_empty());

        fs::write(&check, "b").unwrap();
        assert!(told(&first)[0].starts_with("checks: the suite has changed since learners were given version 1"));
        let refused = refuse_unfit(std::slice::from_ref(&first)).unwrap_err();
        assert!(
            matches!(refused, Error::Usage { ref hints, .. } if hints[0].starts_with("tiny-1 checks: ")),
            "{refused:?}"
        );

        let second = lab(&keep, 2);
        assert_eq!(told(&second), ["CHANGELOG.md: it has no heading `## Version 2`, and lab.toml says that version"]);
        fs::write(second.folder.join(CHANGELOG), "# Changes\n\n## Version 21\n").unwrap();
        assert_eq!(told(&second).len(), 1);
        fs::write(second.folder.join(CHANGELOG), "# Changes\n\n## Version 2, in spring\n").unwrap();
        assert!(told(&second).is_empty());
        record(&second).unwrap();
        assert_eq!(told(&first), ["lab.toml: it says version 1, and learners have version 2 already"]);
    }

    #[test]
    fn a_record_that_cannot_be_read_is_told() {
        let keep = tempfile::tempdir().unwrap();
        let lab = lab(&keep, 1);
        fs::write(lab.folder.join(FILE), "version = 1\n").unwrap();
        assert!(told(&lab)[0].starts_with("checks/released.toml: missing field `suite_sha256`"), "{:?}", told(&lab));
    }
}
