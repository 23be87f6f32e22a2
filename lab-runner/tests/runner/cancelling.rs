//! Runs that are cancelled one by one, as whoever grades on every save has to: the next run is not touched.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use camino::Utf8PathBuf;
use lab_protocol::Happening;
use lab_runner::context::RunContext;
use lab_runner::engine::{Engine, Extent, Request};
use lab_runner::error::Error;
use lab_runner::events::{EventKind, EventSink, NullSink, RunEvent};
use lab_runner::interrupt::{CancelToken, Interrupt};
use lab_runner::submission::Source;
use lab_runner::workspace::{Lab, Workspace};
use lab_services::ProviderChoice;

use crate::sandbox::{RUNNER, submission, workspace};

/// Cancels the run when its second check begins.
#[derive(Debug, Default)]
struct CancelAtEchoes(OnceLock<CancelToken>);

impl EventSink for CancelAtEchoes {
    fn emit(&self, event: &RunEvent) {
        if matches!(event.kind, EventKind::CheckStarted) && event.check.as_deref() == Some("echoes") {
            self.0.get().expect("the token was given").cancel();
        }
    }
}

/// Cancels the run when the server under test has written that it thinks, and counts the checks that had ended by then.
#[derive(Debug, Default)]
struct CancelAtThought {
    token: OnceLock<CancelToken>,
    ended: Mutex<Vec<String>>,
}

impl EventSink for CancelAtThought {
    fn emit(&self, event: &RunEvent) {
        match (&event.kind, &event.check) {
            (EventKind::CheckFinished { .. }, Some(check)) => self.ended.lock().unwrap().push(check.clone()),
            (EventKind::Transcript { entry }, Some(check)) if check == "echoes" => {
                if matches!(&entry.what, Happening::Log { line, .. } if line == "thinking") {
                    self.token.get().expect("the token was given").cancel();
                }
            }
            _ => {}
        }
    }
}

fn path(path: &std::path::Path) -> Utf8PathBuf {
    Utf8PathBuf::try_from(path.to_owned()).unwrap()
}

fn opened() -> Workspace {
    let target = path(std::path::Path::new(RUNNER).ancestors().nth(2).unwrap());
    Workspace::open(path(workspace()), target).unwrap()
}

pub fn request(source: Source) -> Request {
    let check_limit = Some(Duration::from_secs(600));
    Request {
        source,
        checks: Vec::new(),
        extent: Extent::Whole,
        first: Vec::new(),
        seed: 1,
        jobs: 4,
        check_limit,
        record: false,
        held_out: None,
        places: false,
    }
}

/// Grades with an engine of its own.
pub fn with_engine(grade: impl AsyncFnOnce(&Engine, &Lab, &Interrupt)) {
    let opened = opened();
    let lab = opened.labs[0].clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (_raise, interrupt) = Interrupt::new();
        let engine = Engine::new(opened, ProviderChoice::Auto).unwrap();
        grade(&engine, &lab, &interrupt).await;
        engine.shutdown().await;
    });
}

/// A run of the submission that hangs, which `run`'s sink cancels.
async fn assert_cancelled(engine: &Engine, lab: &Lab, run: &RunContext) {
    let hangs = request(Source::Folder(path(&submission("hangs"))));
    let cancelled = engine.grade(lab, &hangs, run).await;
    assert!(matches!(cancelled, Err(Error::Interrupted)), "{cancelled:?}");
}

#[test]
fn a_run_that_was_cancelled_is_followed_by_another_in_the_same_process() {
    with_engine(async |engine, lab, interrupt| {
        let sink = Arc::new(CancelAtEchoes::default());
        let first = RunContext::new(sink.clone(), interrupt);
        sink.0.set(first.cancel().clone()).unwrap();
        assert_cancelled(engine, lab, &first).await;

        let second = RunContext::new(Arc::new(NullSink), interrupt);
        let report = engine.grade(lab, &request(Source::Solution), &second).await.unwrap();
        assert_eq!((report.score, report.max_score), (100, 100));
        assert_ne!(first.id(), second.id());
    });
}

#[test]
fn what_a_server_writes_is_told_while_its_check_still_runs() {
    with_engine(async |engine, lab, interrupt| {
        let sink = Arc::new(CancelAtThought::default());
        let run = RunContext::new(sink.clone(), interrupt);
        sink.token.set(run.cancel().clone()).unwrap();
        // The check itself would wait for its answer for ten minutes.
        assert_cancelled(engine, lab, &run).await;
        let ended = sink.ended.lock().unwrap().clone();
        assert!(!ended.contains(&"echoes".to_owned()), "{ended:?}");
    });
}
