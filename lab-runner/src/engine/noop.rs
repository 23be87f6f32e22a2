//! Asks cargo to build what is built: the time below which no command that asks cargo can come.

use std::time::Duration;

use super::Engine;
use super::program::stage_job;
use crate::building::{self, BuildError};
use crate::context::RunContext;
use crate::error::Error;
use crate::submission::{ProgramSource, Source};
use crate::workspace::Lab;

impl Engine {
    /// How long cargo takes to find that the solution of `lab` is built.
    ///
    /// # Errors
    /// It does not build.
    pub async fn cargo_again(&self, lab: &Lab, run: &RunContext) -> Result<Duration, Error> {
        let prepared = Source::Solution.prepare(&self.workspace, lab)?;
        let ProgramSource::Staged(stage) = prepared.program else { return Ok(Duration::ZERO) };
        match building::build(&stage_job(self, lab, &stage)?, &run.silent()).await {
            Ok(built) => Ok(built.took),
            Err(BuildError::Interrupted) => Err(Error::Interrupted),
            Err(BuildError::Refused(refusal)) => Err(refusal.into()),
            Err(BuildError::Code(why) | BuildError::Infrastructure(why)) => {
                Err(Error::Infrastructure { message: why.message, hints: why.hints })
            }
        }
    }
}
