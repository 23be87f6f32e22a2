//! `cargo lab grade` with isolation: what submissions try, all of it in one batch, and what comes of it.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use lab_sandbox::Choice;
use serde_json::Value;

use crate::sandbox::{folder, lab, not_tried, repository, workspace};

/// What the same submission gets without its cheat: it does not echo.
const HONEST: u64 = 60;

/// Those that gain all points where nothing isolates and that do no harm there: what the others are proven by.
const REAL: [&str; 7] = [
    "reads-suite",
    "reads-solution",
    "reads-others",
    "reads-environment",
    "reaches-the-network",
    "remembers-in-a-daemon",
    "assembles-the-suite",
];

fn cheats() -> PathBuf {
    repository().join("fixtures/submissions/cheats")
}

/// The names of all cheats.
fn all() -> Vec<String> {
    let entries = fs::read_dir(cheats()).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Grades the cheats `names` in a batch of their own. Gives the summary, and the score of each.
fn grade(place: &str, names: &[String], isolation: &str) -> (Value, BTreeMap<String, Option<u64>>) {
    let place = folder().join("isolation").join(place);
    let _ = fs::remove_dir_all(&place);
    let (submissions, out) = (place.join("submissions"), place.join("out"));
    for name in names {
        let source = submissions.join(name).join("src");
        fs::create_dir_all(&source).unwrap();
        fs::copy(cheats().join("main.rs"), source.join("main.rs")).unwrap();
        fs::copy(cheats().join(name).join("cheat.rs"), source.join("cheat.rs")).unwrap();
    }
    let (submissions, out) = (submissions.to_str().unwrap(), out.to_str().unwrap());
    let options = ["--lab", "tiny-1", "--isolation", isolation, "--report", out, "--format", "json"];
    let ran = lab(&[&["grade", submissions], &options[..]].concat());
    let grades: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr));
    let graded = grades["submissions"].as_array().unwrap().iter();
    let scores = graded.map(|one| (one["folder"].as_str().unwrap().to_owned(), one["score"].as_u64())).collect();
    (grades, scores)
}

/// What no submission may change: the lab, and what stands beside it.
fn untouched(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(root).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    files.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap())).collect()
}

/// Processes of the lab's programs, which are none when nothing is graded.
fn left_behind() -> Vec<String> {
    let listed = Command::new("ps").args(["-eo", "pid,uid,args"]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let is_cheat = |line: &&str| line.contains("of-a-cheat") || line.contains("of-a-fork-bomb");
    listed.lines().filter(is_cheat).map(str::to_owned).collect()
}

#[test]
fn no_cheat_gains_a_point_in_isolation_and_none_does_harm() {
    if let Err(error) = Choice::Auto.sandbox() {
        return not_tried("isolation", &error.to_string());
    }
    // A neighbour of the grader's on this machine, whom nobody may meet.
    let neighbour = TcpListener::bind("127.0.0.1:0").unwrap();
    neighbour.set_nonblocking(true).unwrap();
    // Cargo.lock beside it is cargo's to bring up to date.
    let labs = workspace().join("labs");
    let before = untouched(&labs);
    let (grades, scores) = grade("isolated", &all(), "auto");
    assert_eq!(grades["isolation"], "bubblewrap");
    assert_eq!(scores["none"], Some(HONEST), "{grades}");
    for (name, score) in &scores {
        // One that is not graded at all has found a way to have no grade.
        assert!(score.is_some_and(|score| score <= HONEST), "{name}: {score:?}\n{grades}");
    }
    assert!(neighbour.accept().is_err(), "a submission has reached a neighbour");
    let after = untouched(&labs);
    assert!(before == after, "a submission has changed the lab: {:?}", changed(&before, &after));
    assert_eq!(left_behind(), Vec::<String>::new());
}

fn changed(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<PathBuf> {
    after.iter().filter(|(path, content)| before.get(*path) != Some(content)).map(|(path, _)| path.clone()).collect()
}

/// A cheat that gains nothing anywhere would prove nothing about isolation.
#[test]
fn the_same_cheats_gain_all_points_where_nothing_isolates() {
    if !rustix::process::getuid().is_root() {
        return not_tried("root", "what a submission may read depends on who grades it");
    }
    let (grades, scores) = grade("open", &REAL.map(str::to_owned), "none");
    for (name, score) in &scores {
        assert_eq!(*score, Some(100), "{name}\n{grades}");
    }
}

#[test]
fn isolation_that_is_not_there_is_no_reason_to_go_without() {
    let path = repository().join("fixtures/submissions/half-done");
    let out = folder().join("isolation/refused");
    let arguments = ["grade", path.to_str().unwrap(), "--lab", "tiny-1", "--report", out.to_str().unwrap()];
    let mut command = crate::sandbox::command(&arguments);
    // Cargo and a compiler, and nothing else.
    let cargo = PathBuf::from(env!("CARGO")).parent().unwrap().to_owned();
    let ran = crate::sandbox::Ran::of(command.env("PATH", cargo).output().unwrap());
    assert_eq!(ran.code, Some(4), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("--isolation none") && ran.stderr.contains("bubblewrap"), "{}", ran.stderr);
    assert!(!out.exists());
}
