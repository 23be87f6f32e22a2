//! The list of events: equal ones that belong to the same request, or the same burst of requests, are one item.

use std::collections::HashMap;

use super::{Event, Kind, Timeline};

/// One item of the list: an event, or equal ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The events, by their places in the timeline.
    pub events: Vec<usize>,
}

/// What makes events equal.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Likeness<'a> {
    lane: String,
    title: &'a str,
    outcome: (u8, bool),
}

/// The items of `timeline`, by the beginning of their first events.
#[must_use]
pub fn items(timeline: &Timeline) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut known: HashMap<Likeness<'_>, usize> = HashMap::new();
    let mut busy_until = 0;
    for (place, event) in timeline.events.iter().enumerate() {
        // A request that begins when no other is under way begins something new, and so does a change of the scene.
        let alone = event.kind.is_turn() && event.from_us >= busy_until;
        if alone || is_scene(event.kind) {
            known.clear();
        }
        if event.kind.is_turn() {
            busy_until = busy_until.max(event.to_us);
        }
        let likeness = likeness(timeline, event);
        match likeness.as_ref().and_then(|likeness| known.get(likeness).copied()) {
            Some(item) => items[item].events.push(place),
            None => {
                known.extend(likeness.map(|likeness| (likeness, items.len())));
                items.push(Item { events: vec![place] });
            }
        }
    }
    // Two on different connections are more to be told apart than counted.
    let apart = |item: Item| -> Vec<Item> {
        let lane = |place: &usize| timeline.events[*place].lane;
        match item.events.as_slice() {
            [one, other] if lane(one) != lane(other) => {
                item.events.into_iter().map(|one| Item { events: vec![one] }).collect()
            }
            _ => vec![item],
        }
    };
    let mut items: Vec<Item> = items.into_iter().flat_map(apart).collect();
    items.sort_by_key(|item| item.events[0]);
    items
}

/// Whether what is equal before and after it is not the same.
fn is_scene(kind: Kind) -> bool {
    !kind.is_turn() && !matches!(kind, Kind::Exchange { .. } | Kind::Line | Kind::Note)
}

fn likeness<'a>(timeline: &Timeline, event: &'a Event) -> Option<Likeness<'a>> {
    let outcome = match event.kind {
        Kind::Request(class) => (class, false),
        Kind::Exchange { refused } => (0, refused),
        Kind::Line => (0, false),
        _ => return None,
    };
    // On whichever connection: what is asked fifty times is asked fifty times.
    let lane = format!("{:?}", timeline.lanes[event.lane].kind);
    Some(Likeness { lane, title: &event.title, outcome })
}
