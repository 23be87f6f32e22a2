//! `cargo lab web`: the course, its labs and what happened in their checks, as a site on this machine alone.

use std::sync::Arc;

use super::choose;
use crate::cli::WebArgs;
use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::web::Site;
use lab_services::ProviderChoice;

/// Serves the site until Ctrl-C.
pub(super) async fn run(args: WebArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    // Nothing is graded, and so no service is started.
    let engine = Engine::new(workspace, ProviderChoice::default())?;
    let served = serve(&args, &engine, &run, &interrupt).await;
    engine.shutdown().await;
    served?;
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

async fn serve(args: &WebArgs, engine: &Engine, run: &RunContext, interrupt: &Interrupt) -> Result<(), Error> {
    let failed = |message: String| Error::Infrastructure { message, hints: Vec::new() };
    let served = tokio::select! {
        served = Site::serve(engine, args.port.unwrap_or_default(), args.anyway, run) => served,
        () = interrupt.wait() => return Err(Error::Interrupted),
    };
    let mut site = served.map_err(failed)?;
    run.emit(EventKind::SiteServed { url: site.url.clone() });
    tokio::select! {
        ended = site.ended() => Err(failed(ended.unwrap_or_else(|error| error.to_string()))),
        // Ctrl-C is how it is meant to end.
        () = interrupt.wait() => Ok(()),
    }
}
