//! `cargo lab watch`: grades on every save.

use std::io::IsTerminal as _;
use std::sync::Arc;

use super::choose;
use crate::cli::WatchArgs;
use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::submission::Source;
use crate::watch::{Ended, Watch};

/// Watches what `args` name until the user has enough.
pub(super) async fn run(args: WatchArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    reporter.finish()?;
    let mut lab = choose::lab(&workspace, args.lab.as_deref())?;
    let engine = Engine::new(workspace, args.grading.services)?;
    let request = || choose::request(&args.grading, Source::WorkingTree, Vec::new());
    let plain = args.plain || !has_a_screen();
    let ended = loop {
        let watch = match plain {
            true => Watch::in_lines(&engine, &lab, &interrupt, &request),
            false => Watch::on_a_screen(&engine, &lab, &interrupt, &request),
        };
        match watch.watch().await {
            Ok(Ended::Lab(next)) => match engine.workspace.select(&next) {
                Ok(next) => lab = next.clone(),
                Err(error) => break Err(error.into()),
            },
            Ok(Ended::Exit(code)) => break Ok(code),
            Err(error) => break Err(error),
        }
    };
    engine.shutdown().await;
    ended
}

/// Whether there is a terminal that can do more than print.
fn has_a_screen() -> bool {
    let able = std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb");
    able && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}
