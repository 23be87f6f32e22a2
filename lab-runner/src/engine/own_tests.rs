//! Runs the tests that a submission brings along, with the lab's services up. They grade nothing: they are for whoever
//! works on what they test.

use std::process::Output;
use std::time::Instant;

use lab_protocol::millis;
use lab_services::Endpoints;
use serde::Serialize;

use super::Engine;
use super::program::{own_job, stage_job};
use crate::building;
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::submission::{ProgramSource, Source};
use crate::workspace::Lab;

/// How libtest begins the line that sums up one program's tests.
const SUMMARY: &str = "test result: ";

/// What became of the tests of one submission.
#[derive(Debug, Clone, Serialize)]
pub struct OwnTests {
    /// How many there are that were run.
    pub run: usize,
    /// Whether they compile and every one of them passes.
    pub passed: bool,
    /// How long it took, their build included, in milliseconds.
    pub took_ms: u64,
    /// What cargo and the tests have said.
    pub output: String,
}

impl OwnTests {
    fn new(output: &Output, took_ms: u64) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let output_text = text(&output.stderr) + &text(&output.stdout);
        Self { run: count(&output_text), passed: output.status.success(), took_ms, output: output_text }
    }

    /// Whether there are tests, and all of them pass.
    pub fn hold(&self) -> bool {
        self.passed && self.run > 0
    }
}

impl Engine {
    /// Builds and runs the tests of `source`, which is the working tree of `lab` or something that is staged.
    ///
    /// # Errors
    /// The submission cannot be staged, a service cannot be had, cargo cannot be started, or the run was cancelled.
    pub async fn own_tests(&self, lab: &Lab, source: &Source, run: &RunContext) -> Result<OwnTests, Error> {
        let services = self.services.get(&lab.manifest.services, &|text| run.emit(EventKind::Step { text })).await?;
        let _turn = self.building.acquire().await;
        run.emit(EventKind::Step { text: format!("running the tests of {}", lab.package()) });
        let prepared = source.prepare(&self.workspace, lab)?;
        let job = match &prepared.program {
            ProgramSource::Staged(stage) => stage_job(self, lab, stage)?,
            ProgramSource::InPlace => own_job(self, lab)?,
            ProgramSource::Command(_) | ProgramSource::Running(_) => {
                return Err(Error::usage("only what cargo builds has tests of its own"));
            }
        };
        let mut arguments = vec!["test", "--quiet", "--package", &job.package, "--all-targets", "--no-fail-fast"];
        arguments.extend(job.locked.then_some("--locked"));
        let began = Instant::now();
        let command = building::command(&job, &arguments);
        let mut command = command.map_err(|source| Error::io("start cargo in", &job.root, source))?;
        command.envs(variables(&services));
        let output = command.output();
        let output = tokio::select! {
            output = output => output.map_err(|source| Error::io("start cargo in", &job.root, source))?,
            () = run.cancel().cancelled() => return Err(Error::Interrupted),
        };
        Ok(OwnTests::new(&output, millis(began.elapsed())))
    }
}

/// The variables by which servers find `services`. A test makes databases of its own there.
fn variables(services: &Endpoints) -> impl Iterator<Item = (&'static str, String)> {
    services.iter().map(|(service, endpoint)| (service.description().server_variable, endpoint.url.clone()))
}

/// How many tests were run: the sum over the programs that they are in.
fn count(output: &str) -> usize {
    let of_word = |line: &str, word: &str| {
        let (before, _) = line.split_once(word)?;
        before.split_whitespace().next_back()?.parse::<usize>().ok()
    };
    let summaries = output.lines().filter_map(|line| line.strip_prefix(SUMMARY));
    summaries.map(|line| of_word(line, " passed").unwrap_or(0) + of_word(line, " failed").unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn the_tests_of_all_programs_are_counted_and_nothing_else_that_is_printed() {
        let output = "running 3 tests\n7 passed\n\
                      test result: FAILED. 2 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
                      test result: ok. 10 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.0s\n";
        assert_eq!(count(output), 13);
        assert_eq!(count("error: could not compile"), 0);
    }
}
