//! The gradebook as a page: for each lab how the points are spread and what stopped learners, then everybody's points. One
//! file, with nothing from elsewhere and no script.

use lab_runner::reporter::inert;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::book::{Book, Cell, Column, number};
use super::cohort::{self, Cohort};

/// The page's own style, and nothing else, is loaded.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// How many of a lab's obstacles are shown.
const SHOWN: usize = 12;

/// The page of `book`.
pub(super) fn page(book: &Book) -> String {
    let all = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Gradebook" }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body { (body(book)) }
        }
    };
    all.into_string()
}

fn body(book: &Book) -> Markup {
    html! {
        h1 { "Gradebook: " (book.learners.len()) " learners, " (book.labs.len()) " labs" }
        @if !book.notes.is_empty() {
            h2 { "To look at" }
            ul { @for note in &book.notes { li { (inert(note)) } } }
        }
        @for (place, lab) in book.labs.iter().enumerate() { (cohort(lab, &cohort::of(book, place), book.learners.len())) }
        h2 { "Everybody's points" }
        div.wide tabindex="0" role="region" aria-label="Everybody's points" { (points(book)) }
    }
}

fn cohort(lab: &Column, of: &Cohort, learners: usize) -> Markup {
    html! {
        section {
            h2 { (inert(&lab.lab)) " " (inert(&lab.title)) }
            p {
                (of.graded) " of " (learners) " have a grade"
                @if of.graded > 0 { "; the median is " (number(of.median * 100.0)) " %, before what being late costs" }
            }
            @if of.graded > 0 { (spread(of)) }
            @if !of.obstacles.is_empty() {
                table {
                    thead { tr {
                        th { "check" } th.n { "first to fail" } th.n { "failed" } th { "most often" }
                    } }
                    tbody { @for one in of.obstacles.iter().take(SHOWN) { tr {
                        td { code { (inert(&one.id)) } br; small { (inert(&one.title)) } }
                        td.n { (one.first) }
                        td.n { (one.failed) }
                        td { (shortened(&one.commonest.0)) @if one.commonest.1 > 1 { small { " (" (one.commonest.1) " times)" } } }
                    } } }
                }
                @if of.obstacles.len() > SHOWN { p { (of.obstacles.len() - SHOWN) " more checks failed." } }
            }
        }
    }
}

/// How the points are spread, as bars with their numbers.
fn spread(of: &Cohort) -> Markup {
    let most = of.spread.iter().copied().max().unwrap_or_default().max(1);
    let label = |class: usize| if class == 10 { "100 %".to_owned() } else { format!("from {}", class * 10) };
    html! {
        svg viewBox="0 0 550 130" width="550" role="img" aria-label="how many have how many percent of the points" {
            @for (class, count) in of.spread.iter().enumerate() {
                @let height = count * 90 / most;
                rect.bar x=(class * 50 + 6) y=(105 - height) width="38" height=(height) {}
                text x=(class * 50 + 25) y=(100 - height) text-anchor="middle" { (count) }
                text x=(class * 50 + 25) y="122" text-anchor="middle" { (label(class)) }
            }
        }
    }
}

fn points(book: &Book) -> Markup {
    html! {
        table {
            thead { tr {
                th { "learner" }
                @for lab in &book.labs { th.n { (inert(&lab.lab)) br; small { "of " (number(lab.points)) } } }
            } }
            tbody { @for row in &book.learners { tr {
                th scope="row" { (inert(&row.learner)) @if !row.name.is_empty() { br; small { (inert(&row.name)) } } }
                @for cell in &row.cells { td.n { (one(cell)) } }
            } } }
        }
    }
}

fn one(cell: &Cell) -> Markup {
    html! {
        @match cell.points {
            Some(points) => (number(points)),
            None => span aria-label="no grade" { "–" },
        }
        @for note in &cell.notes { br; small { (shortened(note)) } }
    }
}

/// At most the first letters of a message, on one line.
fn shortened(text: &str) -> String {
    const LETTERS: usize = 160;
    let line = inert(text).replace('\n', " ");
    match line.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
