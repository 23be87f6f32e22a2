//! Measurements for people.

use std::fmt::Write as _;

use super::style::strong;
use crate::bench::{Batch, Bench, Edits};

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

/// What a batch took, a line each.
pub fn batch_table(batch: &Batch) -> String {
    let count = batch.submissions;
    let mut text = format!("{}\n", strong(format_args!("{}, {count} submissions, {} at once", batch.lab, batch.jobs)));
    let mut row = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:<58} {value:>10}");
    };
    row(
        &format!("grade, isolation {}: submissions a minute", batch.isolation),
        format!("{:.2}", batch.batch_per_minute),
    );
    if let (Some(usual), Some(times)) = (batch.usual_per_minute, batch.against_usual) {
        row(&format!("cargo test in a clean checkout, of {}: a minute", batch.usual), format!("{usual:.2}"));
        row("grade ÷ the usual way                       aim: 20", format!("{times:.1}"));
    }
    if let Some(memory) = &batch.memory {
        row("most memory at once, all processes", mib(memory.all_mebibytes));
        row("  without what ran in a sandbox", mib(memory.ours_mebibytes));
        row("  of that, for each submission at once      aim: under 150", mib(memory.ours_each_mebibytes));
    }
    let load = |load: Option<f64>| load.map_or("unknown".to_owned(), |load| format!("{load:.1}"));
    let (before, after) = (load(batch.load_before), load(batch.load_after));
    let _ = writeln!(text, "  load before and after: {before} and {after}, on {} processors", batch.processors);
    text
}

fn mib(value: f64) -> String {
    format!("{value:.0} MiB")
}

fn ms(value: f64) -> String {
    format!("{value:.0} ms")
}
