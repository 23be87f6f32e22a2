//! The page of one result: the checks by task on the left, the chosen one on the right.

use std::collections::BTreeMap;

use lab_protocol::Verdict;
use lab_runner::report::{Check, Outcome, Report};
use maud::{Markup, html};

use crate::check::{Beside, Shown, mark, section};
use crate::list::Limits;
use crate::page::{self, SCRIPT};
use crate::text;
use crate::timeline::Timeline;

/// The most bytes of a page.
pub const MOST: usize = 2_000_000;

/// From all there is to what fits in any case.
const LADDER: [Limits; 9] = [
    Limits::WHOLE,
    Limits { items: 1_000, bytes: 2_048, drawn: 3_000 },
    Limits { items: 500, bytes: 1_024, drawn: 2_000 },
    Limits { items: 300, bytes: 512, drawn: 1_500 },
    Limits { items: 200, bytes: 400, drawn: 1_000 },
    Limits { items: 120, bytes: 300, drawn: 700 },
    Limits { items: 70, bytes: 250, drawn: 400 },
    Limits { items: 40, bytes: 200, drawn: 200 },
    Limits { items: 20, bytes: 120, drawn: 100 },
];
/// How many steps there are on the way down: first the passed checks are cut, then the others follow.
const STEPS: usize = LADDER.len() * 2 - 1;

/// `report` as one HTML file of at most [`MOST`] bytes. What passed is cut first, then what failed; both is said in it.
#[must_use]
pub fn report(report: &Report) -> String {
    let policy = page::policy(&[SCRIPT], "'none'");
    let title = text::title(&format!("{} {}: {}", report.lab, report.title, score(report)), 200);
    let timelines: Vec<Timeline> = report.checks.iter().map(|check| Timeline::new(&check.transcript)).collect();
    let at = |step: usize| {
        let (passed, failed) = (LADDER[step.div_ceil(2)], LADDER[step / 2]);
        page::page(&title, Some(&policy), &[SCRIPT], &body(report, &timelines, passed, failed))
    };
    let whole = at(0);
    if whole.len() <= MOST {
        return whole;
    }
    // The first step that fits, by halves: each makes a whole page.
    let (mut too_large, mut fits) = (0, STEPS - 1);
    let mut text = at(fits);
    while fits - too_large > 1 {
        let middle = too_large.midpoint(fits);
        let page = at(middle);
        match page.len() <= MOST {
            true => (fits, text) = (middle, page),
            false => too_large = middle,
        }
    }
    text
}

/// The page's body, with the checks' timelines in their order.
fn body(report: &Report, timelines: &[Timeline], passed: Limits, failed: Limits) -> Markup {
    let limits = |check: &Check| if check.verdict == Verdict::Passed { passed } else { failed };
    html! {
        header.top {
            h1 { (text::title(&report.lab, 40)) " " (text::title(&report.title, 80)) }
            p.score { (score(report)) }
            p.facts {
                (text::title(&report.submission.path, 80)) " · " (report.started_at.format("%Y-%m-%d %H:%M UTC"))
                " · seed " (report.seed)
                @for (name, service) in &report.services {
                    " · " (text::title(service.version.as_deref().unwrap_or(name), 40)) " (" (text::title(&service.provider, 20)) ")"
                }
            }
        }
        @if passed != Limits::WHOLE {
            p.cut.note {
                "Long messages and long lists are cut here, so that the file stays small: result.json has everything."
            }
        }
        @if let Some(why) = &report.diagnostics { (diagnostics(why)) }
        @for note in &report.notes { p.note { (text::shown(note, 2_000)) } }
        @if !report.checks.is_empty() {
            div.columns {
                (tasks(&report.checks, &|check: &Check| format!("#{}", check.id), first(report)))
                main.one {
                    @for (check, timeline) in report.checks.iter().zip(timelines) {
                        (section(Shown { check, timeline, hints: 1, beside: Beside::Nothing }, limits(check)))
                    }
                }
            }
        }
        footer { "Written by cargo lab " (report.runner_version) ". Drag over a timeline to see only what happened then." }
    }
}

/// What a run came to, in a few words.
fn score(report: &Report) -> String {
    match report.outcome {
        Outcome::Graded => format!("{} of {} points", report.score, report.max_score),
        Outcome::BuildFailed => "it does not build".to_owned(),
        Outcome::StartFailed => "its server does not start".to_owned(),
        Outcome::InfrastructureError => "not graded: a fault that is not the submission's".to_owned(),
    }
}

fn diagnostics(why: &lab_runner::report::Diagnostics) -> Markup {
    html! {
        section.check {
            p.message { (text::shown(&why.message, 4_000)) }
            @for detail in why.details.iter().take(40) { pre.box { (text::shown(detail, 8_000)) } }
            @if why.omitted > 0 { p.cut { (why.omitted) " more errors" } }
            @for hint in &why.hints { p.why { (text::shown(hint, 2_000)) } }
        }
    }
}

/// The check that a reader wants to see: the first that failed of the first unfinished task.
fn first(report: &Report) -> Option<&str> {
    let asked = |check: &&Check| !matches!(check.verdict, Verdict::Passed | Verdict::Skipped);
    let worst = report.checks.iter().filter(asked).min_by_key(|check| check.task);
    worst.or_else(|| report.checks.first()).map(|check| check.id.as_str())
}

/// The checks by task, each with its mark, its link made by `link`.
pub fn tasks(checks: &[Check], link: &dyn Fn(&Check) -> String, chosen: Option<&str>) -> Markup {
    let mut tasks: BTreeMap<u32, Vec<&Check>> = BTreeMap::new();
    checks.iter().for_each(|check| tasks.entry(check.task).or_default().push(check));
    html! {
        nav.tasks aria-label="Checks by task" {
            @for (task, checks) in &tasks {
                h2 {
                    "Task " (task) " "
                    span.unit {
                        (checks.iter().map(|check| check.points).sum::<u32>()) "/"
                        (checks.iter().filter(|check| check.counted).map(|check| check.max_points).sum::<u32>())
                    }
                }
                ul {
                    @for check in checks {
                        @let (glyph, class, word) = mark(check);
                        li {
                            a href=(link(check)) data-first[chosen == Some(check.id.as_str())] title=(text::title(&check.title, 200)) {
                                span class=(class) aria-hidden="true" { (glyph) } " "
                                (text::title(&check.id, 60))
                                span.word { " " (word) }
                            }
                        }
                    }
                }
            }
        }
    }
}
