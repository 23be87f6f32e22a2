//! From an edit to its verdict: a copy of the solution is changed, and graded at once, as after a save.

use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::bench::{Edits, Waited};
use lab_runner::context::RunContext;
use lab_runner::error::Error;
use lab_runner::submission::{self, write_anew, write_tree};
use lab_runner::workspace::Lab;

use super::{check, exact_millis, median};

/// Measures edits of `lab`'s solution, each of which adds a comment to its largest file.
///
/// # Errors
/// The copy cannot be written, or does not pass.
pub(super) async fn edits(
    scratch: &Utf8Path,
    lab: &Lab,
    rounds: u32,
    services: &str,
    run: &RunContext,
) -> Result<Edits, Error> {
    let mut copy = Copy::of(lab, scratch.join("edited"))?;
    let arguments = |more: &[&str]| -> Vec<String> {
        let all = ["check", lab.id(), "--submission", copy.folder.as_str(), "--format", "json", "--services", services];
        all.iter().chain(more).map(ToString::to_string).collect()
    };
    let whole = arguments(&[]);
    // What a copy needs to be compiled the first time is not what an edit waits for.
    let report = check(run, &whole, &[]).await?;
    let first = report.checks.first().map(|check| check.id.clone()).unwrap_or_default();
    let named = arguments(&[&first]);
    check(run, &named, &[]).await?;
    let (mut of_named, mut of_lab) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        of_named.push(copy.edited(&named, run).await?);
        of_lab.push(copy.edited(&whole, run).await?);
    }
    Ok(Edits { check: first, named: waited(&of_named), lab: waited(&of_lab) })
}

/// A copy of the solution.
struct Copy {
    folder: Utf8PathBuf,
    /// The file that is edited, and what it holds.
    file: Utf8PathBuf,
    text: Vec<u8>,
}

impl Copy {
    fn of(lab: &Lab, folder: Utf8PathBuf) -> Result<Self, Error> {
        let solution = submission::solution(lab)?;
        write_tree(&folder, &solution)?;
        let code = solution.0.iter().filter(|(path, _)| path.extension() == Some("rs"));
        let (path, text) = code
            .max_by_key(|(_, content)| content.len())
            .ok_or_else(|| Error::usage(format!("the solution of {} has no Rust to edit", lab.id())))?;
        Ok(Self { file: folder.join(path), text: text.clone(), folder })
    }

    /// Edits the file, and has it graded: the whole time and cargo's part, in milliseconds.
    async fn edited(&mut self, arguments: &[String], run: &RunContext) -> Result<(f64, f64), Error> {
        self.text.extend_from_slice(b"// Edited.\n");
        write_anew(&self.file, &self.text).map_err(|source| Error::io("write", &self.file, source))?;
        let began = Instant::now();
        let report = check(run, arguments, &[]).await?;
        Ok((exact_millis(began.elapsed()), report.timings.cargo_ms.unwrap_or_default() as f64))
    }
}

/// The medians of `rounds`: the whole time and cargo's part of each, in milliseconds.
fn waited(rounds: &[(f64, f64)]) -> Waited {
    let total_ms = median(rounds.iter().map(|(total, _)| *total).collect());
    let cargo_ms = median(rounds.iter().map(|(_, cargo)| *cargo).collect());
    Waited { total_ms, cargo_ms, against_cargo: total_ms / cargo_ms }
}
