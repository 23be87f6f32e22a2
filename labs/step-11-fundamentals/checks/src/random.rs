//! Random orders, in as many ways of writing them as there are.

use std::collections::BTreeMap;

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;
use lab_kit::rand::rngs::StdRng;

/// How deep a random note may be.
const DEEPEST: u32 = 4;
/// The last second that a random time may have, before any offset: in the year 9998.
const LAST_SECOND: u64 = 253_300_000_000;

/// How an order is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// With white space, escapes and an order of members that chance has drawn.
    Free,
    /// The same about one of a few events, with sums that a report can hold.
    FewEvents,
}

/// An order as it is sent, and as it comes out.
#[derive(Debug)]
pub struct Written {
    pub written: String,
    /// With its line feed.
    pub canonical: String,
}

/// An order that chance has drawn.
pub fn random_order(lab: &Lab, style: Style) -> Written {
    lab.random(|random| order(random, style))
}

fn order(random: &mut StdRng, style: Style) -> Written {
    let seats = random.random_range(1..=1_000_u64);
    let most = i64::MAX.unsigned_abs() / 1_000;
    // A sum of several large ones is too much for a report.
    let is_large = style == Style::Free && random.random_range(0..8) == 0;
    let cents = random.random_range(0..=if is_large { most } else { 99_999 });
    let price = format!("{}.{:02}", cents / 100, cents % 100);
    let (at, utc) = time(random);
    let event = match style {
        Style::Free => text(random, 1),
        Style::FewEvents => {
            ["Jazz", "jazz", "Jazz ", "Opéra", "Z", "é", "\u{ff5e}", "🎷"][random.random_range(0..8)].to_owned()
        }
    };
    let id = text(random, 1);
    let mut members = vec![
        Member::text("id", &id, random),
        Member::text("event", &event, random),
        Member::text("price", &price, random),
        Member { name: "at".into(), written: at_text(&at, style, random), canonical: Some(canonical_text(&utc)) },
        Member { name: "seats".into(), written: seats.to_string(), canonical: Some(seats.to_string()) },
    ];
    if random.random() {
        let (written, canonical) = value(random, DEEPEST);
        members.push(Member { name: "note".into(), written, canonical: Some(canonical) });
    }
    if random.random_range(0..3) == 0 {
        let (written, _) = value(random, DEEPEST);
        members.push(Member { name: format!("more{}", text(random, 0)), written, canonical: None });
    }
    shuffle(random, &mut members);
    let (written, canonical) = object(random, &members);
    Written { written: spaced(random, &written), canonical: canonical + "\n" }
}

/// A time as a string. One change of an escape would make a `t` of a `T`, which the README leaves open.
fn at_text(at: &str, style: Style, random: &mut StdRng) -> String {
    if style == Style::FewEvents { canonical_text(at) } else { written_text(at, random) }
}

struct Member {
    name: String,
    written: String,
    /// Nothing where it is left out.
    canonical: Option<String>,
}

impl Member {
    fn text(name: &str, text: &str, random: &mut StdRng) -> Self {
        Self { name: name.into(), written: written_text(text, random), canonical: Some(canonical_text(text)) }
    }
}

/// Puts `items` into an order that chance has drawn.
pub fn shuffle<T>(random: &mut StdRng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.random_range(0..=last));
    }
}

/// An object as it is written and in the canonical form.
fn object(random: &mut StdRng, members: &[Member]) -> (String, String) {
    let mut sorted = BTreeMap::new();
    let mut written = Vec::new();
    for member in members {
        let name = written_text(&member.name, random);
        written.push(format!("{}:{}", spaced(random, &name), spaced(random, &member.written)));
        if let Some(canonical) = &member.canonical {
            sorted.insert(&member.name, canonical);
        }
    }
    let canonical: Vec<_> = sorted.iter().map(|(name, value)| format!("{}:{value}", canonical_text(name))).collect();
    let written = if written.is_empty() { space(random) } else { written.join(",") };
    (format!("{{{written}}}"), format!("{{{}}}", canonical.join(",")))
}

/// Any value, as it is written and in the canonical form.
fn value(random: &mut StdRng, depth: u32) -> (String, String) {
    match random.random_range(0..if depth == 0 { 4 } else { 7 }) {
        0 => {
            let word = ["null", "true", "false"][random.random_range(0..3)];
            (word.into(), word.into())
        }
        1 => {
            let number = number(random);
            (number.clone(), number)
        }
        2 | 3 => {
            let text = text(random, 0);
            (written_text(&text, random), canonical_text(&text))
        }
        4 | 5 => {
            let mut members: Vec<Member> = (0..random.random_range(0..6)).map(|_| member(random, depth)).collect();
            if let Some(first) = members.first().filter(|_| random.random_range(0..3) == 0) {
                let (written, canonical) = value(random, 0);
                members.push(Member { name: first.name.clone(), written, canonical: Some(canonical) });
            }
            object(random, &members)
        }
        _ => {
            let (mut written, mut canonical) = (Vec::new(), Vec::new());
            for _ in 0..random.random_range(0..6) {
                let (item, wanted) = value(random, depth - 1);
                written.push(spaced(random, &item));
                canonical.push(wanted);
            }
            let inside = if written.is_empty() { space(random) } else { written.join(",") };
            (format!("[{inside}]"), format!("[{}]", canonical.join(",")))
        }
    }
}

