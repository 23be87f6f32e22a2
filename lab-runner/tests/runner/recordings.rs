//! The recordings of the last runs.

use camino::Utf8PathBuf;
use lab_runner::events::{Recording, RunEvent, recordings};
use lab_runner::reporter::{Human, to_json};

use crate::sandbox::{Ran, command, folder, submission};

/// Grades a sample submission with a folder of its own, and gives what was said and what was recorded.
fn recorded(name: &str, format: &str) -> (Ran, Vec<RunEvent>) {
    let own = folder().join(format!("recorded-{name}-{format}"));
    let _ = std::fs::remove_dir_all(own.join("state"));
    let path = submission(name);
    let arguments = ["check", "tiny-1", "--submission", path.to_str().unwrap(), "--format", format];
    let ran = Ran::of(command(&arguments).env("LAB_FOLDER", &own).output().unwrap());
    let runs = recordings(&Utf8PathBuf::try_from(own.join("state/runs")).unwrap()).unwrap();
    assert_eq!(runs.len(), 1, "{}", ran.golden());
    (ran, Recording::open(&runs[0]).unwrap().collect())
}

#[test]
fn a_run_that_is_read_back_gives_the_same_text() {
    for name in ["half-done", "not-compiling"] {
        let (ran, events) = recorded(name, "human");
        let mut human = Human::new(false);
        let text: String = events.iter().map(|event| human.render(event)).collect();
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), ran.stdout);
    }
}

#[test]
fn a_run_that_is_read_back_gives_the_same_result() {
    let (ran, events) = recorded("half-done", "json");
    let text = events.iter().find_map(|event| match &event.kind {
        lab_runner::events::EventKind::RunFinished { report } => Some(to_json(report.as_ref())),
        _ => None,
    });
    assert_eq!(text.as_deref(), Some(ran.stdout.as_str()));
}

#[test]
fn every_event_has_its_time_and_its_check() {
    let (_, events) = recorded("half-done", "junit");
    let lines: Vec<serde_json::Value> = events.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    let named = |name: &str| lines.iter().filter(|line| line["event"] == name).count();
    assert_eq!((named("run_started"), named("checks_planned"), named("run_finished")), (1, 1, 1));
    assert!(named("check_started") >= 2 && named("check_finished") >= named("check_started"));
    assert!(named("transcript") > 5);
    for line in &lines {
        assert!(line["at"]["us"].is_u64() && line["at"]["wall"].is_string(), "{line}");
        let of_a_check = ["check_started", "check_finished", "transcript"].contains(&line["event"].as_str().unwrap());
        assert_eq!(line["check"].is_string(), of_a_check, "{line}");
    }
    let at = |name: &str| lines.iter().find(|line| line["event"] == name).unwrap()["at"]["us"].as_u64().unwrap();
    assert!(at("run_started") < at("check_started") && at("check_started") < at("run_finished"));
}
