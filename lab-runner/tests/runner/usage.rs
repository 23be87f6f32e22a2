//! What is typed wrong, or stands wrong in a file, is told with the nearest right thing.

use std::fs;

use crate::assert_golden;
use crate::sandbox::{Ran, check, command_in, lab, workspace, write_workspace};

#[test]
fn for_an_unknown_lab_the_labs_are_named() {
    let ran = lab(&["check", "tini-1"]);
    assert_eq!(ran.code, Some(2));
    assert_golden!(ran.golden());
}

#[test]
fn for_an_unknown_check_the_nearest_is_suggested() {
    let ran = lab(&["check", "tiny-1", "greet", "--solution"]);
    assert_eq!(ran.code, Some(2));
    assert_golden!(ran.golden());
}

#[test]
fn for_an_unknown_option_the_nearest_is_suggested() {
    let ran = lab(&["check", "tiny-1", "--solutoin"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--solution"), "{}", ran.stderr);
}

#[test]
fn a_folder_without_a_submission_is_refused() {
    let ran = check("README.md", &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.golden());
    let ran = lab(&["check", "tiny-1", "--submission", "/no/such/folder"]);
    assert_eq!(ran.code, Some(2), "{}", ran.golden());
}

#[test]
fn without_a_workspace_there_is_nothing_to_do() {
    let elsewhere = tempfile::tempdir().unwrap();
    let ran = Ran::of(command_in(elsewhere.path(), &["check", "tiny-1"]).output().unwrap());
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("no Backend Labs workspace"), "{}", ran.stderr);
}

#[test]
fn a_check_that_is_named_runs_with_what_it_needs_and_no_more() {
    let ran = lab(&["check", "tiny-1", "echoes", "--solution", "--format", "json"]);
    let result = ran.json();
    let ids: Vec<_> = result["checks"].as_array().unwrap().iter().map(|check| check["id"].clone()).collect();
    assert_eq!(ids, ["greets", "echoes"]);
    assert_eq!((&result["score"], &result["partial"]), (&80.into(), &true.into()));
}

#[test]
fn a_lab_is_known_by_its_folder() {
    let folder = workspace().join("labs/tiny-1-greeter/src");
    let ran = Ran::of(command_in(&folder, &["check", "--solution", "--quiet"]).output().unwrap());
    assert_eq!(ran.stdout, "tiny-1 100/100\n", "{}", ran.stderr);
}

#[test]
fn a_broken_manifest_of_another_lab_is_a_warning() {
    let keep = tempfile::tempdir().unwrap();
    let root = keep.path().canonicalize().unwrap();
    write_workspace(&root, "0.1.0");
    let broken = root.join("labs/tiny-2-broken");
    fs::create_dir_all(&broken).unwrap();
    let good = fs::read_to_string(root.join("labs/tiny-1-greeter/lab.toml")).unwrap();
    fs::write(broken.join("lab.toml"), good.replace("editable", "editabel")).unwrap();
    let ran = Ran::of(command_in(&root, &[]).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stdout.contains("tiny-1"), "{}", ran.golden());
    assert!(ran.stderr.contains("labs/tiny-2-broken/lab.toml:7: unknown field `editabel`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean `editable`?"), "{}", ran.stderr);
    // Asked for by name it is an error.
    let ran = Ran::of(command_in(&root, &["check", "tiny-2"]).output().unwrap());
    assert_eq!(ran.code, Some(2), "{}", ran.golden());
    assert!(ran.stderr.contains("unknown field `editabel`"), "{}", ran.stderr);
}
