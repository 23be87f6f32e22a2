//! How many submissions a minute are graded: by `cargo lab grade`, in isolation, and the usual way, by `cargo test` in a clean
//! checkout with services of its own for each.
//!
//! The submissions are copies of the solution that differ by a comment: none is graded as another one's twin. The usual way
//! runs the solution's own tests, and is given what favours it: sources that were downloaded before, and no isolation.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::bench::{Batch, Memory};
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::grade::GradeReport;
use lab_runner::helper;
use lab_runner::submission::{self, write_anew, write_tree};
use lab_runner::workspace::Lab;
use tokio::process::Command;

use super::exact_millis;
use crate::platform;

/// What the processes of submissions are below, where they are isolated.
const SANDBOX: &str = "bwrap";
/// How often is looked at how much memory is used.
const EVERY: Duration = Duration::from_millis(100);

/// How to measure.
#[derive(Debug, Clone)]
pub struct Measure {
    /// How many submissions are graded.
    pub submissions: u32,
    /// How many of them at once.
    pub jobs: u16,
    /// How many are tested the usual way, too.
    pub usual: u32,
    /// Where services come from.
    pub services: String,
}

/// Measures both ways with copies of the solution of `lab`.
///
/// # Errors
/// A copy does not get all points or does not pass its tests, or a program cannot be started.
pub async fn batch(engine: &Engine, lab: &Lab, how: &Measure, run: &RunContext) -> Result<Batch, Error> {
    let say = |text: String| run.emit(EventKind::Step { text });
    // Once: what is built meanwhile may put another program in the place of this one.
    let program =
        helper::runner().ok_or_else(|| Error::Fault("where the runner's own program is cannot be told".into()))?;
    let folder = engine.folder()?.join("batch");
    let submissions = copies(lab, &folder.join("submissions"), how.submissions)?;
    let load = platform::load();
    // What is compiled once for all is there before a batch, as on a grader that is in use.
    say("warming up".into());
    grade(&program, lab, &submissions[..1], &folder.join("warm"), how, run).await?;
    say(format!("grading {} submissions in isolation", how.submissions));
    let (graded, batch_ms, memory) = grade(&program, lab, &submissions, &folder.join("graded"), how, run).await?;
    let mut usual = Vec::new();
    for number in 1..=how.usual {
        say(format!("the usual way: {number} of {}", how.usual));
        usual.push(tested(&program, lab, &folder.join("checkout"), &how.services, run).await?);
    }
    let per_minute = |count: u32, took_ms: f64| f64::from(count) * 60_000.0 / took_ms;
    let usual_ms: f64 = usual.iter().sum();
    let batch_per_minute = per_minute(how.submissions, batch_ms);
    let usual_per_minute = (how.usual > 0).then(|| per_minute(how.usual, usual_ms));
    Ok(Batch {
        schema: "backend-labs/bench-grade/v1".to_owned(),
        lab: lab.id().to_owned(),
        isolation: graded.isolation,
        submissions: how.submissions,
        jobs: how.jobs,
        batch_ms,
        batch_per_minute,
        usual: how.usual,
        usual_ms,
        usual_per_minute,
        against_usual: usual_per_minute.map(|usual| batch_per_minute / usual),
        memory,
        processors: thread::available_parallelism().map_or(1, usize::from),
        load_before: load,
        load_after: platform::load(),
    })
}

/// `count` copies of the solution of `lab` in `folder`, no two of which are the same.
fn copies(lab: &Lab, folder: &Utf8Path, count: u32) -> Result<Vec<Utf8PathBuf>, Error> {
    let solution = submission::solution(lab)?;
    let code = solution.0.iter().filter(|(path, _)| path.extension() == Some("rs"));
    let (path, text) = code
        .max_by_key(|(_, content)| content.len())
        .ok_or_else(|| Error::usage(format!("the solution of {} has no Rust to tell copies apart by", lab.id())))?;
    let copy = |number: u32| {
        let copy = folder.join(format!("copy-{number:03}"));
        write_tree(&copy, &solution)?;
        let told_apart = [text, format!("// Copy {number}.\n").as_bytes()].concat();
        let file = copy.join(path);
        write_anew(&file, &told_apart).map_err(|source| Error::io("write", &file, source))?;
        Ok(copy)
    };
    (1..=count).map(copy).collect()
}

