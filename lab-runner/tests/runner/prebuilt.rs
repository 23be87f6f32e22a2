//! A suite that comes as a program, in place of a package: as in a learner kit.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
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

/// The tests' workspace with `script` in the place of the suite.
fn workspace_with_suite(root: &Path, version: &str, script: &str) {
    write_workspace(root, version);
    let folder = root.join("labs/tiny-1-greeter");
    fs::remove_dir_all(folder.join("checks")).unwrap();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap().replace(", \"labs/*-[0-9]*/checks\"", "");
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("suite"), script).unwrap();
    fs::set_permissions(folder.join("suite"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_suite_that_speaks_another_version_of_the_protocol_is_refused() {
    for (answer, spoken) in [(r#"{"protocol":99,"checks":[{"other":1}]}"#, 99), ("[]", 0)] {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        workspace_with_suite(&root, "0.1.42", &format!("#!/bin/sh\necho '{answer}'\n"));
        let ran = Ran::of(command_in(&root, &["check", "tiny-1", "--solution"]).output().unwrap());
        let told = format!("it speaks version {spoken} of the protocol, and the runner 1");
        assert!(ran.code == Some(2) && ran.stderr.contains(&told), "{}", ran.golden());
    }
}

/// A suite that says once that it is at work, and then nothing more, without having ended or been stopped: all of its threads
/// wait for something that does not come.
const SILENT: &str = r#"#!/bin/sh
if [ "$1" = list ]; then
  echo '{"protocol":1,"checks":[{"id":"greets","title":"greets","task":1,"points":1,"needs":[],"why":"","source":"","hints":[],"held_out":false,"alone":false}]}'
  exit
fi
read -r config
nonce=$(printf %s "$config" | sed 's/.*"nonce":"\([0-9a-f]*\)".*/\1/')
at=$(printf %s "$config" | sed 's/.*"sent_at":\({[^}]*}\).*/\1/')
echo "{\"nonce\":\"$nonce\",\"at\":$at,\"check\":null,\"event\":\"alive\"}" >&0
exec sleep 86397
"#;

/// It used to hold the runner until the time of all checks together was over: up to 88 minutes.
#[test]
#[ignore = "waits for a minute; the nightly workflow runs it, and the watchdog has tests of its own"]
fn a_suite_that_falls_silent_is_stopped_after_a_minute_and_costs_no_points() {
    let keep = tempfile::tempdir().unwrap();
    let root = keep.path().canonicalize().unwrap();
    workspace_with_suite(&root, "0.1.41", SILENT);
    let began = Instant::now();
    let ran = Ran::of(command_in(&root, &["check", "tiny-1", "--solution"]).output().unwrap());
    assert!(began.elapsed() < Duration::from_secs(180), "{:?}", began.elapsed());
    assert_eq!(ran.code, Some(4), "{}", ran.golden());
    assert!(ran.golden().contains("the suite has said nothing for 60 s and was stopped"), "{}", ran.golden());
    assert!(!ran.stdout.contains("of 1 points") && !ran.stdout.contains("of 100 points"), "{}", ran.golden());
    assert_eq!(crate::interrupts::processes_with("86397"), Vec::<String>::new());
}

fn sha256(path: &Path) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(fs::read(path).unwrap()))
}
