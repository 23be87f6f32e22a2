//! `cargo lab` alone: the labs, how far one has come, and what to do next.

use std::sync::Arc;

use super::choose;
use crate::context::RunContext;
use crate::course::Course;
use crate::error::Error;
use crate::events::{EventKind, LabOverview};
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::state::State;

/// Shows the labs.
pub(super) fn run(interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let state = State::of(&workspace);
    let labs = workspace.labs.iter().map(|lab| LabOverview {
        id: lab.id().to_owned(),
        package: lab.package(),
        title: lab.manifest.title.clone(),
        summary: lab.manifest.summary.clone(),
        roadmap: lab.manifest.roadmap.clone(),
        progress: state.lab(lab.id()),
    });
    let folder = workspace.root.join("labs");
    let course = Course::load(&folder).unwrap_or_else(|message| {
        let message = format!("labs/{} is not used: {message}", crate::course::FILE_NAME);
        run.emit(EventKind::Warning { message, hints: Vec::new() });
        Course::default()
    });
    let unknown = course.order.iter().filter(|id| !workspace.labs.iter().any(|lab| lab.id() == **id));
    for id in unknown {
        let message = format!("labs/{} orders `{id}`, which is no lab", crate::course::FILE_NAME);
        run.emit(EventKind::Warning { message, hints: Vec::new() });
    }
    let Course { title, roadmap, languages, .. } = course;
    run.emit(EventKind::Overview { title, roadmap, languages, labs: labs.collect(), here: state.last_lab() });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}
