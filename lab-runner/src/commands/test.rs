//! `cargo lab test`: runs the tests that labs bring along, with their services up.

use std::sync::Arc;

use super::choose;
use crate::cli::TestArgs;
use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::submission::Source;

/// Runs the tests of what `args` name. A solution without a test is told like one whose tests fail.
pub(super) async fn run(args: TestArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let labs = match args.labs.as_slice() {
        [] if !args.solution => vec![choose::lab(&workspace, None)?],
        names => choose::labs(&workspace, names)?,
    };
    let source = if args.solution { Source::Solution } else { Source::WorkingTree };
    let engine = Engine::new(workspace, args.services)?;
    let mut all_hold = Ok(true);
    for lab in &labs {
        match engine.own_tests(lab, &source, &run).await {
            Ok(tests) => {
                all_hold = all_hold.map(|hold| hold && tests.hold());
                run.emit(EventKind::OwnTestsFinished { lab: lab.id().to_owned(), tests: Box::new(tests) });
            }
            Err(error) => {
                all_hold = Err(error);
                break;
            }
        }
    }
    engine.shutdown().await;
    reporter.finish()?;
    Ok(if all_hold? { ExitCode::Passed } else { ExitCode::NotPassed })
}
