//! Measurements for people.

use std::fmt::Write as _;

use super::style::strong;
use crate::bench::{Bench, Edits};

/// The measurements, a line each.
pub fn bench_table(bench: &Bench) -> String {
    let mut text = format!("{}\n", strong(format_args!("{}, median of {}", bench.lab, bench.rounds)));
    let mut row = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:<58} {value:>10}");
    };
    row("warm check of the solution", ms(bench.check_ms));
    row("cargo with nothing to do", ms(bench.cargo_ms));
    row(&format!("the longest check, {}", bench.longest), ms(bench.longest_ms));
    row("check ÷ (cargo + longest check)             aim: under 2", format!("{:.2}", bench.against_bound));
    row("added before the first check begins         aim: under 200", ms(bench.added_ms));
    let Edits { check, named, lab } = &bench.edits;
    row(&format!("an edit, until {check} is told"), ms(named.total_ms));
    row("  against cargo's part of it               aim: at most 1.5", format!("{:.2}", named.against_cargo));
    row("an edit, until the whole lab is told", ms(lab.total_ms));
    row("  against cargo's part of it", format!("{:.2}", lab.against_cargo));
    match &bench.one_by_one {
        Ok(slow) => {
            row(&format!("the {} checks one by one, containers for each", slow.checks), ms(slow.total_ms));
            row("  of that, starting and removing containers", ms(slow.containers_ms));
            row("one by one ÷ check                          aim: 10 at least", format!("{:.1}", slow.against_check));
        }
        Err(reason) => {
            let _ = writeln!(text, "  one by one with containers: not measured, {reason}");
        }
    }
    if !bench.providers.is_empty() {
        let _ = writeln!(text, "  services: {}", bench.providers.join(", "));
    }
    text
}

fn ms(value: f64) -> String {
    format!("{value:.0} ms")
}
