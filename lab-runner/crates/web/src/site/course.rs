//! The course as a picture: the steps of its roadmap on a winding way, the labs at them, and how far each has come.

use lab_runner::course::{Course, RoadmapStep};
use lab_runner::workspace::Lab;
use maud::{Markup, html};

use super::{Page, Site, live};
use crate::text;

/// How wide and how high a step's place is, in the picture's own units.
const CELL: (usize, usize) = (250, 118);
/// The same for the box in it.
const BOX: (usize, usize) = (210, 84);

/// A lab and its points.
struct Progress<'a> {
    lab: &'a Lab,
    score: Option<(u32, u32)>,
}

/// The first page.
pub(super) fn page(site: &Site) -> Page {
    let course = Course::load(&site.workspace.root.join("labs")).unwrap_or_default();
    let labs: Vec<Progress<'_>> =
        site.workspace.labs.iter().map(|lab| Progress { lab, score: site.state.lab(lab.id()).score }).collect();
    let here = site.state.last_lab();
    let got: u32 = labs.iter().filter_map(|lab| lab.score).map(|(score, _)| score).sum();
    let max: u32 = labs.iter().map(|lab| lab.score.map_or(100, |(_, max)| max)).sum();
    let main = html! {
        @for (columns, class) in [(4, "map wide"), (2, "map narrow")] {
            (map(site, &course.roadmap, &labs, here.as_deref(), columns, class))
        }
        h2 { "The labs" }
        ul.labs {
            @for Progress { lab, score } in &labs {
                li {
                    a href=(site.path(&["lab", lab.id()])) { (lab.id()) " " (lab.manifest.title) }
                    " " span.unit { (points(*score)) }
                    @if here.as_deref() == Some(lab.id()) { span.unit { "you are here" } }
                    p.why { (lab.manifest.summary) }
                }
            }
        }
    };
    let body = html! {
        header.top {
            h1 { (course.title) }
            (live::part("score", "score", &html! { (got) " of " (max) " points" }))
            p.facts { "This page looks again by itself whenever a lab is checked. " }
        }
        main { (live::part("course", "", &main)) }
    };
    Page { title: course.title.clone(), body }
}

fn points(score: Option<(u32, u32)>) -> String {
    score.map_or_else(|| "not begun".to_owned(), |(score, max)| format!("{score} of {max} points"))
}

/// The way through `steps`, `columns` of them side by side.
fn map(
    site: &Site,
    steps: &[RoadmapStep],
    labs: &[Progress<'_>],
    here: Option<&str>,
    columns: usize,
    class: &str,
) -> Markup {
    let rows = steps.len().div_ceil(columns);
    let size = format!("0 0 {} {}", columns * CELL.0, rows * CELL.1);
    html! {
        svg class=(class) viewBox=(size) role="img" aria-label="The roadmap as a way from step to step; the list of labs below says the same" {
            path.way d=(way(steps.len(), columns)) {}
            @for (number, step) in steps.iter().enumerate() {
                (stop(site, step, labs, here, corner(number, columns)))
            }
        }
    }
}

/// The upper left corner of a step's box. Every other row runs back, so that the way never jumps.
fn corner(number: usize, columns: usize) -> (usize, usize) {
    let (row, place) = (number / columns, number % columns);
    let column = if row.is_multiple_of(2) { place } else { columns - 1 - place };
    (column * CELL.0 + (CELL.0 - BOX.0) / 2, row * CELL.1 + (CELL.1 - BOX.1) / 2)
}

fn way(count: usize, columns: usize) -> String {
    let middle = |number| {
        let (x, y) = corner(number, columns);
        format!("{} {}", x + BOX.0 / 2, y + BOX.1 / 2)
    };
    format!("M {}", (0..count).map(middle).collect::<Vec<_>>().join(" L "))
}

fn stop(site: &Site, step: &RoadmapStep, labs: &[Progress<'_>], here: Option<&str>, (x, y): (usize, usize)) -> Markup {
    // A lab may serve several steps, and a step may have several labs; the picture has room for the one that is most about
    // it: the list has all.
    let serving = labs.iter().filter(|lab| lab.lab.manifest.roadmap.contains(&step.number));
    let lab = serving.min_by_key(|lab| lab.lab.manifest.roadmap.len());
    let is_here = lab.is_some_and(|lab| here == Some(lab.lab.id()));
    let class = format!("stop{}{}", if is_here { " here" } else { "" }, if lab.is_none() { " later" } else { "" });
    let drawn = html! {
        rect class=(class) x=(x) y=(y) width=(BOX.0) height=(BOX.1) rx="9" {}
        text x=(x + 14) y=(y + 25) { (step.number) " · " (text::title(&step.title, 24)) }
        @match lab {
            Some(Progress { lab, score }) => {
                text.dimmed x=(x + 14) y=(y + 45) { (text::title(&format!("{} {}", lab.id(), lab.manifest.title), 28)) }
                (bar(*score, x + 14, y + 58))
            }
            None => text.dimmed x=(x + 14) y=(y + 45) { "later" },
        }
    };
    match lab {
        Some(lab) => html! { a href=(site.path(&["lab", lab.lab.id()])) { (drawn) } },
        None => drawn,
    }
}

fn bar(score: Option<(u32, u32)>, x: usize, y: usize) -> Markup {
    let (score, max) = score.unwrap_or((0, 100));
    let width = usize::try_from(score * 130).unwrap_or_default().checked_div(usize::try_from(max).unwrap_or_default());
    let class = if score == max && max > 0 { "got" } else { "some" };
    html! {
        rect.bar x=(x) y=(y) width="130" height="8" rx="4" {}
        @if let Some(width @ 1..) = width { rect class=(class) x=(x) y=(y) width=(width) height="8" rx="4" {} }
        text.dimmed x=(x + 142) y=(y + 8) { (score) "/" (max) }
    }
}
