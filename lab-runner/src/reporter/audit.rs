//! An audit for people: what holds, what does not, and which mutant fails which check.

use std::fmt::Write as _;

use super::style::{bad, dim, good, strong, warn};
use crate::audit::{AuditReport, Expectations, Generated, LabAudit};

/// The whole of an audit.
pub fn audit_table(report: &AuditReport) -> String {
    let mut text = String::new();
    for lab in &report.labs {
        text.push_str(&lab.generated.as_ref().map_or_else(|| lab_table(lab), |found| generated_table(lab, found)));
        text.push('\n');
    }
    let problems: usize = report.labs.iter().map(|lab| lab.problems.len()).sum();
    // Of our own faults, or a service's: they say nothing of any lab.
    let ours = report.labs.iter().flat_map(|lab| &lab.problems).filter(|problem| problem.infrastructure).count();
    let line = match problems {
        0 if report.left > 0 => good("no problem in the part that was proven"),
        0 if report.shard.is_some() => good("no problem in this shard"),
        0 if report.labs.iter().any(|lab| lab.generated.is_some()) => {
            good("enough of the generated mutants are caught")
        }
        0 => good("every lab grades fairly"),
        _ if ours == problems => warn("infrastructure error: not every lab could be audited"),
        1 => bad("1 problem"),
        _ => bad(format_args!("{problems} problems")),
    };
    text + &left(report) + &line + "\n"
}

/// What there was no time for, in a line.
fn left(report: &AuditReport) -> String {
    if report.left == 0 {
        return String::new();
    }
    let of_lab = |lab: &LabAudit| {
        let mutants = lab.left.iter().filter(|place| place.starts_with("mutant ")).count();
        let mutants = (mutants > 0).then(|| format!("{mutants} of the mutants"));
        let solution = (lab.left.iter().any(|place| place == "solution")).then(|| "starter and solution".to_owned());
        let told: Vec<String> = solution.into_iter().chain(mutants).collect();
        (!told.is_empty()).then(|| format!("{} ({})", lab.lab, told.join(", ")))
    };
    let labs: Vec<String> = report.labs.iter().filter_map(of_lab).collect();
    let (left, planned) = (report.left, report.planned);
    format!("{}\n", dim(format_args!("time ran out with {left} of {planned} proofs left: {}", labs.join(", "))))
}

fn lab_table(lab: &LabAudit) -> String {
    let mut text = format!("{}\n", strong(format_args!("{} {}", lab.lab, lab.title)));
    if lab.problems.iter().any(|problem| problem.infrastructure) && lab.mutants.is_empty() && lab.starter.is_none() {
        // Nothing was tried: tables would read as a verdict.
        return text + &problems(lab);
    }
    let _ = writeln!(text, "{}", strong("  check × mutants that fail it"));
    if !lab.all_checks {
        let _ =
            writeln!(text, "  {}", dim("each mutant was tried on the checks it names; --all-checks tries it on all"));
    }
    let width = lab.order.iter().map(String::len).max().unwrap_or_default();
    for id in &lab.order {
        let by = lab.checks.get(id).map(|names| names.iter().cloned().collect::<Vec<_>>().join(", "));
        let nobody = || if lab.unseen.contains(id) { dim("cannot run here") } else { bad("none") };
        let _ = writeln!(text, "  {id:<width$}  {}", by.filter(|names| !names.is_empty()).unwrap_or_else(nobody));
    }
    let _ = writeln!(text, "{}", strong("  mutant × checks that it fails"));
    let width = lab.mutants.iter().map(|mutant| mutant.name.len()).max().unwrap_or_default();
    for mutant in &lab.mutants {
        let word = match (mutant.caught, mutant.failed.is_empty()) {
            (true, false) => good("caught"),
            (true, true) => dim("unseen"),
            (false, _) => bad("MISSED"),
        };
        let _ = writeln!(text, "  {word}  {:<width$}  {}", mutant.name, mutant.failed.join(", "));
    }
    text.push_str(&facts(lab));
    text + &problems(lab)
}

fn problems(lab: &LabAudit) -> String {
    let mut text = String::new();
    for problem in &lab.problems {
        let message = problem.message.replace('\n', "\n          ");
        let word = if problem.infrastructure { warn("ERROR") } else { bad("FAIL ") };
        let _ = writeln!(text, "  {word}   {}: {message}", strong(&problem.place));
    }
    text
}

