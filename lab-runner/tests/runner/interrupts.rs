//! However a run ends, nothing is left behind.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{command, folder, submission};

/// The processes that have `text` in their command line or their folder's name.
pub fn processes_with(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let own = entry.file_name().to_string_lossy() == std::process::id().to_string();
        let folder = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        if !own && (line.contains(text) || folder.to_string_lossy().contains(text)) {
            found.push(line);
        }
    }
    found
}

/// A run of the submission that hangs, with its own folder, in the middle of a check.
struct Hanging {
    runner: Child,
    folder: PathBuf,
}

impl Hanging {
    fn start(name: &str) -> Self {
        let folder = folder().join(name);
        let path = submission("hangs");
        let arguments = ["check", "tiny-1", "--all", "--submission", path.to_str().unwrap(), "--time-limit", "600"];
        let mut runner = command(&arguments)
            .env("LAB_FOLDER", &folder)
            .env("PGOPTIONS", "-c search_path=nowhere")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // `greets` has passed, so that `echoes` runs and waits.
        let mut lines = BufReader::new(runner.stdout.take().unwrap()).lines();
        let mut said = String::new();
        let seen = lines.by_ref().map_while(Result::ok).any(|line| {
            said.push_str(&line);
            line.contains("pass") && line.contains("greets")
        });
        if !seen {
            let _ = runner.stderr.take().unwrap().read_to_string(&mut said);
            panic!("the run did not get to its first check: {said}");
        }
        std::thread::spawn(move || lines.count());
        Self { runner, folder }
    }

    fn send(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.runner.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    /// The process of the suite: its folder in `/proc`.
    fn suite(&self) -> PathBuf {
        let scratch = self.scratch();
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let is_suite = |process: &PathBuf| {
            let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(scratch.to_str().unwrap()) && line.trim_end().ends_with("-checks run")
        };
        processes.into_iter().find(is_suite).expect("the suite runs from the run's own folder")
    }

    fn kill_suite(&self) {
        let suite = self.suite();
        let process: i32 = suite.file_name().unwrap().to_str().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(process).unwrap(), Signal::KILL).unwrap();
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Polls until `holds`: how long that takes depends on the machine.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn ctrl_c_ends_the_run_and_leaves_nothing() {
    let mut hanging = Hanging::start("interrupted");
    let scratch = hanging.scratch();
    let path = scratch.to_str().unwrap().to_owned();
    assert!(!processes_with(&path).is_empty(), "the server runs from the scratch folder");
    hanging.send(Signal::INT);
    let status = hanging.runner.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(is_empty(&scratch), "the run's own folder is gone");
    assert_eq!(processes_with(&path), Vec::<String>::new());
}

#[test]
fn under_nohup_a_closed_terminal_ends_nothing() {
    let mut command = std::process::Command::new("nohup");
    let run = crate::sandbox::command(&["check", "tiny-1", "--solution", "--all"]);
    command.arg(run.get_program()).args(run.get_args()).current_dir(run.get_current_dir().unwrap());
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut runner = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(runner.stdout.take().unwrap()).lines();
    // The first check has passed: by then every signal that is watched is.
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains("greets")));
    kill_process(Pid::from_raw(i32::try_from(runner.id()).unwrap()).unwrap(), Signal::HUP).unwrap();
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(runner.wait().unwrap().code(), Some(0), "{rest:?}");
}

#[test]
fn a_runner_that_is_killed_leaves_no_process_and_the_next_run_cleans_up() {
    let mut hanging = Hanging::start("killed");
    let scratch = hanging.scratch();
    let path = scratch.to_str().unwrap().to_owned();
    hanging.send(Signal::KILL);
    hanging.runner.wait().unwrap();
    eventually("suite and server are gone", || processes_with(&path).is_empty());
    assert!(!is_empty(&scratch), "nobody was left to remove the folder");
    let next = command(&["check", "tiny-1", "--solution"]).env("LAB_FOLDER", &hanging.folder).output().unwrap();
    assert_eq!(next.status.code(), Some(0));
    assert!(is_empty(&scratch), "the next run has removed it");
}

#[test]
fn a_suite_that_is_killed_leaves_no_process_alone_or_with_its_runner() {
    let mut alone = Hanging::start("suite-killed");
    let path = alone.scratch().to_str().unwrap().to_owned();
    alone.kill_suite();
    assert_eq!(alone.runner.wait().unwrap().code(), Some(4), "nobody's grade is made up");
    eventually("the server is gone", || processes_with(&path).is_empty());
    let mut both = Hanging::start("both-killed");
    let path = both.scratch().to_str().unwrap().to_owned();
    both.kill_suite();
    both.send(Signal::KILL);
    both.runner.wait().unwrap();
    eventually("the server is gone", || processes_with(&path).is_empty());
}

/// Whoever stops the suite every time that it goes on does not hold the run.
#[test]
fn a_suite_that_is_stopped_again_and_again_is_given_up_within_half_a_minute() {
    let mut hanging = Hanging::start("stopped-for-good");
    let path = hanging.scratch().to_str().unwrap().to_owned();
    let process: i32 = hanging.suite().file_name().unwrap().to_str().unwrap().parse().unwrap();
    let began = Instant::now();
    let status = loop {
        let _ = kill_process(Pid::from_raw(process).unwrap(), Signal::STOP);
        if let Some(status) = hanging.runner.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the run is held");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(4), "nobody's grade is made up");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    eventually("server and suite are gone", || processes_with(&path).is_empty());
}

#[test]
fn a_suite_that_is_stopped_goes_on_and_knows_no_setting_of_the_users() {
    let mut hanging = Hanging::start("stopped");
    let suite = hanging.suite();
    let environment = std::fs::read(suite.join("environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("PATH=") && !environment.contains("PGOPTIONS"), "{environment}");
    let stat = || std::fs::read_to_string(suite.join("stat")).unwrap();
    let field = |number: usize| stat().rsplit(')').next().unwrap().split_whitespace().nth(number).unwrap().to_owned();
    let process = suite.file_name().unwrap().to_str().unwrap();
    assert_eq!(field(3), process, "it leads a session of its own");
    let pid = Pid::from_raw(process.parse().unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    eventually("it is stopped", || field(0) == "T");
    eventually("it goes on", || field(0) != "T");
    hanging.send(Signal::INT);
    assert_eq!(hanging.runner.wait().unwrap().code(), Some(130));
}