/// Has `submissions` graded as an instructor does: what came of it, how long it took and what memory it needed.
async fn grade(
    program: &Utf8Path,
    lab: &Lab,
    submissions: &[Utf8PathBuf],
    report: &Utf8Path,
    how: &Measure,
    run: &RunContext,
) -> Result<(GradeReport, f64, Option<Memory>), Error> {
    let jobs = how.jobs.to_string();
    let options = ["--lab", lab.id(), "--report", report.as_str(), "--jobs", &jobs, "--services", &how.services];
    let mut command = runner(program);
    command.arg("grade").args(submissions).args(options).args(["--format", "json", "--quiet"]);
    let began = Instant::now();
    let child = command.spawn().map_err(|error| Error::Fault(format!("cannot start another cargo lab: {error}")))?;
    let watch = child.id().map(Watch::begin);
    let output = tokio::select! {
        output = child.wait_with_output() => output.map_err(|error| Error::Fault(error.to_string()))?,
        () = run.cancel().cancelled() => return Err(Error::Interrupted),
    };
    let took = exact_millis(began.elapsed());
    let graded: GradeReport = serde_json::from_slice(&output.stdout).map_err(|_| failed(&output.stderr))?;
    let full = graded.submissions.iter().all(|one| one.score.is_some() && one.score == one.max_score);
    if !full {
        return Err(failed(b"a copy of the solution has not got all points"));
    }
    let memory = watch.and_then(Watch::end).map(|(whole, ours)| Memory::new(whole, ours, how.jobs));
    Ok((graded, took, memory))
}

/// The time of one run of the solution's own tests, with nothing compiled before, in milliseconds.
async fn tested(
    program: &Utf8Path,
    lab: &Lab,
    target: &Utf8Path,
    services: &str,
    run: &RunContext,
) -> Result<f64, Error> {
    let _ = std::fs::remove_dir_all(target);
    let mut command = runner(program);
    command.args(["test", lab.id(), "--solution", "--services", services]).env("CARGO_TARGET_DIR", target);
    command.env("LAB_FOLDER", target.join("lab"));
    let began = Instant::now();
    let output = tokio::select! {
        output = command.output() => output.map_err(|error| Error::Fault(format!("cannot start another cargo lab: {error}")))?,
        () = run.cancel().cancelled() => return Err(Error::Interrupted),
    };
    let took = exact_millis(began.elapsed());
    let _ = std::fs::remove_dir_all(target);
    if output.status.success() { Ok(took) } else { Err(failed(&output.stderr)) }
}

fn runner(program: &Utf8Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

fn failed(said: &[u8]) -> Error {
    let said = String::from_utf8_lossy(said).trim().to_owned();
    Error::Infrastructure { message: format!("there is nothing to measure: {said}"), hints: Vec::new() }
}

/// Looks at the memory of a process and of all below it, again and again.
struct Watch {
    over: Arc<AtomicBool>,
    most: Arc<(AtomicU64, AtomicU64)>,
    thread: JoinHandle<()>,
}

impl Watch {
    fn begin(process: u32) -> Self {
        let (over, most) = (Arc::new(AtomicBool::new(false)), Arc::new((AtomicU64::new(0), AtomicU64::new(0))));
        let (ends, kept) = (over.clone(), most.clone());
        let thread = thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                if let Some((whole, ours)) = platform::memory_below(process, SANDBOX) {
                    kept.0.fetch_max(whole, Ordering::Relaxed);
                    kept.1.fetch_max(ours, Ordering::Relaxed);
                }
                thread::sleep(EVERY);
            }
        });
        Self { over, most, thread }
    }

    /// The most bytes that all of them had at once, and those that are not in a sandbox. None where nobody can tell.
    fn end(self) -> Option<(u64, u64)> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().ok()?;
        let (whole, ours) = (self.most.0.load(Ordering::Relaxed), self.most.1.load(Ordering::Relaxed));
        (whole > 0).then_some((whole, ours))
    }
}
