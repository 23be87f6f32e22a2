//! A timeline as SVG. It is the picture of the list below it, and says nothing that is not there.
//!
//! Places along the axis are percentages, so that the picture is as wide as there is room and no text is stretched.
//! Everything is in attributes: a style attribute would need a weaker content security policy.

use maud::{Markup, html};

use crate::text;
use crate::timeline::{Bracket, BracketKind, Event, Kind, Lane, LaneKind, Scale, Timeline};

/// The height of the axis, in pixels.
const AXIS: usize = 22;
/// The room between lanes, in pixels.
const GAP: usize = 5;
/// How many labels the axis has at most.
const TICKS: usize = 10;
/// How many rows a service's lane has at most: what a client sends ahead stands below one another, and is not to fill the
/// page. What is beyond shares the last.
const SERVICE_ROWS: usize = 16;
/// How many kinds of services have a colour of their own.
const COLOURS: usize = 3;

/// Where a lane is, in pixels from the top.
struct Band {
    top: usize,
    row: usize,
    height: usize,
}

/// The picture of `timeline` on `scale`, with `most` events at most. `name` is what the list's ids begin with.
pub fn drawing(timeline: &Timeline, scale: &Scale, name: &str, label: &str, most: usize) -> Markup {
    let bands = bands(timeline);
    let height = bands.last().map_or(AXIS, |band| band.top + band.height) + GAP;
    html! {
        div.plot data-name=(name) data-scale=(joints(scale)) {
            svg.names width="104" height=(height) aria-hidden="true" {
                @for (lane, band) in timeline.lanes.iter().zip(&bands) {
                    text x="0" y=(band.top + band.height.min(24) / 2 + 4) { (lane.name) }
                }
            }
            svg.area width="100%" height=(height) role="img" aria-label=(summary(timeline, label)) {
                svg.inner x="0%" y="0" width="100%" height=(height) {
                    @for (lane, band) in timeline.lanes.iter().zip(&bands) {
                        rect.lane.check[lane.kind == LaneKind::Check] x="0" y=(band.top) width="100%" height=(band.height) {}
                    }
                    (axis(scale, height))
                    @for bracket in &timeline.brackets { (bracketed(bracket, &bands, scale)) }
                    @for (number, event) in timeline.events.iter().enumerate().take(most) {
                        (drawn(timeline, number, event, &bands, scale))
                    }
                }
                rect.chosen x="0%" y="0" width="0%" height=(height) {}
            }
        }
        @if timeline.events.len() > most {
            p.cut { "Drawn are the first " (most) " of " (timeline.events.len()) " events." }
        }
    }
}

/// What the picture shows, for who does not see it.
fn summary(timeline: &Timeline, label: &str) -> String {
    let (requests, exchanges, faults) = timeline.counts();
    let counted = |count: usize, one: &str, more: &str| match count {
        0 => String::new(),
        1 => format!("1 {one}, "),
        _ => format!("{count} {more}, "),
    };
    format!(
        "Timeline of {label}: {}{}{}{}{} in all. Every event is in the list below.",
        counted(timeline.runs(), "run of the program", "runs of the program"),
        counted(requests, "request", "requests"),
        counted(exchanges, "statement or command", "statements and commands"),
        counted(faults, "fault", "faults"),
        text::duration(timeline.length_us),
    )
}

fn bands(timeline: &Timeline) -> Vec<Band> {
    let mut top = AXIS;
    let band = |lane: &Lane| {
        let rows = rows(lane);
        let row = match rows {
            0..=4 => 13,
            5..=12 => 8,
            _ => 4,
        };
        let height = (rows * row + 6).max(19);
        let band = Band { top, row, height };
        top += height + GAP;
        band
    };
    timeline.lanes.iter().map(band).collect()
}

fn rows(lane: &Lane) -> usize {
    if matches!(lane.kind, LaneKind::Service(_)) { lane.rows.min(SERVICE_ROWS) } else { lane.rows }
}

/// The scale for the script: times in microseconds and places in thousandths.
fn joints(scale: &Scale) -> String {
    let joint = |(us, place): &(u64, f64)| format!("{us}:{:.0}", place * 1000.0);
    scale.joints.iter().map(joint).collect::<Vec<_>>().join(" ")
}

fn axis(scale: &Scale, height: usize) -> Markup {
    html! {
        g.axis {
            @for us in scale.ticks(TICKS) {
                line x1=(at(scale, us)) x2=(at(scale, us)) y1="16" y2=(height) {}
                text x=(at(scale, us)) y="12" { (tick(us)) }
            }
        }
        @for fold in &scale.folds {
            rect.fold x=(at(scale, fold.from_us)) width=(width(scale, fold.from_us, fold.to_us)) y="16" height=(height - 16) {}
            text.fold x=(at(scale, fold.from_us.midpoint(fold.to_us))) y="12" { "⋯ " (text::duration(fold.to_us - fold.from_us)) }
        }
    }
}