fn member(random: &mut StdRng, depth: u32) -> Member {
    let (written, canonical) = value(random, depth - 1);
    Member { name: text(random, 0), written, canonical: Some(canonical) }
}

/// A number in any form of the grammar.
fn number(random: &mut StdRng) -> String {
    let mut number = String::new();
    if random.random_range(0..3) == 0 {
        number.push('-');
    }
    let digits = |random: &mut StdRng| -> String {
        (0..random.random_range(1..25)).map(|_| char::from(random.random_range(b'0'..=b'9'))).collect()
    };
    let whole = digits(random);
    let whole = whole.trim_start_matches('0');
    number.push_str(if whole.is_empty() { "0" } else { whole });
    if random.random() {
        number += &format!(".{}", digits(random));
    }
    if random.random_range(0..3) == 0 {
        let sign = ["", "+", "-"][random.random_range(0..3)];
        number += &format!("{}{sign}{}", if random.random() { 'e' } else { 'E' }, digits(random));
    }
    number
}

/// A text of at least `least` characters of all kinds.
fn text(random: &mut StdRng, least: usize) -> String {
    let length = least + random.random_range(0..12);
    (0..length).map(|_| character(random)).collect()
}

fn character(random: &mut StdRng) -> char {
    let odd =
        ['"', '\\', '/', '\u{8}', '\u{c}', '\n', '\r', '\t', '\0', '\u{1f}', ' ', '\u{7f}', '{', ']', ',', ':', '\''];
    let wide = [
        'é', 'ß', '\u{80}', '\u{ad}', '€', '\u{2028}', '\u{2029}', '\u{feff}', '\u{fffd}', '\u{ffff}', '\u{ff5e}',
        '\u{d7ff}',
    ];
    let wider = ['\u{10000}', '🎷', '🎫', '\u{1f468}', '\u{10ffff}'];
    match random.random_range(0..10) {
        0 | 1 => odd[random.random_range(0..odd.len())],
        2 => wide[random.random_range(0..wide.len())],
        3 => wider[random.random_range(0..wider.len())],
        4 => char::from_u32(random.random_range(0..0x11_0000)).unwrap_or('\u{e000}'),
        5 => char::from(random.random_range(0..0x20_u8)),
        _ => char::from(random.random_range(b' '..=b'~')),
    }
}

/// `text` as a string that is escaped where it has to be, and where chance wants it.
fn written_text(text: &str, random: &mut StdRng) -> String {
    let mut written = String::from("\"");
    for character in text.chars() {
        let short = match character {
            '"' | '\\' | '/' => Some(character),
            '\u{8}' => Some('b'),
            '\u{c}' => Some('f'),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            _ => None,
        };
        let must = character < ' ' || "\"\\".contains(character);
        match short {
            Some(letter) if (must && random.random()) || (!must && random.random_range(0..3) == 0) => {
                written.extend(['\\', letter]);
            }
            _ if must || random.random_range(0..8) == 0 => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    written += &if random.random() { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") };
                }
            }
            _ => written.push(character),
        }
    }
    written + "\""
}

/// `text` as a string in the canonical form (README, the program).
pub fn canonical_text(text: &str) -> String {
    let mut written = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => written += "\\\"",
            '\\' => written += "\\\\",
            '\u{8}' => written += "\\b",
            '\u{c}' => written += "\\f",
            '\n' => written += "\\n",
            '\r' => written += "\\r",
            '\t' => written += "\\t",
            '\0'..='\u{1f}' => written += &format!("\\u{:04x}", u32::from(character)),
            _ => written.push(character),
        }
    }
    written + "\""
}

/// `token` with white space around it, or without.
fn spaced(random: &mut StdRng, token: &str) -> String {
    format!("{}{token}{}", space(random), space(random))
}

fn space(random: &mut StdRng) -> String {
    let count = if random.random_range(0..3) == 0 { random.random_range(1..4) } else { 0 };
    (0..count).map(|_| [' ', '\t', '\r'][random.random_range(0..3)]).collect()
}

/// A time with any offset, and the same in UTC.
fn time(random: &mut StdRng) -> (String, String) {
    let seconds = random.random_range(90_000..LAST_SECOND);
    let nanoseconds: u32 = if random.random() { 0 } else { random.random_range(0..1_000_000_000) };
    let digits = random.random_range(0..10_usize);
    let kept = format!("{nanoseconds:09}")[..digits].to_owned();
    let nanoseconds = format!("{kept:0<9}").parse().unwrap_or_default();
    let fraction = if digits > 0 { format!(".{kept}") } else { String::new() };
    let utc = crate::model::Instant::new(seconds, nanoseconds).to_string();
    let minutes = random.random_range(0..24 * 60_u64);
    let (local, offset) = match random.random_range(0..3) {
        0 => (seconds, "Z".to_owned()),
        1 => (seconds + minutes * 60, format!("+{:02}:{:02}", minutes / 60, minutes % 60)),
        _ => (seconds - minutes * 60, format!("-{:02}:{:02}", minutes / 60, minutes % 60)),
    };
    let local = crate::model::Instant::new(local, 0).to_string();
    (format!("{}{fraction}{offset}", local.trim_end_matches('Z')), utc)
}
