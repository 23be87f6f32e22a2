//! `cargo lab audit`: proves that labs grade fairly.

use std::sync::Arc;

use lab_runner::cli::AuditArgs;
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::engine::{Engine, Request};
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::exit::ExitCode;
use lab_runner::held_out::Disclosure;
use lab_runner::interrupt::Interrupt;
use lab_runner::reporter::{Format, Reporter, Style};
use lab_runner::submission::Source;

use crate::audit::{self, Options};

/// How many mutants are graded at once: while one waits for a time limit, another uses the processors. The solution has
/// the machine for itself.
const AT_ONCE: usize = 2;

/// What is written in place of mutants' names for those that a program generates.
const GENERATED: &str = "auto";

/// Audits the labs that `args` name.
pub(super) async fn run(args: AuditArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    if args.format == Format::Junit {
        return Err(Error::usage("an audit can be shown as human or json"));
    }
    let generated = generated(&args)?;
    let reporter = Arc::new(Reporter::new(Style { format: args.format, narrate: true, ..Style::default() }));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    // To others a broken lab is a warning; here it is the very thing that is looked for.
    if let Some(broken) = workspace.broken.first().filter(|_| args.labs.is_empty()) {
        return Err(choose::broken(&broken.folder));
    }
    let labs = choose::labs(&workspace, &args.labs)?;
    let request = choose::request(&args.grading, Source::Solution, Vec::new());
    let request = Request { held_out: Some(Disclosure::Full), ..request };
    let engine = Engine::new(workspace, args.grading.services)?.grading_at_once(AT_ONCE);
    let options = Options {
        repeat: args.repeat,
        mutants: args.mutants,
        generated,
        all_checks: args.all_checks,
        ratchet: args.ratchet,
        try_lines: args.try_lines,
        within: args.within,
        shard: args.shard,
        request,
    };
    let audited = audit::audit(&engine, &labs, &options, &run).await;
    engine.shutdown().await;
    let report = audited?;
    let code = report.exit_code();
    run.emit(EventKind::AuditFinished { report: Box::new(report) });
    reporter.finish()?;
    Ok(code)
}

/// Whether generated mutants are asked for in place of the lab's own: those whose names hold this text.
fn generated(args: &AuditArgs) -> Result<Option<String>, Error> {
    let asked = args.mutants.iter().find_map(|name| match name.strip_prefix(GENERATED)? {
        "" => Some(String::new()),
        part => part.strip_prefix(':').map(str::to_owned),
    });
    if asked.is_some() && (args.mutants.len() > 1 || args.ratchet || args.all_checks) {
        return Err(Error::usage(format!(
            "`--mutants {GENERATED}` goes with no other mutant, nor with --ratchet or --all-checks"
        )));
    }
    Ok(asked)
}
