//! Has clippy and rustfmt read a submission: what instructors give out is to be a model.

use std::collections::BTreeSet;
use std::process::Output;

use super::Engine;
use super::program::stage_job;
use crate::building::{self, Job};
use crate::context::RunContext;
use crate::error::Error;
use crate::submission::{ProgramSource, Source};
use crate::workspace::Lab;

/// The most that is shown of a tool's output, in lines.
const MOST_LINES: usize = 40;

impl Engine {
    /// What clippy, with warnings denied, and rustfmt have to say of `source`: nothing, if all is well.
    ///
    /// # Errors
    /// The submission cannot be staged, or a tool cannot be started.
    pub async fn lint(&self, lab: &Lab, source: &Source, run: &RunContext) -> Result<Vec<String>, Error> {
        let _turn = self.building.acquire().await;
        let prepared = source.prepare(&self.workspace, lab)?;
        let job = match &prepared.program {
            ProgramSource::Staged(stage) => stage_job(self, lab, stage)?,
            ProgramSource::InPlace => super::program::own_job(self, lab)?,
            ProgramSource::Command(_) | ProgramSource::Running(_) => return Ok(Vec::new()),
        };
        let fmt = run_tool(&job, &["fmt", "--package", &job.package, "--", "--check"], &[], run).await?;
        let fmt = if fmt.status.success() { String::new() } else { text(&fmt.stdout) + &text(&fmt.stderr) };
        let mut findings = Vec::new();
        for (tool, said) in [("clippy", self.clippy(job, run).await?), ("rustfmt", fmt)] {
            if !said.is_empty() {
                findings.push(format!("{tool} complains:\n{}", shorten(&said)));
            }
        }
        Ok(findings)
    }

    /// Clippy's warnings and the compiler's errors. A build in which clippy takes the compiler's place has the very
    /// dependencies that the submission was built with; `cargo clippy` would check them all once more, as what a check
    /// leaves and what a build leaves are of no use to each other.
    async fn clippy(&self, job: Job, run: &RunContext) -> Result<String, Error> {
        // Its programs go elsewhere: they are not to be taken for those that are graded.
        let job = Job { target: self.workspace.lab_folder().join("lint"), ..job };
        let build = ["build", "--quiet", "--package", &job.package, "--all-targets", "--message-format=json"];
        let output = run_tool(&job, &build, &[("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")], run).await?;
        // A program is read twice, as it is and with its tests: what holds for both is told once.
        let mut known = BTreeSet::new();
        let stdout = text(&output.stdout);
        let told = stdout.lines().filter_map(diagnostic).filter(|told| known.insert(told.clone()));
        let rendered: String = told.collect();
        // Cargo's own words, such as that there is no clippy.
        let failed = !output.status.success() && rendered.is_empty();
        Ok(if failed { text(&output.stderr) } else { rendered })
    }
}

async fn run_tool(job: &Job, arguments: &[&str], env: &[(&str, &str)], run: &RunContext) -> Result<Output, Error> {
    let command = building::command(job, arguments);
    let mut command = command.map_err(|source| Error::io("start cargo in", &job.root, source))?;
    command.envs(env.iter().copied());
    let output = command.output();
    tokio::select! {
        output = output => output.map_err(|source| Error::io("start cargo in", &job.root, source)),
        () = run.cancel().cancelled() => Err(Error::Interrupted),
    }
}

/// The text of a warning or error that a line of cargo's messages holds.
fn diagnostic(line: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-message" {
        return None;
    }
    message["message"]["rendered"].as_str().map(str::to_owned)
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

fn shorten(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let more = lines.len().saturating_sub(MOST_LINES);
    let mut shown = lines.into_iter().take(MOST_LINES).collect::<Vec<_>>().join("\n");
    if more > 0 {
        shown.push_str(&format!("\n… {more} more lines"));
    }
    shown
}
