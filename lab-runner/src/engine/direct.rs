//! What starts a submission's program by hand: nothing of a suite or a service is needed for it.

use lab_protocol::Target;

use super::stages::{Grading, Stop};
use super::{Engine, Request, program};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::report::{Diagnostics, Outcome, RunOutcome};
use crate::workspace::Lab;

impl Engine {
    /// Builds what `request` names, and tells how it is started. None if it does not build, which is told.
    ///
    /// # Errors
    /// It cannot be built here, or we failed.
    pub async fn start_line(&self, lab: &Lab, request: &Request, run: &RunContext) -> Result<Option<Target>, Error> {
        let grading = Grading::new(self, lab, request, run);
        match program::build(&grading).await {
            Ok(runnable) => Ok(Some(runnable.target)),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Outcome(_, outcome)) => match *outcome {
                RunOutcome::Nothing(Outcome::InfrastructureError, Diagnostics { message, hints, .. }) => {
                    Err(Error::Infrastructure { message, hints })
                }
                RunOutcome::Nothing(_, diagnostics) => {
                    run.emit(EventKind::ServingFailed { diagnostics });
                    Ok(None)
                }
                RunOutcome::Checks { .. } => Err(Error::Fault("checks were run before any was asked for".into())),
            },
        }
    }
}
