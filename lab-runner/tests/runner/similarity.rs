//! `cargo lab export jplag`: submissions as JPlag reads them, and nothing else of what nobody has read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Ran, command_in, copy, folder, submission, write_workspace};

const LAB: &str = "labs/tiny-1-greeter";

/// A course of its own for the test `name`, and beside it a folder of submissions.
fn place(name: &str) -> (PathBuf, PathBuf, PathBuf) {
    let place = folder().join("similarity").join(name);
    let _ = fs::remove_dir_all(&place);
    let (course, submissions) = (place.join("course"), place.join("submissions"));
    fs::create_dir_all(&submissions).unwrap();
    fs::create_dir_all(&course).unwrap();
    write_workspace(&course, "0.1.0");
    (course, submissions, place.join("out/similar"))
}

fn export(course: &Path, to: &Path, submissions: &Path) -> Ran {
    let arguments = ["export", "jplag", to.to_str().unwrap(), submissions.to_str().unwrap(), "--lab", "tiny-1"];
    Ran::of(command_in(course, &arguments).env("LAB_FOLDER", course.join("lab")).output().unwrap())
}

/// The files below `folder`, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => found.push(entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

fn tar(from: &Path, to: &Path) {
    let status = Command::new("tar").arg("-czf").arg(to).arg("-C").arg(from).arg(".").status().unwrap();
    assert!(status.success());
}

#[test]
fn submissions_become_a_folder_each_with_the_files_that_are_graded_and_the_starter_stands_beside_them() {
    let (course, submissions, to) = place("laid-out");
    copy(&course.join(LAB).join("src"), &course.join(LAB).join("starter/src"));
    copy(&submission("half-done"), &submissions.join("ada"));
    for (path, text) in [("target/debug/x.rs", ""), ("tests/theirs.rs", ""), ("notes.rs", "")] {
        let path = submissions.join("ada").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    tar(&submission("panics"), &submissions.join("Ada.tar.gz"));
    copy(&submission("half-done").join("src"), &submissions.join("$(id) x/labs/tiny-1-greeter/src"));
    fs::write(submissions.join("torn.zip"), "PK").unwrap();
    fs::create_dir_all(submissions.join("linked")).unwrap();
    std::os::unix::fs::symlink(submission("half-done").join("src"), submissions.join("linked/src")).unwrap();

    let ran = export(&course, &to, &submissions);
    assert_eq!(ran.code, Some(2), "what cannot be read is told: {}", ran.golden());
    for told in ["3 submissions for tiny-1", "torn: ", "linked: none of its files", "-bc base -r similar submissions"] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.golden());
    }
    let names = ["base", "submissions/Ada", "submissions/__id__x", "submissions/ada-2"];
    let expected: Vec<String> = names.iter().map(|place| format!("{place}/src/main.rs")).collect();
    assert_eq!(files(&to), expected);
    let same = |one: PathBuf, other: PathBuf| assert_eq!(fs::read(one).unwrap(), fs::read(other).unwrap());
    same(to.join("base/src/main.rs"), course.join(LAB).join("src/main.rs"));
    same(to.join("submissions/ada-2/src/main.rs"), submission("half-done").join("src/main.rs"));
    same(to.join("submissions/Ada/src/main.rs"), submission("panics").join("src/main.rs"));
    let beside = fs::read_dir(to.parent().unwrap()).unwrap().count();
    assert_eq!(beside, 1, "nothing is written beside it");

    let again = export(&course, &to, &submissions);
    assert!(again.code == Some(2) && again.stderr.contains("is there already"), "{}", again.golden());
}

#[test]
fn without_the_starter_nothing_is_written() {
    let (course, submissions, to) = place("no-starter");
    copy(&submission("half-done"), &submissions.join("ada"));
    let ran = export(&course, &to, &submissions);
    assert!(ran.code == Some(2) && ran.stderr.contains("the starter of tiny-1 is not known"), "{}", ran.golden());
    assert!(!to.exists());
}
