//! `cargo lab hint`: one hint more for a check that does not pass yet.

use std::sync::Arc;

use super::choose;
use crate::cli::HintArgs;
use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::suite::SuiteError;
use lab_services::ProviderChoice;

/// Shows the hints of the check that `args` name, one more than were seen before.
pub(super) async fn run(args: HintArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let (lab, names) = choose::lab_and_checks(&workspace, &args.names)?;
    let engine = Engine::new(workspace, ProviderChoice::Auto)?;
    let suite = engine.suite(&lab, None, &run).await;
    let progress = engine.state.lab(lab.id());
    let told = suite.and_then(|suite| {
        let Some(id) = names.first().or(progress.next_check.as_ref()) else {
            let first = format!("run `cargo lab check {}` first", lab.id());
            return Err(Error::Usage { message: "no check has failed yet".into(), hints: vec![first] });
        };
        let Some(check) = suite.checks.iter().find(|check| check.id == *id) else {
            let known = suite.checks.iter().map(|check| check.id.as_str());
            let suggestion = crate::suggest::did_you_mean(id, known);
            return Err(SuiteError::UnknownCheck { name: id.clone(), lab: lab.id().to_owned(), suggestion }.into());
        };
        let known = progress.checks.get(id).cloned().unwrap_or_default();
        let all: Vec<String> = known.case_hint.iter().chain(&check.hints).cloned().collect();
        let total = all.len();
        // A check that never failed has shown no hint yet.
        let seen = if known.failures == 0 && known.hints == 0 { 0 } else { known.hints_shown(total) };
        let shown = (seen + 1).min(total);
        engine.state.record_hints(lab.id(), id, u32::try_from(shown).unwrap_or(u32::MAX));
        let (id, title) = (id.clone(), check.title.clone());
        let hints = all[..shown].to_vec();
        run.emit(EventKind::Hints { lab: lab.id().to_owned(), id, title, hints, total });
        Ok(())
    });
    engine.shutdown().await;
    told?;
    reporter.finish()?;
    Ok(ExitCode::Passed)
}
