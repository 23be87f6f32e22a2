//! A lab: its checks by task, its README, and the timeline of the check that is looked at.

use lab_protocol::Verdict;
use lab_runner::report::Check;
use lab_runner::workspace::Lab;
use maud::{Markup, html};

use super::shelf::Known;
use super::{Page, Site, live, markdown};
use crate::check::{Beside, Shown, section};
use crate::list::Limits;
use crate::report_page::tasks;
use crate::text;
use crate::timeline::Timeline;

/// The page of the lab `id`, with `check` in the place of the README if one is named.
pub(super) fn page(site: &Site, id: &str, check: Option<&str>) -> Option<Page> {
    let lab = site.workspace.labs.iter().find(|lab| lab.id() == id)?;
    let known = site.shelf.known(lab.id());
    let shown = match check {
        Some(name) => Some(known.checks.iter().find(|check| check.id == name)?),
        None => None,
    };
    let link = |check: &Check| site.path(&["lab", lab.id(), &check.id]);
    let body = html! {
        p.crumbs {
            a href=(site.path(&[])) { "all labs" } " / "
            a href=(site.path(&["lab", lab.id()])) { (lab.id()) " " (lab.manifest.title) }
            @if let Some(check) = shown { " / " (text::title(&check.id, 80)) }
        }
        div.columns {
            (live::part("tasks", "side", &html! {
                (state(&known))
                (tasks(&known.checks, &link, shown.map(|check| check.id.as_str())))
                @if known.checks.is_empty() { p.why.tasks { "No run of it is recorded yet: " code { "cargo lab check " (lab.id()) } } }
            }))
            main {
                @match shown {
                    Some(check) => (live::part("check", "", &looked_at(site, lab, check))),
                    None => div.readme { (readme(site, lab)) },
                }
            }
        }
    };
    let title =
        shown.map_or_else(|| format!("{} {}", lab.id(), lab.manifest.title), |check| text::title(&check.title, 120));
    Some(Page { title, body })
}

fn state(known: &Known) -> Markup {
    html! { @if known.going_on { p.tasks.live role="status" { "a run is going on" } } }
}

fn looked_at(site: &Site, lab: &Lab, check: &Check) -> Markup {
    let known = site.state.lab(lab.id());
    let hints = known.checks.get(&check.id).cloned().unwrap_or_default().hints_shown(check.hints.len());
    let limits = Limits::WHOLE;
    let timeline = &Timeline::new(&check.transcript);
    if check.transcript.is_empty() {
        return html! {
            (section(Shown { check, timeline, hints, beside: Beside::Nothing }, limits))
            @if check.verdict == Verdict::Skipped { p.why { "It was not asked in the recorded runs." } }
        };
    }
    let model = match may_see_model(site, lab) {
        Ok(()) => site.shelf.model(lab.id(), &check.id).ok_or_else(|| {
            format!(
                "To see the model answer's timeline beside it, record one: cargo lab check {} {} --solution",
                lab.id(),
                check.id
            )
        }),
        Err(why) => Err(why),
    };
    let beside = match &model {
        Ok(model) => Beside::Model(model),
        Err(why) => Beside::Words(why),
    };
    section(Shown { check, timeline, hints, beside }, limits)
}

/// Whoever looks too early learns less: as `cargo lab solution` has it.
fn may_see_model(site: &Site, lab: &Lab) -> Result<(), String> {
    if !lab.solution().is_dir() {
        return Err(format!("This course comes without the model answer of {}.", lab.id()));
    }
    let passed = site.state.lab(lab.id()).score.is_some_and(|(score, max)| score == max);
    if passed || site.anyway {
        return Ok(());
    }
    let id = lab.id();
    Err(format!(
        "The model answer's timeline stands here once all checks of {id} have passed; cargo lab web --anyway shows it before."
    ))
}

fn readme(site: &Site, lab: &Lab) -> Markup {
    let Ok(text) = std::fs::read_to_string(lab.folder.join("README.md")) else {
        return html! { p { "It has no README." } };
    };
    let link = |path: &str| {
        let folder = path.strip_prefix("../")?.split('/').next()?;
        let other = site.workspace.labs.iter().find(|lab| lab.package() == folder)?;
        Some(site.path(&["lab", other.id()]))
    };
    markdown::rendered(&text, &link)
}