/// A label of the axis, in milliseconds.
fn tick(us: u64) -> String {
    if us.is_multiple_of(1000) { (us / 1000).to_string() } else { format!("{}.{}", us / 1000, us % 1000 / 100) }
}

fn bracketed(bracket: &Bracket, bands: &[Band], scale: &Scale) -> Markup {
    let band = &bands[bracket.lane];
    let (x, wide) = (at(scale, bracket.from_us), width(scale, bracket.from_us, bracket.to_us));
    let class = match bracket.kind {
        BracketKind::Committed => "tx",
        BracketKind::Undone => "tx undone",
        BracketKind::Disturbed => "hurt",
        BracketKind::Life => {
            let y = band.top + band.height / 2 - 2;
            return html! { rect.life x=(x) y=(y) width=(wide) height="4" {} };
        }
    };
    html! { rect class=(class) x=(x) y=(band.top + 1) width=(wide) height=(band.height - 2) {} }
}

fn drawn(timeline: &Timeline, number: usize, event: &Event, bands: &[Band], scale: &Scale) -> Markup {
    let band = &bands[event.lane];
    let last = rows(&timeline.lanes[event.lane]) - 1;
    let (x, y, tall) = (at(scale, event.from_us), band.top + 3 + event.row.min(last) * band.row, band.row.max(3) - 1);
    let wide = width(scale, event.from_us, event.to_us);
    let middle = band.top + band.height / 2;
    match event.kind {
        Kind::Request(class) => html! {
            rect class=(format!("q q{class}")) data-e=(number) x=(x) y=(y) width=(wide) height=(tall) {}
            @if let Some(lane) = server_of(timeline, event) {
                rect.served x=(x) y=(bands[lane].top + bands[lane].height / 2 - 5) width=(wide) height="10" {}
            }
        },
        Kind::Run => html! { rect.q data-e=(number) x=(x) y=(y) width=(wide) height=(tall) {} },
        Kind::Exchange { refused } => {
            let colour = match timeline.lanes[event.lane].kind {
                LaneKind::Service(number) => number % COLOURS,
                _ => 0,
            };
            let class = format!("x s{colour}{}", if refused { " no" } else { "" });
            let waits_from = event.to_us - event.waited_us;
            html! {
                rect class=(class) data-e=(number) x=(x) y=(y) width=(wide) height=(tall) {}
                @if event.waited_us > 0 {
                    rect.wait x=(at(scale, waits_from)) y=(y) width=(width(scale, waits_from, event.to_us)) height=(tall) {}
                }
            }
        }
        Kind::Line => html! { rect.l data-e=(number) x=(x) y=(band.top + 4) width="0.05%" height=(band.height - 8) {} },
        Kind::Fault => html! {
            line.fault x1=(x) x2=(x) y1=(AXIS - 6) y2=(deepest(timeline, event, bands)) {}
            text.mark.bad data-e=(number) x=(x) y=(middle + 5) { "⚡" }
        },
        kind => html! {
            @let (glyph, class) = mark(kind);
            text class=(format!("mark {class}")) data-e=(number) x=(x) y=(middle + 5) { (glyph) }
        },
    }
}

fn mark(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Born => ("○", "good"),
        Kind::Ready => ("●", "good"),
        Kind::Signal => ("▼", "warn"),
        Kind::Ended => ("■", ""),
        Kind::Restored => ("✓", "good"),
        _ => ("◆", ""),
    }
}

/// The lane of the server that had a part in `event`, if it runs there.
fn server_of(timeline: &Timeline, event: &Event) -> Option<usize> {
    let name = format!("server :{}", event.port?);
    let of_it = |lane: &usize| {
        let life = timeline.brackets.iter().find(|bracket| bracket.lane == *lane && bracket.kind == BracketKind::Life);
        life.is_some_and(|life| life.from_us <= event.from_us && event.from_us <= life.to_us)
    };
    let lanes =
        timeline.lanes.iter().enumerate().filter(|(_, lane)| lane.kind == LaneKind::Server && lane.name == name);
    lanes.map(|(lane, _)| lane).find(of_it)
}

/// How far down a fault reaches: to the last lane that it disturbs.
fn deepest(timeline: &Timeline, fault: &Event, bands: &[Band]) -> usize {
    let of_it = |bracket: &&Bracket| bracket.kind == BracketKind::Disturbed && bracket.from_us == fault.from_us;
    let lane = timeline.brackets.iter().filter(of_it).map(|bracket| bracket.lane).max().unwrap_or(fault.lane);
    bands[lane].top + bands[lane].height
}

fn at(scale: &Scale, us: u64) -> String {
    percent(scale.place(us))
}

fn width(scale: &Scale, from_us: u64, to_us: u64) -> String {
    percent((scale.place(to_us) - scale.place(from_us)).max(0.05))
}

fn percent(place: f64) -> String {
    let text = format!("{place:.3}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
