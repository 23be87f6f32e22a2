//! The course as a map: the steps of the roadmap, the labs that serve them, how far the learner has come, and what to do
//! next. It fits 80 columns.

use super::inert;
use super::style::{dim, good, strong};
use crate::course::RoadmapStep;
use crate::events::LabOverview;

/// How long a bar is.
const BAR: u32 = 8;
/// The most columns of the roadmap's steps.
const STEPS: usize = 23;
/// The most columns of a lab's id and title.
const LAB: usize = 25;
/// As wide as the map may be.
const WIDTH: usize = 80;

/// The whole page.
pub(super) fn overview(
    title: &str,
    roadmap: &[RoadmapStep],
    languages: &[String],
    labs: &[LabOverview],
    here: Option<&str>,
) -> String {
    let next_lab = next_lab(labs, here);
    let here = here.or_else(|| next_lab.map(|lab| lab.id.as_str()));
    let mut text = head(title, labs);
    for lab in labs {
        text.push_str(&row(roadmap, lab, here == Some(lab.id.as_str())));
    }
    text.push_str(&later(roadmap, labs));
    text.push_str(&written_in(languages));
    text.push('\n');
    text.push_str(&next(next_lab));
    text.push_str(&dim("       all commands: cargo lab --help\n"));
    text
}

fn head(title: &str, labs: &[LabOverview]) -> String {
    let scores = || labs.iter().map(|lab| lab.progress.score);
    let got: u32 = scores().flatten().map(|(score, _)| score).sum();
    let max: u32 = scores().map(|score| score.map_or(100, |(_, max)| max)).sum();
    let points = format!("{got} of {max} points");
    let gap = WIDTH.saturating_sub(title.chars().count() + points.len()).max(1);
    format!("{}{}{points}\n\n", strong(title), " ".repeat(gap))
}

fn row(roadmap: &[RoadmapStep], lab: &LabOverview, here: bool) -> String {
    let title = |number: &u32| roadmap.iter().find(|step| step.number == *number).map(|step| step.title.as_str());
    let steps: Vec<&str> = lab.roadmap.iter().filter_map(title).collect();
    let name = pad(&format!("{} {}", lab.id, lab.title), LAB);
    let name = if here { strong(name) } else { name };
    let mark = if here { " ← you are here" } else { "" };
    format!("  {} {name} {}{}\n", pad(&steps.join(", "), STEPS), bar(lab), strong(mark))
        .trim_end_matches(' ')
        .to_owned()
}

fn bar(lab: &LabOverview) -> String {
    let Some((score, max)) = lab.progress.score else {
        return dim(format!("{}   -", "░".repeat(BAR as usize)));
    };
    let full = (BAR * score).checked_div(max).unwrap_or_default() as usize;
    let text = format!("{}{} {score:>3}", "█".repeat(full), "░".repeat(BAR as usize - full));
    if score == max { good(text) } else { text }
}

/// The steps that no lab serves yet.
fn later(roadmap: &[RoadmapStep], labs: &[LabOverview]) -> String {
    let open = roadmap.iter().filter(|step| labs.iter().all(|lab| !lab.roadmap.contains(&step.number)));
    let open: Vec<&str> = open.map(|step| step.title.as_str()).collect();
    if open.is_empty() { String::new() } else { dim(format!("  {}  later\n", open.join(" · "))) }
}

/// What submissions may be written in, if not in anything.
fn written_in(languages: &[String]) -> String {
    match languages {
        [] => String::new(),
        [only] => dim(format!("  submissions in {}\n", inert::line(only))),
        [all @ .., last] => {
            let all: Vec<_> = all.iter().map(|name| inert::line(name)).collect();
            dim(format!("  submissions in {} or {}\n", all.join(", "), inert::line(last)))
        }
    }
}

/// The lab that the learner is at, as long as it is not done; then the first that is not done after it, and then any.
fn next_lab<'a>(labs: &'a [LabOverview], here: Option<&str>) -> Option<&'a LabOverview> {
    let at = labs.iter().position(|lab| Some(lab.id.as_str()) == here).unwrap_or_default();
    let (before, from_here) = labs.split_at(at);
    let open = |lab: &&LabOverview| lab.progress.score.is_none_or(|(score, max)| score < max);
    from_here.iter().chain(before).find(open)
}

fn next(lab: Option<&LabOverview>) -> String {
    let Some(lab) = lab else { return "next   every lab is done. Well done!\n".to_owned() };
    match (&lab.progress.next, lab.progress.score) {
        (Some((task, title)), Some(_)) => {
            let about = format!("task {task} of {}: {title}", lab.id);
            format!("next   {}\n       cargo lab check {}\n", cut(&about, WIDTH - 7), lab.id)
        }
        _ => format!("next   read labs/{}/README.md, then\n       cargo lab check {}\n", lab.package, lab.id),
    }
}

/// `text` in exactly `width` columns.
fn pad(text: &str, width: usize) -> String {
    format!("{:<width$}", cut(text, width))
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LabProgress;

    #[test]
    fn what_is_next_is_where_the_learner_is_and_then_what_follows() {
        let lab = |id: &str, score| LabOverview {
            id: id.to_owned(),
            package: id.to_owned(),
            title: String::new(),
            summary: String::new(),
            roadmap: Vec::new(),
            progress: LabProgress { score: Some((score, 100)), ..LabProgress::default() },
        };
        let labs = [lab("one", 40), lab("two", 100), lab("three", 60), lab("four", 100)];
        let next = |here: Option<&str>| next_lab(&labs, here).map(|lab| lab.id.as_str());
        assert_eq!(next(None), Some("one"));
        assert_eq!(next(Some("three")), Some("three"), "though an earlier one is not done");
        assert_eq!(next(Some("two")), Some("three"));
        assert_eq!(next(Some("four")), Some("one"), "nothing follows");
        assert_eq!(next_lab(&labs[1..2], Some("two")).map(|lab| &lab.id), None);
    }
}
