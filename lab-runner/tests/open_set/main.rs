//! Services are an open set, from the provider to the report: one that only this test knows is found, its driver stands in
//! the suite of one lab, and what a server asks of it is told by every reporter.
//!
//! A program of its own: in the other tests' it would be a service of every manifest and schema.

#[path = "../runner/sandbox.rs"]
#[expect(dead_code, reason = "the runner's other tests need more of it")]
mod sandbox;
#[path = "../../crates/services/tests/open_set/toy.rs"]
#[expect(dead_code, reason = "the tests of the providers need more of it")]
mod toy;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use camino::Utf8PathBuf;
use lab_protocol::Happening;
use lab_runner::context::RunContext;
use lab_runner::engine::{Engine, Extent, Request};
use lab_runner::events::{EventKind, EventSink, RunEvent};
use lab_runner::interrupt::Interrupt;
use lab_runner::reporter::{Human, to_json};
use lab_runner::submission::Source;
use lab_runner::workspace::Workspace;
use lab_services::ProviderChoice;
use serde_json::{Value, json};

use sandbox::{Ran, copy, folder, target, write_workspace};

/// Keeps the stream.
#[derive(Debug, Default)]
struct Stream(Mutex<Vec<RunEvent>>);

impl EventSink for Stream {
    fn emit(&self, event: &RunEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

fn utf8(path: PathBuf) -> Utf8PathBuf {
    Utf8PathBuf::try_from(path).unwrap()
}

fn request() -> Request {
    Request {
        source: Source::Solution,
        checks: Vec::new(),
        extent: Extent::Whole,
        first: Vec::new(),
        seed: 1,
        jobs: 2,
        check_limit: None,
        record: false,
        held_out: None,
        places: false,
    }
}

/// Grades the lab that uses the service, and prints what the reporters show.
#[test]
#[ignore = "the other test starts it, with the service's URL in the environment"]
#[expect(clippy::print_stdout, reason = "it answers on stdout")]
fn grading() {
    let root = folder().join("toy");
    write_workspace(&root, "0.1.9");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/open_set/labs"), &root.join("labs"));
    let workspace = Workspace::open(utf8(root), utf8(target())).unwrap();
    let lab = workspace.labs.iter().find(|lab| lab.id() == "tiny-2").unwrap().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = Arc::new(Stream::default());
    let report = runtime.block_on(async {
        let (_raise, interrupt) = Interrupt::new();
        let engine = Engine::new(workspace, ProviderChoice::Auto).unwrap();
        let run = RunContext::new(stream.clone(), &interrupt);
        let report = engine.grade(&lab, &request(), &run).await.unwrap();
        engine.shutdown().await;
        report
    });
    let events = stream.0.lock().unwrap();
    let mut human = Human::new(false);
    let text: String = events.iter().map(|event| human.render(event)).collect();
    let told = |event: &&RunEvent| matches!(&event.kind, EventKind::Transcript { entry } if matches!(entry.what, Happening::Exchange(_)));
    let report: Value = serde_json::from_str(&to_json(&report)).unwrap();
    let text = anstream::adapter::strip_str(&text).to_string();
    let told = events.iter().filter(told).count();
    println!("SHOWN {}", json!({"report": report, "text": text, "told": told}));
}

#[test]
fn what_is_asked_of_a_service_that_nothing_knows_is_told_by_every_reporter() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("toy://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || toy::answer(stream.unwrap()));
        }
    });
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "grading", "--nocapture"]).env("LAB_TOY_URL", &url);
    let ran = Ran::of(command.env("LAB_FOLDER", folder().join("toy-state")).output().unwrap());
    let line =
        ran.stdout.lines().find_map(|line| line.split_once("SHOWN ")).unwrap_or_else(|| panic!("{}", ran.golden()));
    let shown: Value = serde_json::from_str(line.1).unwrap();
    let report = &shown["report"];
    assert_eq!(report["services"]["toy"]["version"], "Toy 3.2.1", "{report:#}");
    assert_eq!(report["score"], 50, "{report:#}");
    let sings = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "sings").unwrap();
    let sung = sings["transcript"].as_array().unwrap().iter().find(|entry| entry["command"] == "SING").unwrap();
    let sung = [&sung["kind"], &sung["service"], &sung["answer"], &sung["failed"]];
    assert_eq!(sung, [&json!("toy"), &json!("Toy"), &json!("UNKNOWN"), &json!(true)]);
    assert!(shown["text"].as_str().unwrap().contains("SING  ✗ UNKNOWN"), "{shown:#}");
    assert!(shown["told"].as_u64().unwrap() >= 4, "{shown:#}");
}
