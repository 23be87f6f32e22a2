//! Which suite a command will ask for, guessed before the runner exists to say it. A wrong guess compiles a suite too
//! early or too late, and no more.

use std::fs;
use std::path::Path;

/// The commands that need a suite.
const WITH_SUITE: [&str; 2] = ["check", "hint"];

/// The suite that `cargo lab` with these arguments needs in the workspace at `root`, if that is plain.
pub(crate) fn wanted(root: &Path, arguments: impl Iterator<Item = String>) -> Option<String> {
    let words: Vec<String> = arguments.filter(|word| !word.starts_with('-')).collect();
    let (command, words) = words.split_first()?;
    if !WITH_SUITE.contains(&command.as_str()) {
        return None;
    }
    let labs = labs(root);
    let named = words.iter().find_map(|word| only(&labs, |lab| is_called(lab, word)));
    let here = || {
        let current = std::env::current_dir().ok()?;
        only(&labs, |lab| current.starts_with(root.join("labs").join(lab)))
    };
    Some(format!("{}-checks", named.or_else(here)?))
}

/// The folders of labs that have a suite's sources.
fn labs(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root.join("labs")) else { return Vec::new() };
    let has_suite = |entry: &fs::DirEntry| entry.path().join("checks/Cargo.toml").is_file();
    entries.flatten().filter(has_suite).filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The one of `labs` for which `holds`, if it is one.
fn only(labs: &[String], holds: impl Fn(&str) -> bool) -> Option<&String> {
    let mut found = labs.iter().filter(|lab| holds(lab));
    found.next().filter(|_| found.next().is_none())
}

/// Whether `word` may mean the lab in the folder `lab`: the begin of its name, a part of it, or its number. A task may
/// follow behind a point.
fn is_called(lab: &str, word: &str) -> bool {
    let name = word.split('.').next().unwrap_or_default();
    let number = |text: &str| text.parse::<u32>().ok();
    let same = |part: &str| part == name || (number(part).is_some() && number(part) == number(name));
    !name.is_empty() && (lab.starts_with(name) || lab.split('-').any(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace whose labs have these folders.
    fn workspace(name: &str, labs: &[&str]) -> std::path::PathBuf {
        let root = std::env::temp_dir().join(format!("lab-launcher-suite-{name}-{}", std::process::id()));
        for lab in labs {
            let checks = root.join("labs").join(lab).join("checks");
            fs::create_dir_all(&checks).unwrap();
            fs::write(checks.join("Cargo.toml"), "").unwrap();
        }
        root
    }

    #[test]
    fn a_suite_is_known_by_what_a_user_calls_its_lab() {
        let root = workspace("names", &["lab-01-http-basics", "lab-02-database", "lab-11-debug"]);
        let wanted = |words: &str| wanted(&root, words.split(' ').map(str::to_owned));
        for words in ["check lab-02", "check lab-02-database.3 pool", "check 2", "hint database", "check --jobs 9 02"] {
            assert_eq!(wanted(words).as_deref(), Some("lab-02-database-checks"), "{words}");
        }
        for words in ["check", "check lab", "check 3", "run lab-02", "audit 2", "doctor"] {
            assert_eq!(wanted(words), None, "{words}");
        }
        fs::remove_dir_all(root).unwrap();
    }
}
