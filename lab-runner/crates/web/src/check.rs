//! One check: what it asks for, what is wrong, and what happened.

use lab_protocol::{SkipReason, Verdict};
use lab_runner::report::Check;
use maud::{Markup, html};

use crate::drawing::drawing;
use crate::list::{Limits, list};
use crate::text;
use crate::timeline::{Scale, Timeline};

/// A check with the same check of the model answer beside it, if that is to be seen.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The check.
    pub check: &'a Check,
    /// What happened in it.
    pub timeline: &'a Timeline,
    /// How many of its hints are to be seen.
    pub hints: usize,
    /// What is to be said of the model answer.
    pub beside: Beside<'a>,
}

/// What stands beside a check.
#[derive(Debug, Clone, Copy, Default)]
pub enum Beside<'a> {
    /// Nothing.
    #[default]
    Nothing,
    /// The same check of the model answer.
    Model(&'a Check),
    /// Why it cannot be shown, or what shows it.
    Words(&'a str),
}

/// The mark of a verdict, its class, and its word.
pub fn mark(check: &Check) -> (&'static str, &'static str, &'static str) {
    match check.verdict {
        Verdict::Passed => ("✓", "good", "passed"),
        Verdict::Failed => ("✗", "bad", "failed"),
        Verdict::TimedOut => ("✗", "bad", "out of time"),
        Verdict::Skipped => ("·", "dim", "not asked"),
        Verdict::Error => ("!", "warn", "not graded"),
    }
}

/// The section of one check.
pub fn section(shown: Shown<'_>, limits: Limits) -> Markup {
    let Shown { check, timeline, hints, beside } = shown;
    let (glyph, class, word) = mark(check);
    html! {
        section.check id=(check.id) aria-labelledby=(format!("{}-title", check.id)) {
            h2 id=(format!("{}-title", check.id)) tabindex="-1" {
                span class=(class) aria-hidden="true" { (glyph) " " }
                (text::title(&check.title, 200))
            }
            p.facts {
                code { (text::title(&check.id, 80)) } " · task " (check.task) " · "
                span class=(class) { (word) } " · "
                @if check.counted { (check.points) " of " (check.max_points) " points" } @else { "not counted" }
                @if check.duration_ms > 0 { " · " (text::duration(check.duration_ms * 1000)) }
            }
            (wrong(check, limits))
            (self::hints(check, hints, limits))
            @if !check.transcript.is_empty() { (happened(check, timeline, beside, limits)) }
        }
    }
}

/// What is wrong, and why it is asked for.
fn wrong(check: &Check, limits: Limits) -> Markup {
    let shown = |text: &str| text::shown(text, limits.bytes);
    html! {
        @if let Some(message) = &check.message { p.message { (shown(message)) } }
        @match &check.skip_reason {
            Some(SkipReason::NeedsFailed { check }) => {
                p.message { "It was not asked, because it needs " a href=(format!("#{check}")) { (check) } "." }
            }
            Some(SkipReason::NotApplicable { message }) => p.message { (shown(message)) },
            None => {}
        }
        @if check.expected.is_some() || check.actual.is_some() {
            dl.compared {
                @if let Some(expected) = &check.expected { dt { "expected" } dd { pre { (shown(expected)) } } }
                @if let Some(actual) = &check.actual { dt { "found" } dd { pre { (shown(actual)) } } }
            }
        }
        @if check.verdict != Verdict::Passed && !check.why.is_empty() {
            p.why { (shown(&check.why)) " " cite { (shown(&check.source)) } }
        }
        @if let Some(reason) = &check.asked_again { p.why { "It was asked a second time, alone: " (shown(reason)) } }
    }
}

/// The first `shown` hints.
fn hints(check: &Check, shown: usize, limits: Limits) -> Markup {
    html! {
        @for (number, hint) in check.hints.iter().take(shown).enumerate() {
            details.hint {
                summary { "hint " (number + 1) " of " (check.hints.len()) }
                p { (text::shown(hint, limits.bytes)) }
            }
        }
        @if shown < check.hints.len() { p.why { "one more hint: " code { "cargo lab hint" } } }
    }
}

/// The timelines, on one scale.
fn happened(check: &Check, own: &Timeline, beside: Beside<'_>, limits: Limits) -> Markup {
    let model = match beside {
        Beside::Model(model) => Some(Timeline::new(&model.transcript)).filter(|model| !model.events.is_empty()),
        _ => None,
    };
    let both: Vec<&Timeline> = std::iter::once(own).chain(&model).collect();
    let scale = Scale::of(&both);
    let title = text::title(&check.title, 200);
    html! {
        h3 { "What happened" span.unit { "milliseconds since the check's first event" } }
        (timeline(own, &scale, &check.id, &title, limits))
        @if let Some(model) = &model {
            h3 { "The model answer" span.unit { "the same check of the solution's recorded run, on the same scale" } }
            (timeline(model, &scale, &format!("model-{}", check.id), &format!("{title} by the model answer"), limits))
        }
        @if let Beside::Words(words) = beside { p.why { (words) } }
    }
}

/// The drawing, what chooses a range of it, and the list.
fn timeline(timeline: &Timeline, scale: &Scale, name: &str, label: &str, limits: Limits) -> Markup {
    html! {
        div.timeline {
            (drawing(timeline, scale, name, label, limits.drawn))
            fieldset.range hidden {
                legend { "Only what happened from … to …" }
                input.from type="range" min="0" max="1000" value="0" aria-label="from, in parts of a thousand of the axis";
                input.to type="range" min="0" max="1000" value="1000" aria-label="to, in parts of a thousand of the axis";
                output.said aria-live="polite" {}
                button.zoom type="button" { "Zoom in" }
                button.clear type="button" { "Show all" }
            }
            p.pointed aria-hidden="true" {}
            (list(timeline, scale, name, limits))
        }
    }
}
