//! What the machine has for the labs, and what of ours was removed from it, for people.

use std::fmt::Write as _;

use lab_services::{DoctorReport, DownReport, Finding, ServiceId, State};

use super::inert::inert;

/// What `cargo lab doctor` found: each service with its providers, the machine, and what to do next.
pub(super) fn doctor(report: &DoctorReport) -> String {
    let mut text = String::new();
    for &service in &report.services {
        let of: Vec<&str> =
            report.labs.iter().filter(|lab| lab.services.contains(&service)).map(|lab| lab.lab.as_str()).collect();
        let of = if of.is_empty() { String::new() } else { format!(", for {}", listed(&of)) };
        let _ = writeln!(text, "{service}{of}");
        report.findings.iter().filter(|finding| finding.service == service).for_each(|one| text.push_str(&row(one)));
    }
    text.push_str("Machine\n");
    for fact in &report.machine {
        let mark = if fact.good { "" } else { "  (missing or too little)" };
        let _ = writeln!(text, "  {:<11} {}{mark}", inert(&fact.name), inert(&fact.value));
    }
    lines(&mut text, "", &report.fixed);
    let from = |service: &ServiceId| Some(format!("{service} from {}", report.first(*service)?));
    let taken: Vec<String> = report.services.iter().filter_map(from).collect();
    if !taken.is_empty() {
        let _ = writeln!(text, "`--services auto` takes {}", taken.join(", "));
    }
    let missing: Vec<&str> = report.missing().into_iter().map(ServiceId::name).collect();
    if !missing.is_empty() {
        let cannot = match report.cannot_be_graded()[..] {
            [] => String::new(),
            ref labs => format!(": {} cannot be graded here", listed(labs)),
        };
        let _ = writeln!(text, "no provider has {}{cannot}", listed(&missing));
    }
    lines(&mut text, "hint: ", &report.hints);
    text
}

fn row(finding: &Finding) -> String {
    let state = match finding.state {
        State::Ready { ms } => format!("ready in {ms} ms"),
        State::Able => "can serve".to_owned(),
        State::Absent => "-".to_owned(),
    };
    format!("  {:<11} {state:<17} {}\n", finding.provider.name(), inert(&finding.detail))
}

/// What `cargo lab down` removed, kept and could not remove.
pub(super) fn down(report: &DownReport) -> String {
    if report.done.is_empty() && report.in_use.is_empty() && report.failed.is_empty() {
        return "there was nothing to remove\n".to_owned();
    }
    let mut text = String::new();
    lines(&mut text, "removed ", &report.done);
    let kept: Vec<String> = report.in_use.iter().map(|line| format!("{line}: another run is using it")).collect();
    lines(&mut text, "kept ", &kept);
    lines(&mut text, "", &report.failed);
    text
}

/// A line for each of `all`, behind `start`.
fn lines<T: ToString>(text: &mut String, start: &str, all: &[T]) {
    for one in all {
        let _ = writeln!(text, "{start}{}", inert(&one.to_string()));
    }
}

/// `names` as a sentence lists them.
fn listed(names: &[&str]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        names => names.concat(),
    }
}