/// What became of generated mutants: the survivors with what stands on their lines, and the figures.
fn generated_table(lab: &LabAudit, found: &Generated) -> String {
    let Generated { made, equivalent, viable, caught, unviable, by_check, survivors } = found;
    let mut text = format!("{}\n", strong(format_args!("{} {}", lab.lab, lab.title)));
    let _ = writeln!(text, "{}", strong("  check × generated mutants that it was the first to fail"));
    let width = by_check.keys().map(String::len).max().unwrap_or_default();
    for (check, count) in by_check {
        let _ = writeln!(text, "  {check:<width$}  {count}");
    }
    for one in survivors {
        let _ = writeln!(text, "  {}  {}:{}: {}", bad("SURVIVED"), one.file, one.line, one.change);
        let _ = writeln!(text, "            {}", dim(&one.text));
    }
    let _ = writeln!(
        text,
        "  {caught} of {viable} viable generated mutants are caught; {unviable} do not build, {equivalent} of {made} are \
         equivalent"
    );
    let _ = writeln!(text, "  {}", dim(format_args!("{:.0} s of proofs", lab.duration_ms as f64 / 1000.0)));
    text + &problems(lab)
}

fn facts(lab: &LabAudit) -> String {
    let mut text = String::new();
    let mut fact = |holds: bool, told: String| {
        if holds {
            let _ = writeln!(text, "  {}      {told}", good("ok"));
        }
    };
    let fine = |places: &[&str]| {
        !lab.problems.iter().any(|problem| places.iter().any(|place| problem.place.starts_with(place)))
    };
    fact(fine(&["README", "lab.toml", "Cargo", "checks", "check "]), "manifest, README, TODOs and checks agree".into());
    if let Some((score, max)) = lab.starter {
        fact(
            fine(&["starter"]),
            format!("the starter builds, starts and does not pass ({score}/{max}), clippy and rustfmt accept it"),
        );
    }
    let rounds: Vec<String> = lab.rounds_ms.iter().map(|millis| format!("{:.1}", *millis as f64 / 1000.0)).collect();
    let told = format!(
        "the solution passes {} times in a row with every processor busy ({} s), clippy and rustfmt accept it",
        rounds.len(),
        rounds.join(", ")
    );
    fact(!lab.rounds_ms.is_empty() && fine(&["solution"]), told);
    let caught = lab.mutants.iter().filter(|mutant| mutant.caught && !mutant.failed.is_empty()).count();
    fact(
        !lab.mutants.is_empty() && fine(&["mutant"]),
        format!("{caught} of {} mutants are caught by the checks they name", lab.mutants.len()),
    );
    if let Some(lines) = lab.lines {
        let told =
            format!("{} of {} lines for work by hand tell their mutant from the solution", lines.telling, lines.tried);
        let _ = writeln!(text, "  {}", dim(told));
    }
    if let Some(expectations) = &lab.expectations {
        text.push_str(&expectations_table(expectations));
    }
    if !lab.unseen.is_empty() {
        let unseen = lab.unseen.iter().cloned().collect::<Vec<_>>().join(", ");
        let _ =
            writeln!(text, "  {}", dim(format_args!("not proven, because it cannot run on this machine: {unseen}")));
    }
    let _ = writeln!(text, "  {}", dim(format_args!("{:.0} s of proofs", lab.duration_ms as f64 / 1000.0)));
    text
}

/// How many expectations were seen to fail, and the lines of those that were not, file by file.
fn expectations_table(found: &Expectations) -> String {
    let Expectations { total, seen, reasoned, mutants, tried, unproven } = found;
    let reasons = if *reasoned > 0 { format!(", {reasoned} have a reason why not") } else { String::new() };
    let told = format!(
        "{seen} of {total} expectations have been seen to fail{reasons}; {tried} of {mutants} mutants have been tried on \
         this machine"
    );
    let mut text = format!("  {}\n", dim(told));
    for lines in unproven.chunk_by(|one, next| one.file == next.file) {
        let numbers: Vec<String> = lines.iter().map(|one| one.line.to_string()).collect();
        let line = format!("never seen to fail: {}:{}", lines[0].file, numbers.join(", "));
        let _ = writeln!(text, "    {}", dim(line));
    }
    text
}
