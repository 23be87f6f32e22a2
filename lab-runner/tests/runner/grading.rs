//! `cargo lab grade`: many submissions in a row.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::sandbox::{Ran, command, copy, folder, lab, submission};

/// An empty folder for the test `name`, and in it the folder of its submissions.
fn place(name: &str) -> (PathBuf, PathBuf) {
    let place = folder().join("grading").join(name);
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(place.join("submissions")).unwrap();
    (place.clone(), place.join("submissions"))
}

fn arguments<'a>(submissions: &'a Path, out: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let (submissions, out) = (submissions.to_str().unwrap(), out.to_str().unwrap());
    let first = ["grade", submissions, "--lab", "tiny-1", "--isolation", "none", "--report", out, "--seed", "7"];
    [&first, more].concat()
}

fn grade(submissions: &Path, out: &Path, more: &[&str]) -> Ran {
    lab(&arguments(submissions, out, more))
}

fn archive(from: &Path, to: &Path) {
    let status = Command::new("tar").args(["-czf"]).arg(to).arg("-C").arg(from).arg(".").status().unwrap();
    assert!(status.success());
}

#[test]
fn a_folder_of_submissions_becomes_a_gradebook() {
    let (place, submissions) = place("gradebook");
    copy(&submission("half-done"), &submissions.join("ada"));
    copy(&submission("half-done"), &submissions.join("twin"));
    copy(&submission("not-compiling"), &submissions.join("=1+1"));
    archive(&submission("exits-at-once"), &submissions.join("bob.tar.gz"));
    let out = place.join("out");
    let ran = grade(&submissions, &out, &[]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let table = std::fs::read_to_string(out.join("gradebook.csv")).unwrap();
    let rows: Vec<String> = table.lines().map(|row| row.split(',').take(4).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(
        rows,
        [
            "submission,score,max_score,outcome",
            "'=1+1,0,100,build_failed",
            "ada,60,100,graded",
            "bob,0,100,start_failed",
            "twin,60,100,graded"
        ]
    );
    let grades: Value = serde_json::from_str(&std::fs::read_to_string(out.join("grades.json")).unwrap()).unwrap();
    assert_eq!(grades["submissions"][3]["standing"]["folder"], "ada", "{grades}");
    assert_eq!(grades["checks"][0]["failed"], 2);
    let result = std::fs::read_to_string(out.join("submissions/ada/result.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&result).unwrap()["score"], 60);
    assert!(out.join("submissions/bob/junit.xml").is_file());
    assert!(ran.stdout.contains("4 submissions"), "{}", ran.stdout);
    assert!(ran.stderr.contains("4/4"), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_graded() {
    let (place, submissions) = place("unreadable");
    copy(&submission("half-done"), &submissions.join("ada"));
    std::fs::create_dir(submissions.join("empty")).unwrap();
    std::fs::write(submissions.join("torn.zip"), "PK").unwrap();
    let ran = grade(&submissions, &place.join("out"), &[]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("60/100"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 without a grade"), "{}", ran.stdout);
    let table = std::fs::read_to_string(place.join("out/gradebook.csv")).unwrap();
    assert!(table.contains("\nempty,,,unreadable,") && table.contains("\ntorn,,,unreadable,"), "{table}");
}

#[test]
fn a_batch_that_was_interrupted_goes_on_where_it_stopped() {
    let (place, submissions) = place("resumed");
    for (name, of) in [("a", "half-done"), ("b", "panics-later"), ("c", "exits-at-once"), ("d", "garbage")] {
        copy(&submission(of), &submissions.join(name));
    }
    let out = place.join("out");
    let mut running =
        command(&arguments(&submissions, &out, &[])).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    for line in BufReader::new(running.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("1/4") {
            kill_process(Pid::from_child(&running), Signal::INT).unwrap();
        }
        told.push_str(&line);
    }
    assert_eq!(running.wait().unwrap().code(), Some(130), "{told}");
    assert!(told.contains("--resume"), "{told}");
    assert!(!out.join("gradebook.csv").exists());

    // Not by mistake over what is there.
    let again = grade(&submissions, &out, &[]);
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("--resume"), "{}", again.stderr);

    let first = std::fs::read_to_string(out.join("submissions/a/result.json")).unwrap();
    let resumed = lab(&["grade", submissions.to_str().unwrap(), "--lab", "tiny-1", "--isolation", "none", "--report"]
        .iter()
        .copied()
        .chain([out.to_str().unwrap(), "--resume", "--format", "json"])
        .collect::<Vec<_>>());
    let grades: Value = serde_json::from_str(&resumed.stdout).unwrap();
    assert_eq!(grades["seed"], 7);
    assert_eq!(grades["submissions"].as_array().unwrap().len(), 4);
    assert_eq!(grades["submissions"][0]["standing"]["how"], "known");
    assert_eq!(std::fs::read_to_string(out.join("submissions/a/result.json")).unwrap(), first);

    // A submission that has changed since is graded again, and only that.
    std::fs::remove_dir_all(submissions.join("b")).unwrap();
    copy(&submission("not-compiling"), &submissions.join("b"));
    let changed = grade(&submissions, &out, &["--resume", "--format", "json"]);
    let grades: Value = serde_json::from_str(&changed.stdout).unwrap();
    let how = |index: usize| grades["submissions"][index]["standing"]["how"].as_str().unwrap().to_owned();
    assert_eq!([how(0), how(1), how(2), how(3)], ["known", "graded", "known", "known"]);
}
