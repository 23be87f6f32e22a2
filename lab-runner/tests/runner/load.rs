//! A busy machine, one that stood still, and files of ours that vanish cost no learner a point.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Ran, command};

/// A server that answers as the solution does, but for `in_echo`, Rust that runs before an echo.
fn submission(in_echo: &str) -> tempfile::TempDir {
    let keep = tempfile::tempdir().unwrap();
    fs::create_dir(keep.path().join("src")).unwrap();
    let solution = crate::sandbox::workspace().join("labs/tiny-1-greeter/solution/src/main.rs");
    let text = fs::read_to_string(solution).unwrap();
    let hook = format!("Some(word) => {{ {in_echo} (\"200 OK\", word.to_owned()) }}");
    let changed = text.replace("Some(word) => (\"200 OK\", word.to_owned())", &hook);
    assert_ne!(changed, text);
    fs::write(keep.path().join("src/main.rs"), changed).unwrap();
    keep
}

fn check(folder: &Path) -> Command {
    let folder = folder.to_str().unwrap();
    command(&["check", "tiny-1", "--submission", folder, "--format", "json", "--time-limit", "2"])
}

/// Rust for a server that does `what` once in its life, and marks it with a file.
fn once(mark: &Path, what: &str) -> String {
    format!("if std::fs::File::create_new({mark:?}).is_ok() {{ {what} }}")
}

#[test]
fn a_check_that_fails_by_time_once_is_asked_again_and_passes() {
    let marks = tempfile::tempdir().unwrap();
    let late = once(&marks.path().join("late"), "std::thread::sleep(std::time::Duration::from_secs(600));");
    let folder = submission(&late);
    let ran = Ran::of(check(folder.path()).output().unwrap());
    let result = ran.json();
    assert_eq!((&result["score"], ran.code), (&100.into(), Some(0)), "{}", ran.stdout);
    let why = result["checks"][1]["asked_again"].as_str().unwrap_or_default();
    assert!(why.contains("; the first time: not finished within 2 s"), "{why}");
    assert!(result["checks"][0].get("asked_again").is_none(), "{}", ran.stdout);
}

#[test]
fn a_check_that_fails_without_a_clock_is_believed_at_once() {
    let marks = tempfile::tempdir().unwrap();
    let wrong = once(
        &marks.path().join("wrong"),
        "return write!(stream, \"HTTP/1.1 500 No\\r\\nContent-Length: 0\\r\\n\\r\\n\");",
    );
    let folder = submission(&wrong);
    let ran = Ran::of(check(folder.path()).output().unwrap());
    assert_eq!(ran.json()["score"], 60, "{}", ran.stdout);
    assert!(ran.json()["checks"][1].get("asked_again").is_none(), "{}", ran.stdout);
}

/// The processes below `process`, itself first.
fn family(process: u32) -> Vec<u32> {
    let parent = |process: u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let all = || fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut found = vec![process];
    let mut next = 0;
    while let Some(of) = found.get(next).copied() {
        found.extend(all().filter(|process: &u32| parent(*process) == Some(of)));
        next += 1;
    }
    found
}

#[test]
fn a_run_that_stood_still_for_seconds_costs_nothing() {
    let marks = tempfile::tempdir().unwrap();
    let mark = marks.path().join("echoing");
    let slow = once(&mark, "std::thread::sleep(std::time::Duration::from_secs(1));");
    let folder = submission(&slow);
    let runner = check(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while !mark.exists() {
        assert!(Instant::now() < deadline, "no echo is asked for");
        std::thread::sleep(Duration::from_millis(5));
    }
    let family = family(runner.id());
    let all = |signal: Signal| {
        for process in &family {
            let _ = kill_process(Pid::from_raw(i32::try_from(*process).unwrap()).unwrap(), signal);
        }
    };
    all(Signal::STOP);
    std::thread::sleep(Duration::from_secs(4));
    all(Signal::CONT);
    let ran = Ran::of(runner.wait_with_output().unwrap());
    assert_eq!((&ran.json()["score"], ran.code), (&100.into(), Some(0)), "{}", ran.stdout);
}

#[test]
fn what_vanishes_of_ours_is_put_back_and_costs_nothing_unless_the_server_removes_it_every_time() {
    // The program, its folder and the suite's own go, as in `cargo clean`, and a check fails meanwhile.
    let remove = "let own = std::env::current_exe().unwrap();\n\
                  std::fs::remove_dir_all(own.parent().unwrap().parent().unwrap()).unwrap();\n\
                  std::process::exit(1);";
    let marks = tempfile::tempdir().unwrap();
    let folder = submission(&once(&marks.path().join("removed"), remove));
    let ran = Ran::of(check(folder.path()).args(["--jobs", "1"]).output().unwrap());
    assert_eq!((&ran.json()["score"], ran.code), (&100.into(), Some(0)), "{}", ran.stdout);
    let again = ran.json()["checks"].to_string();
    assert!(again.contains("was removed meanwhile, and was put back"), "{again}");

    let folder = submission(remove);
    let ran = Ran::of(check(folder.path()).args(["--jobs", "1"]).output().unwrap());
    assert_eq!((ran.json()["outcome"].as_str(), ran.code), (Some("graded"), Some(1)), "{}", ran.stdout);
    assert_eq!(ran.json()["score"], 60, "{}", ran.stdout);
}

#[test]
fn a_server_that_stops_the_suite_has_not_escaped_its_grade() {
    // Whatever tells the suite to go on, it is stopped again for two seconds, and then gets a wrong answer.
    let stop = "let suite = std::os::unix::process::parent_id().to_string();\n\
                for _ in 0..20 {\n\
                    std::process::Command::new(\"kill\").args([\"-STOP\", &suite]).status().unwrap();\n\
                    std::thread::sleep(std::time::Duration::from_millis(100));\n\
                }\n\
                return write!(stream, \"HTTP/1.1 500 No\\r\\nContent-Length: 0\\r\\n\\r\\n\");";
    let folder = submission(stop);
    let ran = Ran::of(check(folder.path()).args(["--jobs", "1"]).output().unwrap());
    assert_eq!((ran.json()["outcome"].as_str(), ran.code), (Some("graded"), Some(1)), "{}", ran.stdout);
    assert_eq!(ran.json()["score"], 60, "{}", ran.stdout);
}
