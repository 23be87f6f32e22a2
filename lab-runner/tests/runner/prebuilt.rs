//! A suite that comes as a program, in place of a package: as in a learner kit.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::sandbox::{RUNNER, Ran, command_in, lab, write_workspace};

/// Copies the tests' own suite, which another test may just be building anew, to `to`.
pub fn copy_suite(to: &Path) {
    assert_eq!(lab(&["check", "tiny-1", "--solution", "--quiet"]).code, Some(0), "the suite is built");
    let from = Path::new(RUNNER).with_file_name("tiny-1-greeter-checks");
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Err(error) = fs::copy(&from, to) {
        assert!(Instant::now() < deadline, "no suite to copy: {error}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_suite_that_comes_as_a_program_is_run_as_it_is() {
    let keep = tempfile::tempdir().unwrap();
    let root = keep.path().canonicalize().unwrap();
    write_workspace(&root, "0.1.7");
    let folder = root.join("labs/tiny-1-greeter");
    fs::remove_dir_all(folder.join("checks")).unwrap();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap().replace(", \"labs/*-[0-9]*/checks\"", "");
    fs::write(root.join("Cargo.toml"), manifest).unwrap();

    let without = Ran::of(command_in(&root, &["check", "tiny-1", "--solution"]).output().unwrap());
    assert_eq!(without.code, Some(70), "there is no suite at all: {}", without.golden());

    copy_suite(&folder.join("suite"));
    let output = command_in(&root, &["check", "tiny-1", "--solution", "--format", "json"]).output().unwrap();
    let ran = Ran::of(output);
    let result: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.golden()));
    assert_eq!((&result["score"], &result["outcome"]), (&100.into(), &"graded".into()));
    assert_eq!(result["suite"]["sha256"], sha256(&folder.join("suite")));
    let unknown = Ran::of(command_in(&root, &["check", "tiny-1", "greet", "--solution"]).output().unwrap());
    assert!(unknown.code == Some(2) && unknown.stderr.contains("`greets`"), "{}", unknown.golden());
}

fn sha256(path: &Path) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(fs::read(path).unwrap()))
}
