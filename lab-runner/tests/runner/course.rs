//! `cargo lab new-course`: a course in a repository of its own, which has the grader from this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Ran, command, folder};

/// A course of its own for the test `name`, as it is written.
fn course(name: &str, more: &[&str]) -> (PathBuf, Ran) {
    let root = folder().join("courses").join(name);
    let _ = fs::remove_dir_all(&root);
    let arguments = [&["new-course", root.to_str().unwrap()], more].concat();
    let ran = Ran::of(command(&arguments).output().unwrap());
    (root, ran)
}

/// `cargo lab` as an instructor starts it, by the course's own alias and without the network.
fn cargo_lab(course: &Path, below: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if (text.starts_with("CARGO_") && text != "CARGO_HOME") || text.starts_with("LAB_") {
            command.env_remove(&name);
        }
    }
    command
        .arg("lab")
        .args(arguments)
        .current_dir(course.join(below))
        // Kept for the next run of the test: the grader is compiled once more for it.
        .env("CARGO_TARGET_DIR", folder().join("course-target"))
        .env("XDG_STATE_HOME", folder().join("courses/state"))
        .env("CARGO_NET_OFFLINE", "true");
    Ran::of(command.output().unwrap())
}

fn git(course: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=I", "-c", "user.email=i@localhost"]).args(arguments).current_dir(course);
    let output = git.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_course_is_a_repository_with_its_title_and_without_a_file_of_the_grader() {
    let (root, ran) = course("titled", &["--title", "Backends, \"well\" done"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stdout.contains("cargo lab new lab-01"), "{}", ran.golden());
    assert_eq!(git(&root, &["status", "--porcelain"]), "");
    let files = git(&root, &["ls-files"]);
    assert!(!files.contains(".rs") && !files.contains("lab-runner"), "{files}");
    let text = fs::read_to_string(root.join("labs/course.toml")).unwrap();
    assert_eq!(toml::from_str::<toml::Table>(&text).unwrap()["title"].as_str(), Some("Backends, \"well\" done"));

    let (_, again) = (&root, Ran::of(command(&["new-course", root.to_str().unwrap()]).output().unwrap()));
    assert!(again.code == Some(2) && again.stderr.contains("is there already"), "{}", again.golden());
}

#[test]
#[ignore = "grades or builds for a minute; .ci/run asks it in a step of its own"]
fn a_course_elsewhere_gets_a_lab_proves_it_and_hands_it_out() {
    let (root, ran) = course("own", &["--title", "Backends at Night"]);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    let passed = |below: &str, arguments: &[&str]| {
        let ran = cargo_lab(&root, below, arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.golden());
        ran.stdout
    };
    assert!(passed("", &[]).contains("Backends at Night"));
    passed("", &["new", "week-01", "--slug", "links"]);
    let quiet = passed("", &["check", "week-01", "--solution", "--quiet"]);
    assert_eq!(quiet.trim(), "week-01 100/100");
    // Below the root the launcher is started by its name.
    let starter = cargo_lab(&root, "labs/week-01-links", &["check", "--quiet"]);
    assert_eq!(starter.code, Some(1), "{}", starter.golden());
    passed("labs", &["audit", "week-01", "--mutants", "counts-spaces", "--repeat", "1"]);

    let manifest = root.join("labs/course.toml");
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + "\nlanguages = [\"Rust\"]\n").unwrap();
    assert!(passed("", &[]).contains("submissions in Rust"));
    let refused = cargo_lab(&root, "", &["check", "week-01", "--url", "http://127.0.0.1:9"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("takes submissions in Rust"), "{}", refused.golden());
    assert_eq!(passed("", &["check", "week-01", "--solution", "--quiet"]).trim(), "week-01 100/100");

    git(&root, &["add", "--all"]);
    git(&root, &["commit", "--quiet", "--message", "Add the first lab"]);
    let kit = folder().join("courses/kit");
    let _ = fs::remove_dir_all(&kit);
    passed("", &["export", "kit", kit.to_str().unwrap()]);
    let readme = fs::read_to_string(kit.join("README.md")).unwrap();
    assert!(readme.contains("# Backends at Night") && readme.contains("labs/week-01-links/README.md"), "{readme}");
    assert!(kit.join("docs/learner.md").is_file() && !kit.join("labs/week-01-links/checks").exists());
    assert_eq!(git(&root, &["status", "--porcelain"]), "", "what commands write is ignored or committed");
}
