//! `cargo lab audit`: proves that labs grade fairly.

use std::io::Write as _;

use super::choose;
use crate::audit::{self, Options};
use crate::cli::AuditArgs;
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Format, Narrator, audit_table};
use crate::submission::Source;

/// Audits the labs that `args` name.
pub(super) async fn run(args: AuditArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    if args.format == Format::Junit {
        return Err(Error::usage("an audit is told as human or json"));
    }
    let listener = Narrator::new();
    let workspace = choose::open(&listener)?;
    // To others a broken lab is a warning; here it is the very thing that is looked for.
    if let Some(broken) = workspace.broken.first().filter(|_| args.labs.is_empty()) {
        return Err(choose::broken(&broken.folder));
    }
    let labs = match args.labs.as_slice() {
        [] => workspace.labs.clone(),
        names => names.iter().map(|name| choose::lab(&workspace, Some(name))).collect::<Result<_, _>>()?,
    };
    let request = choose::request(&args.grading, Source::Solution, Vec::new());
    let engine = Engine::new(workspace, args.grading.services, args.grading.yes, interrupt)?;
    let options = Options {
        repeat: args.repeat,
        mutants: args.mutants,
        all_checks: args.all_checks,
        within: args.within,
        shard: args.shard,
        request,
    };
    let audited = audit::audit(&engine, &labs, &options, &listener).await;
    engine.shutdown().await;
    let report = audited?;
    let text = match args.format {
        Format::Json => serde_json::to_string_pretty(&report).map_err(|error| Error::Fault(error.to_string()))? + "\n",
        _ => audit_table(&report),
    };
    let _ = write!(anstream::stdout(), "{text}");
    Ok(report.exit_code())
}
