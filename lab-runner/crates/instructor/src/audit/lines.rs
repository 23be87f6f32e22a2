//! The lines that reports show for work by hand: each is run as a learner would run it, against the mutant that it was
//! shown for and against the solution, and has to tell one from the other.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::Utf8Path;
use lab_runner::audit::Problem;
use lab_runner::engine::{Request, Served};
use lab_runner::error::Error;
use lab_runner::events::{EventKind, EventSink, RunEvent};
use lab_runner::report::{Report, depends_on_more};
use lab_runner::submission::{Mutant, Source};
use tokio::process::Command;
use tokio::sync::oneshot;

use super::Auditor;
use super::by_hand::{ByHand, shape};

/// The longest that a line may run: requests that a server holds for as long as it may, and nc's own wait after them.
const LONGEST: Duration = Duration::from_secs(40);

/// A line that a report showed.
#[derive(Debug)]
pub(super) struct Shown {
    lab: usize,
    mutant: Mutant,
    check: String,
    line: String,
}

/// The lines of `report` on `mutant` that a single request is enough for. Where it is not, learners are told of `cargo lab
/// try`, which the runner's own tests hold.
pub(super) fn shown(lab: usize, mutant: &Mutant, report: &Report) -> Vec<Shown> {
    let alone = report.checks.iter().filter(|check| check.points == 0 && !depends_on_more(&check.transcript));
    let shown = |check: &lab_runner::report::Check| {
        Some(Shown { lab, mutant: mutant.clone(), check: check.id.clone(), line: check.reproduce.clone()? })
    };
    alone.filter_map(shown).collect()
}

impl Auditor<'_> {
    /// Runs every line that was shown, and tells of those that do not tell the mutant from the solution.
    ///
    /// # Errors
    /// There is no service, or we failed.
    pub(super) async fn lines(&mut self) -> Result<(), Error> {
        for (number, shown) in std::mem::take(&mut self.shown).iter().enumerate() {
            if self.time_is_over() {
                break;
            }
            let lab = shown.lab;
            // A line in other words, such as psql with a statement, is for people.
            let Some(by_hand) = ByHand::parse(&shown.line) else { continue };
            let differ = self.tells(shown, &by_hand).await?;
            let word = if differ.is_ok() { "tells" } else { "DOES NOT TELL" };
            let (name, check) = (&shown.mutant.name, &shown.check);
            self.step(lab, format_args!("line {}, {name} by {check}: {word}", number + 1));
            let audit = &mut self.audits[lab];
            let lines = audit.lines.get_or_insert_default();
            lines.tried += 1;
            match differ {
                Ok(()) => lines.telling += 1,
                Err(why) => {
                    let message = format!("the line that `{check}` shows for it {why}:\n{}", shown.line);
                    audit.problems.push(Problem::of(&format!("mutant {name}"), message));
                }
            }
        }
        Ok(())
    }

    /// Whether the line's output differs; if not, why it says nothing.
    async fn tells(&self, shown: &Shown, by_hand: &ByHand) -> Result<Result<(), String>, Error> {
        let place =
            tempfile::tempdir().map_err(|error| Error::io("create a folder in", Utf8Path::new("/tmp"), error))?;
        let Some(path) = Utf8Path::from_path(place.path()) else { return Ok(Err("has no place".into())) };
        let by_hand = by_hand.moved_to(path);
        if let Err(why) = by_hand.prepare().await {
            return Ok(Err(format!("cannot be prepared: {why}")));
        }
        let mut outputs = Vec::new();
        for source in [Source::Solution, Source::Solution, Source::Mutant(shown.mutant.clone())] {
            by_hand.begin_anew().await;
            match self.output(shown.lab, source, &by_hand).await? {
                Some(output) => outputs.push(shape(&output)),
                None => return Ok(Err("needs a server that does not start".into())),
            }
        }
        let [first, second, broken] = &outputs[..] else { return Ok(Err("was not run".into())) };
        Ok(match () {
            () if broken == first || broken == second => Err("shows the same of the solution".into()),
            () if first != second => Err("shows something else each time".into()),
            () => Ok(()),
        })
    }

    /// What the line prints with the server of `source`. None if that does not start.
    async fn output(&self, lab: usize, source: Source, by_hand: &ByHand) -> Result<Option<String>, Error> {
        let (sender, receiver) = oneshot::channel();
        let run = self.run.silent().with_sink(Arc::new(Url(Mutex::new(Some(sender)))));
        let request = Request { record: false, ..self.request(source) };
        let mut printed = None;
        let enough = async {
            if let Ok(url) = receiver.await {
                printed = Some(run_line(&by_hand.command_at(&url)).await);
            } else {
                std::future::pending::<()>().await;
            }
        };
        let env: BTreeMap<String, String> = by_hand.env.clone();
        let served = self.engine.serve_until(&self.labs[lab], &request, env, None, enough, &run).await?;
        Ok(printed.filter(|_| matches!(served, Served::Ended)))
    }
}

/// What a learner's shell shows of `command`, as far as it comes in time.
async fn run_line(command: &str) -> String {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(child) = shell.kill_on_drop(true).spawn() else { return "there is no shell".into() };
    match tokio::time::timeout(LONGEST, child.wait_with_output()).await {
        Ok(Ok(output)) => format!("{}\n{}", String::from_utf8_lossy(&output.stdout), output.status),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no end".into(),
    }
}

/// Hands on where a server listens.
#[derive(Debug)]
struct Url(Mutex<Option<oneshot::Sender<String>>>);

impl EventSink for Url {
    fn emit(&self, event: &RunEvent) {
        if let EventKind::Serving { urls, .. } = &event.kind
            && let (Some(url), Ok(mut sender)) = (urls.get("server"), self.0.lock())
            && let Some(sender) = sender.take()
        {
            let _ = sender.send(url.clone());
        }
    }
}
