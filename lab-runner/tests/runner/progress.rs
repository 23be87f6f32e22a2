//! What a learner's own runs add up to: progress, hints, what is asked next, and the map.

use std::fs;
use std::path::{Path, PathBuf};

use crate::assert_golden;
use crate::sandbox::{Ran, command_in, write_workspace};

/// A workspace whose working tree is the sample submission `name`, with a state of its own.
struct Learner {
    root: PathBuf,
    state: PathBuf,
    _keep: tempfile::TempDir,
}

impl Learner {
    fn with(name: &str) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        write_workspace(&root, "0.1.6");
        let learner = Self { state: root.join("lab"), root, _keep: keep };
        learner.writes(&crate::sandbox::submission(name).join("src/main.rs"));
        learner
    }

    fn writes(&self, program: &Path) {
        fs::copy(program, self.root.join("labs/tiny-1-greeter/src/main.rs")).unwrap();
    }

    fn solves(&self) {
        self.writes(&self.root.join("labs/tiny-1-greeter/solution/src/main.rs"));
    }

    fn lab(&self, arguments: &[&str]) -> Ran {
        let mut command = command_in(&self.root, arguments);
        command.env("LAB_FOLDER", &self.state);
        Ran::of(command.output().unwrap())
    }
}

#[test]
fn a_learner_is_led_from_the_first_failure_to_the_end() {
    let learner = Learner::with("half-done");
    // Of a tree that was never graded everything is asked, then no more than the task at hand.
    let first = learner.lab(&["check", "tiny-1", "--next-task"]);
    assert_eq!(first.code, Some(1), "{}", first.golden());
    assert_golden!("a_first_failure_on_one_screen", first.golden());
    let map = learner.lab(&[]);
    assert!(map.stdout.contains("60"), "{}", map.golden());
    assert!(map.stdout.contains("task 2 of tiny-1: GET /echo/{word} gives the word back"), "{}", map.golden());
    assert!(map.stdout.lines().all(|line| line.chars().count() <= 80), "{}", map.golden());

    // `echoes` has one hint, and it is the last.
    let hint = learner.lab(&["hint"]);
    assert_eq!(hint.code, Some(0), "{}", hint.golden());
    assert!(hint.stdout.contains("hint 1 of 1 The word is what follows /echo/."), "{}", hint.golden());
    let hint = learner.lab(&["hint", "tiny-1", "greets"]);
    assert!(hint.stdout.contains("hint 1 of 2") && hint.stdout.contains("more: cargo lab hint"), "{}", hint.golden());
    let hint = learner.lab(&["hint", "tiny-1", "greets"]);
    assert!(hint.stdout.contains("hint 2 of 2 Read the variable GREETING."), "{}", hint.golden());
    let unknown = learner.lab(&["hint", "tiny-1", "greet"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.golden());

    // A named run counts.
    learner.solves();
    let named = learner.lab(&["check", "tiny-1", "echoes"]);
    assert_eq!(named.code, Some(0), "{}", named.golden());
    let map = learner.lab(&[]);
    assert!(map.stdout.contains("████████ 100"), "{}", map.golden());
    let all = learner.lab(&["check", "tiny-1"]);
    assert_golden!("all_passed_on_one_screen", all.golden());

    // Whoever comes back to a lab that has moved on is told, once.
    let lab = learner.root.join("labs/tiny-1-greeter");
    let manifest = fs::read_to_string(lab.join("lab.toml")).unwrap();
    fs::write(lab.join("lab.toml"), manifest.replacen("roadmap", "version = 2\nroadmap", 1)).unwrap();
    fs::write(lab.join("CHANGELOG.md"), "# Changes\n").unwrap();
    let told = learner.lab(&["check", "tiny-1"]);
    assert_eq!(told.code, Some(0), "{}", told.golden());
    let moved = "warning: tiny-1 has changed since you were here last: from version 1 to 2";
    assert!(told.stderr.contains(moved), "{}", told.golden());
    assert!(told.stderr.contains("labs/tiny-1-greeter/CHANGELOG.md says what is new"), "{}", told.golden());
    let again = learner.lab(&["check", "tiny-1"]);
    assert!(!again.stderr.contains("has changed since"), "{}", again.golden());

    // What nobody can read is set aside and told, and nothing else is lost.
    fs::write(learner.state.join("state/lab-tiny-1.json"), "{\"score\": [60").unwrap();
    let map = learner.lab(&[]);
    assert_eq!(map.code, Some(0), "{}", map.golden());
    assert!(map.stderr.contains("was set aside: lab/state/lab-tiny-1.json.broken"), "{}", map.golden());
    assert!(learner.state.join("state/lab-tiny-1.json.broken").exists());
    assert!(!learner.lab(&[]).stderr.contains("set aside"));
}

#[test]
fn cargo_clean_takes_no_progress_away() {
    let learner = Learner::with("half-done");
    let target = learner.root.join("target");
    let lab = |home: &Path, arguments: &[&str]| {
        let mut command = command_in(&learner.root, arguments);
        command.env_remove("LAB_FOLDER").env("XDG_STATE_HOME", home);
        command.env("CARGO_TARGET_DIR", &target).env("CARGO_BUILD_BUILD_DIR", crate::sandbox::target());
        Ran::of(command.output().unwrap())
    };
    // What an earlier version kept in the target folder is carried over.
    fs::create_dir_all(target.join("lab/state")).unwrap();
    fs::write(target.join("lab/state/lab-tiny-1.json"), r#"{"score": [60, 100]}"#).unwrap();
    let home = learner.root.join("home");
    assert!(lab(&home, &[]).stdout.contains("60"));
    fs::remove_dir_all(&target).unwrap();
    let map = lab(&home, &[]);
    assert!(map.stdout.contains("60") && map.stderr.is_empty(), "{}", map.golden());

    // Where nobody can write, the target folder has to do, and it is told once.
    let closed = learner.root.join("closed");
    fs::write(&closed, "").unwrap();
    let told =
        |ran: &Ran| ran.stderr.contains("warning: your progress is kept in target/lab/state, where `cargo clean`");
    let map = lab(&closed, &[]);
    assert_eq!(map.code, Some(0), "{}", map.golden());
    assert!(told(&map), "{}", map.golden());
    assert!(!told(&lab(&closed, &[])));
}

#[test]
fn one_task_is_asked_by_its_number() {
    for arguments in [&["check", "tiny-1.1", "--solution"][..], &["check", "tiny-1", "--task", "1", "--solution"]] {
        let ran = crate::sandbox::lab(&[arguments, &["--format", "json"]].concat());
        let result = ran.json();
        let ids: Vec<_> = result["checks"].as_array().unwrap().iter().map(|check| check["id"].clone()).collect();
        assert_eq!(ids, ["greets"]);
        assert_eq!(result["partial"], true);
    }
    let ran = crate::sandbox::lab(&["check", "tiny-1.7", "--solution"]);
    assert_eq!(ran.code, Some(2), "{}", ran.golden());
    assert!(ran.stderr.contains("tiny-1 has no task 7") && ran.stderr.contains("1 to 2"), "{}", ran.stderr);
}

#[test]
fn a_case_with_a_hint_of_its_own_shows_it_before_those_of_the_check() {
    let learner = Learner::with("half-done");
    let ran = learner.lab(&["check", "tiny-1", "echoes"]);
    assert!(ran.stdout.contains("hint 1/1   The word is what follows /echo/."), "{}", ran.golden());
    // As often as it takes for another hint, if these were one case.
    let program = learner.root.join("labs/tiny-1-greeter/src/main.rs");
    let echoes_nothing = fs::read_to_string(&program).unwrap().replace("200 OK\\r\\n", "{status}\\r\\n").replace(
        "let _ = write!",
        "let status = if body == \"hello\" { \"200 OK\" } else { \"404 Not Found\" };\n        let _ = write!",
    );
    fs::write(&program, echoes_nothing).unwrap();
    for _ in 0..2 {
        let ran = learner.lab(&["check", "tiny-1", "echoes"]);
        assert!(
            ran.stdout.contains("hint 1/2   Is there a route for every word, or only for one?"),
            "{}",
            ran.golden()
        );
    }
    let hint = learner.lab(&["hint"]);
    let own = "hint 1 of 2 Is there a route for every word, or only for one?";
    assert!(hint.stdout.contains(own), "{}", hint.golden());
    assert!(hint.stdout.contains("hint 2 of 2 The word is what follows /echo/."), "{}", hint.golden());
}

#[test]
fn behind_the_first_unfinished_task_nothing_is_asked_and_hints_come_with_every_third_failure() {
    let learner = Learner::with("half-done");
    learner.writes(&crate::sandbox::repository().join("lab-runner/tests/workspace/labs/tiny-1-greeter/src/main.rs"));
    let first = learner.lab(&["check", "tiny-1", "--next-task"]);
    assert!(!first.stdout.contains("not yet"), "a tree that was never graded is asked everything: {}", first.golden());
    for failures in 2..=4 {
        let ran = learner.lab(&["check", "tiny-1", "--next-task"]);
        assert_eq!(ran.code, Some(1), "{}", ran.golden());
        assert!(ran.stdout.contains("2 echo and survive not yet"), "{}", ran.golden());
        let hint = if failures <= 3 { "hint 1/2" } else { "hint 2/2" };
        assert!(ran.stdout.contains(hint), "after {failures} failures: {}", ran.golden());
    }
    // Then the next task is asked.
    learner.writes(&crate::sandbox::submission("half-done").join("src/main.rs"));
    let done = learner.lab(&["check", "tiny-1", "--next-task"]);
    assert!(done.code == Some(0) && done.stdout.contains("task 2: echo and survive"), "{}", done.golden());
    let second = learner.lab(&["check", "tiny-1", "--next-task"]);
    assert!(second.stdout.contains("✓ 1 greet") && second.stdout.contains("✗ echoes"), "{}", second.golden());
}
