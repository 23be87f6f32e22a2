//! Programs that behave and misbehave, run as a check runs them.

use std::sync::Arc;

use super::*;
use crate::keepsake::Keepsake;
use crate::lab::Shared;
use crate::services::Services;
use lab_not_tried::not_tried;
use lab_protocol::{Happening, RunClock, SuiteConfig};
use lab_sandbox::Sandbox;

/// A lab whose program is `script`, which finds the check's arguments in `$1`, `$2`, ….
fn lab(script: &str, scratch: &Path) -> Lab {
    let argv = ["sh", "-c", script, "sh"].map(str::to_owned).to_vec();
    let env = BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]);
    let by_hand = "cargo lab run tiny-1".to_owned();
    let target = Target::Launch { argv, cwd: scratch.to_owned(), env, inherited: BTreeSet::new(), by_hand };
    let clock = RunClock::start();
    let config = SuiteConfig {
        nonce: String::new(),
        sent_at: clock.now(),
        lab: "tiny-1".into(),
        seed: 1,
        checks: Vec::new(),
        jobs: 1,
        check_limit_ms: 20_000,
        start_limit_ms: 10_000,
        target,
        sandbox: Sandbox::none(),
        readiness: None,
        services: BTreeMap::new(),
        expected_ms: BTreeMap::new(),
        first: Vec::new(),
        port: None,
        tree: None,
        hold_passed: false,
        places: false,
        scratch: scratch.to_owned(),
    };
    let keepsake = Arc::new(Keepsake::of(&config.target, scratch));
    let services = Arc::new(Services::default());
    Lab::new(Arc::new(Shared { config, clock, events: None, container: None, services, keepsake }), "a test")
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_run_has_its_arguments_its_input_its_variables_and_a_folder_of_its_own() {
    let scratch = scratch();
    let lab = lab("cat; echo \"$1 $NAME\"; ls -A; echo told >&2; echo left >file; exit 3", scratch.path());
    for _ in 0..2 {
        let done = lab.program().arg("one two").env("NAME", "x").input("in\n").run().await.unwrap();
        done.expect_code(3).unwrap();
        done.expect_output("in\none two x\n").unwrap();
        assert_eq!(done.errors(), "told\n");
    }
    let given = lab.folder().unwrap();
    std::fs::write(given.join("given"), "").unwrap();
    lab.program().arg("a").folder(&given).run().await.unwrap().expect_output("a \ngiven\n").unwrap();
    assert!(given.join("file").exists());
}

#[tokio::test]
async fn all_of_it_is_in_the_transcript() {
    let scratch = scratch();
    let lab = lab("cat; echo told >&2", scratch.path());
    lab.program().arg("--all").input("in\n").run().await.unwrap();
    lab.drain_logs().await;
    let what: Vec<Happening> = lab.transcript().entries().into_iter().map(|entry| entry.what).collect();
    let text = serde_json::to_string(&what).unwrap();
    for part in [r#""text":"$ --all\n""#, r#""text":"in\n""#, r#""line":"told""#, "exit code 0"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(matches!(&what[0], Happening::Sent { connection: 1, .. }), "{text}");
}

#[tokio::test]
async fn the_exit_code_and_the_output_are_asked_for() {
    let scratch = scratch();
    let lab = lab("printf '{\"a\":1}\\n[2]'; exit 101", scratch.path());
    let done = lab.program().run().await.unwrap();
    let explanation = |result: CheckResult<()>| match result {
        Err(Failure::Learner(explanation)) => *explanation,
        other => panic!("{other:?}"),
    };
    let wrong = explanation(done.expect_code(0).map(drop));
    assert!(wrong.message.contains("exit code 101, as after a panic in main"), "{}", wrong.message);
    assert_eq!(wrong.reproduce.as_deref(), Some("cargo lab run tiny-1 -- </dev/null"));
    assert!(explanation(done.expect_json_lines().map(drop)).message.contains("has no end"));
    assert!(explanation(done.expect_output("").map(drop)).message.contains("standard output"));
    done.expect_quiet().unwrap();
}

#[tokio::test]
async fn who_does_not_end_fails_by_time_and_is_ended() {
    let scratch = scratch();
    let lab = lab("sleep 600 & echo $! >\"$1\"; wait", scratch.path());
    let marker = scratch.path().join("pid");
    let slow = lab.program().arg(marker.to_str().unwrap()).within(Duration::from_millis(300));
    let Err(Failure::Learner(explanation)) = slow.run().await else { panic!("it ended") };
    assert!(explanation.by_time && explanation.message.contains("still at work"), "{}", explanation.message);
    let child = std::fs::read_to_string(marker).unwrap();
    until(|| !crate::machine::is_running(child.trim())).await;
}

#[tokio::test]
async fn it_is_fed_in_pieces_and_what_it_has_read_is_known() {
    let scratch = scratch();
    let lab = lab("read -r one; echo \"$one\"; read -r two; echo \"$two\"", scratch.path());
    let mut running = lab.program().start().await.unwrap();
    running.send(b"fir").await.unwrap();
    running.has_read_all().await.unwrap();
    running.send(b"st\n").await.unwrap();
    until(|| running.output() == b"first\n").await;
    assert!(running.is_running());
    running.send(b"second\n").await.unwrap();
    running.finish().await.unwrap().expect_output("first\nsecond\n").unwrap();
}

#[tokio::test]
async fn what_it_tells_on_standard_error_is_known_while_it_runs() {
    let scratch = scratch();
    let lab = lab("read -r line; echo \"line: $line\" >&2; read -r line", scratch.path());
    let mut running = lab.program().input("one\n").start().await.unwrap();
    until(|| running.errors() == "line: one\n").await;
    assert!(running.is_running());
    running.end_input();
    running.finish().await.unwrap();
}

#[tokio::test]
async fn who_is_not_read_has_to_wait_and_loses_nothing() {
    let scratch = scratch();
    let lab = lab("exec cat", scratch.path());
    let mut running = lab.program().without_reading().start().await.unwrap();
    let all = vec![b'a'; 4 << 20];
    let taken = running.send_up_to(&all, Duration::from_millis(200)).await.unwrap();
    assert!((4_096..1 << 20).contains(&taken), "{taken}");
    running.read_output();
    running.end_input();
    assert_eq!(running.finish().await.unwrap().output().len(), taken);
}

#[tokio::test]
async fn a_closed_output_is_a_broken_pipe() {
    let scratch = scratch();
    // It writes on and on: another test's program that starts right now has our end of the pipe, too, for a moment.
    let lab = lab("exec yes", scratch.path());
    let mut running = lab.program().without_reading().start().await.unwrap();
    running.close_output();
    // The signal that a program gets unless it asks for an error (pipe(7)).
    assert_eq!(running.finish().await.unwrap().exit().signal, Some(13));
}

#[tokio::test]
async fn signals_reach_it() {
    // A shell has what it starts in the background ignore SIGINT, and so do the programs that are started by it in turn,
    // unless somebody in between handles the signal, as the runner does.
    let _handled = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).unwrap();
    let scratch = scratch();
    let lab = lab("trap 'echo caught; exit 130' INT; echo ready; read -r line", scratch.path());
    let mut running = lab.program().start().await.unwrap();
    until(|| running.output() == b"ready\n").await;
    running.interrupt().unwrap();
    running.finish().await.unwrap().expect_code(130).unwrap().expect_output("ready\ncaught\n").unwrap();
    let mut running = lab.program().start().await.unwrap();
    until(|| running.output() == b"ready\n").await;
    running.terminate().unwrap();
    assert_eq!(running.finish().await.unwrap().exit().signal, Some(15));
    let mut running = lab.program().start().await.unwrap();
    running.kill().await.unwrap();
    assert_eq!(running.finish().await.unwrap().exit().signal, Some(9));
}

