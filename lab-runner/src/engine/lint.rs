//! Has clippy and rustfmt read a submission: what instructors give out is to be a model.

use std::process::Output;

use super::Engine;
use super::program::stage_job;
use crate::building::{self, Job};
use crate::context::RunContext;
use crate::error::Error;
use crate::submission::{Program, Source};
use crate::workspace::Lab;

/// The most that is shown of a tool's complaint, in lines.
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
            Program::Staged(stage) => stage_job(self, lab, stage)?,
            Program::InPlace => super::program::own_job(self, lab)?,
            Program::Command(_) | Program::Running(_) => return Ok(Vec::new()),
        };
        let package = job.package.as_str();
        let clippy = ["clippy", "--quiet", "--package", package, "--all-targets", "--", "--deny", "warnings"];
        let fmt = ["fmt", "--package", package, "--", "--check"];
        let mut complaints = Vec::new();
        for (tool, arguments) in [("clippy", clippy.as_slice()), ("rustfmt", fmt.as_slice())] {
            let output = run_tool(&job, arguments, run).await?;
            if !output.status.success() {
                complaints.push(format!("{tool} complains:\n{}", told(&output)));
            }
        }
        Ok(complaints)
    }
}

async fn run_tool(job: &Job, arguments: &[&str], run: &RunContext) -> Result<Output, Error> {
    let mut command = building::command(job, arguments);
    let output = command.output();
    tokio::select! {
        output = output => output.map_err(|source| Error::io("start cargo in", &job.root, source)),
        () = run.cancel().cancelled() => Err(Error::Interrupted),
    }
}

fn told(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let more = lines.len().saturating_sub(MOST_LINES);
    let mut shown = lines.into_iter().take(MOST_LINES).collect::<Vec<_>>().join("\n");
    if more > 0 {
        shown.push_str(&format!("\n… {more} more lines"));
    }
    shown
}
