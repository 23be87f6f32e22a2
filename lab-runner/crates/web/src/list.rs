//! The list of a check's events: the truth, of which the drawing is the picture. Each event opens to its bytes, equal
//! ones are one item that opens to all of them.

use maud::{Markup, html};

use crate::text;
use crate::timeline::{Event, Item, Kind, Scale, Timeline, items};

/// How much a page may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most items of a list, and the most events of an item.
    pub items: usize,
    /// The most bytes of one message.
    pub bytes: usize,
    /// The most events of a drawing.
    pub drawn: usize,
}

impl Limits {
    /// Everything that a transcript has.
    pub const WHOLE: Self = Self { items: 4_000, bytes: 4_096, drawn: 4_000 };
}

/// The longest title of an event, in characters.
const TITLE: usize = 160;
/// The longest result, in characters.
const RESULT: usize = 60;

/// The list. `name` is what its ids begin with.
pub fn list(timeline: &Timeline, scale: &Scale, name: &str, limits: Limits) -> Markup {
    let all = items(timeline);
    let shown = &all[..all.len().min(limits.items)];
    let left_out = all.len() - shown.len();
    html! {
        ol.events {
            @for item in shown { (one(timeline, scale, name, item, limits)) }
        }
        @if left_out > 0 {
            p.cut { (left_out) " more events are left out here: result.json and " code { "cargo lab web" } " have them." }
        }
    }
}

fn one(timeline: &Timeline, scale: &Scale, name: &str, item: &Item, limits: Limits) -> Markup {
    let [first, rest @ ..] = item.events.as_slice() else { return html! {} };
    let event = &timeline.events[*first];
    if rest.is_empty() {
        return html! { li id=(id(name, *first)) data-a=(place(scale, event.from_us)) data-b=(place(scale, event.to_us)) {
            (opened(timeline, event, limits))
        } };
    }
    let events = || item.events.iter().map(|place| &timeline.events[*place]);
    let all: u64 = events().map(Event::took_us).sum();
    let until = events().map(|event| event.to_us).max().unwrap_or_default();
    let within = &item.events[..item.events.len().min(limits.items)];
    html! {
        li.group data-a=(place(scale, event.from_us)) data-b=(place(scale, until)) {
            details {
                summary {
                    (head(timeline, event))
                    b.times { "× " (item.events.len()) }
                    @if all > 0 { span.res { (text::duration(all)) " in all" } }
                }
                ol {
                    @for number in within {
                        @let event = &timeline.events[*number];
                        li id=(id(name, *number)) data-a=(place(scale, event.from_us)) data-b=(place(scale, event.to_us)) {
                            (opened(timeline, event, limits))
                        }
                    }
                }
                @if within.len() < item.events.len() {
                    p.cut { (item.events.len() - within.len()) " more of them are left out here." }
                }
            }
        }
    }
}

fn id(name: &str, number: usize) -> String {
    format!("{name}-{number}")
}

/// A place on the axis, in thousandths of a hundredth.
fn place(scale: &Scale, us: u64) -> String {
    format!("{:.0}", scale.place(us) * 1000.0)
}

/// An event that opens to its bytes, if these say more than its line.
fn opened(timeline: &Timeline, event: &Event, limits: Limits) -> Markup {
    let line = html! {
        (head(timeline, event))
        @if let Some(result) = result(event) { span class=(result.0) { (result.1) } }
    };
    if matches!(event.kind, Kind::Line | Kind::Request(_) | Kind::Run | Kind::Exchange { .. }) {
        return html! { details { summary { (line) } (bytes(event, limits)) } };
    }
    html! { div.flat { (line) } }
}

/// When, where and what.
fn head(timeline: &Timeline, event: &Event) -> Markup {
    let lane = &timeline.lanes[event.lane].name;
    html! {
        span.t { (text::ms(event.from_us)) }
        " "
        span class=(format!("at {}", class(event.kind))) { (lane) }
        " "
        span.what { (text::title(&event.title, TITLE)) }
        " "
    }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Request(_) | Kind::Run => "atq",
        Kind::Exchange { .. } => "atx",
        Kind::Fault => "atbad",
        _ => "",
    }
}

/// What came of an event and how long it took, and how that is shown.
fn result(event: &Event) -> Option<(&'static str, String)> {
    let took = || text::duration(event.took_us());
    let result = text::title(&event.result, RESULT);
    match event.kind {
        Kind::Request(0) => Some(("res bad", format!("no answer · {}", took()))),
        Kind::Request(class) => Some((if class == 5 { "res bad" } else { "res" }, format!("{result} · {}", took()))),
        Kind::Run if result.is_empty() => Some(("res", format!("no end seen · {}", took()))),
        Kind::Run => Some(("res", format!("{result} · {}", took()))),
        Kind::Exchange { refused } => {
            let waited = match event.waited_us {
                0 => String::new(),
                us => format!(" · waited {} for a lock", text::duration(us)),
            };
            let took = if event.took_us() > 0 { format!(" · {}", took()) } else { String::new() };
            let told = format!("{result}{took}{waited}");
            Some((if refused { "res bad" } else { "res" }, told.trim_start_matches(" · ").to_owned()))
        }
        _ => None,
    }
}

/// The bytes of an event, piece by piece. A carriage return is an escape already, and a line of its own besides.
fn bytes(event: &Event, limits: Limits) -> Markup {
    html! {
        @for part in &event.parts {
            div.part {
                span.t { (text::ms(part.at_us)) " " (part.mark) }
                pre { (text::shown(&part.text.replace("\\r\n", "\n"), limits.bytes)) }
            }
        }
    }
}