#[tokio::test]
async fn without_root_it_is_another_user_who_writes_the_checks_folders() {
    let scratch = scratch();
    let lab = lab("id -u; echo made >\"$1/file\"", scratch.path());
    let folder = lab.folder().unwrap();
    let program = lab.program().arg(folder.display().to_string());
    match program.without_root().run().await {
        // Said so, and for that reason alone.
        Err(Failure::NotApplicable(why)) => {
            assert!(Sandbox::none().without_root().is_err(), "{why}");
            not_tried("users", &why);
        }
        done => {
            let done = done.unwrap();
            done.expect_code(0).unwrap();
            assert_ne!(done.output(), b"0\n");
            assert_eq!(std::fs::read(folder.join("file")).unwrap(), b"made\n");
        }
    }
}

#[tokio::test]
async fn who_reaches_what_the_check_has_made_cannot_be_run_by_hand() {
    let scratch = scratch();
    let lab = lab("exit 1", scratch.path());
    let by_hand = |done: Finished| match done.expect_code(0) {
        Err(Failure::Learner(explanation)) => explanation.reproduce,
        other => panic!("{other:?}"),
    };
    assert!(by_hand(lab.program().run().await.unwrap()).is_some());
    assert_eq!(by_hand(lab.program().networked().run().await.unwrap()), None);
}

#[tokio::test]
async fn its_memory_is_seen_with_that_of_its_children() {
    if !crate::platform::MEMORY_IS_TOLD {
        return not_tried("memory", "this system does not tell what other processes take");
    }
    let scratch = scratch();
    // The shell reads all of it before it goes on.
    let lab = lab("(text=$(cat); read -r _ <\"$1\"; echo ${#text})", scratch.path());
    let pipe = scratch.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let program = lab.program().arg(pipe.to_str().unwrap()).measured();
    let mut running = program.start().await.unwrap();
    running.send(&vec![b'a'; 8 << 20]).await.unwrap();
    running.end_input();
    until(|| running.peak_memory().is_some_and(|peak| peak > 8 << 20)).await;
    std::fs::write(&pipe, "\n").unwrap();
    let done = running.finish().await.unwrap();
    done.expect_output(format!("{}\n", 8 << 20)).unwrap();
    assert!(done.peak_memory().unwrap() > 8 << 20);
}

#[tokio::test]
async fn threads_that_work_are_told_from_those_that_wait() {
    if !crate::platform::MEMORY_IS_TOLD {
        return not_tried("memory", "this system does not tell what other processes take");
    }
    let scratch = scratch();
    // Two of its processes turn round and round, and a third waits for its input.
    let lab = lab("while :; do :; done & while :; do :; done & read -r _", scratch.path());
    let mut running = lab.program().start().await.unwrap();
    until(|| running.working_threads() == Some(2)).await;
    let lab = self::lab("read -r _", scratch.path());
    let mut running = lab.program().start().await.unwrap();
    until(|| running.working_threads() == Some(0)).await;
}

#[tokio::test]
async fn processor_time_is_that_of_all_its_processes() {
    if !crate::platform::MEMORY_IS_TOLD {
        return not_tried("memory", "this system does not tell what other processes take");
    }
    let scratch = scratch();
    let (busy, idle) = (lab("(while :; do :; done) & read -r _", scratch.path()), lab("read -r _", scratch.path()));
    let (working, waiting) = (busy.program().start().await.unwrap(), idle.program().start().await.unwrap());
    let used = |running: &Running| running.processor_time().unwrap_or_default();
    until(|| used(&working) > Duration::from_millis(300)).await;
    assert!(used(&waiting) < Duration::from_millis(100), "{:?}", used(&waiting));
}

async fn until(mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "it is not seen");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
