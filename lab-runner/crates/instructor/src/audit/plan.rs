//! What an audit proves, and in which order: where time is short, what matters most comes first.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use lab_runner::audit::Shard;
use lab_runner::hash;
use lab_runner::submission::Mutant;
use lab_runner::workspace::Workspace;

use super::record::Record;

/// How many mutants the starter and the solution of a lab take the time of, beside one for each round.
const WEIGHT_OF_SOLUTION: u64 = 20;

/// One thing that is proven of a lab, as a whole or not at all.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// The lab, by its place among those that are audited.
    pub lab: usize,
    /// What of it.
    pub subject: Subject,
}

/// What a unit proves.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    /// The starter does not pass, the solution does, and both are models.
    Solution,
    /// A mistake is caught.
    Mutant(Box<Mutant>),
}

impl Unit {
    /// How reports and records name it.
    pub(super) fn place(&self) -> String {
        match &self.subject {
            Subject::Solution => "solution".to_owned(),
            Subject::Mutant(mutant) => format!("mutant {}", mutant.name),
        }
    }

    /// The mutant, if it is one.
    pub(super) fn mutant(&self) -> Option<&Mutant> {
        match &self.subject {
            Subject::Solution => None,
            Subject::Mutant(mutant) => Some(mutant),
        }
    }

    /// How long it takes, measured in mutants, where the solution has to pass `repeat` times.
    fn weight(&self, repeat: u32) -> u64 {
        match self.subject {
            Subject::Solution => WEIGHT_OF_SOLUTION + u64::from(repeat),
            Subject::Mutant(_) => 1,
        }
    }
}

/// Those of `units`, given lab by lab, that belong to `shard`.
pub(super) fn share(units: Vec<Unit>, shard: Option<Shard>, repeat: u32) -> Vec<Unit> {
    match shard {
        Some(shard) => shard.keep(units, |unit| unit.weight(repeat)),
        None => units,
    }
}

/// Puts `units` in order. What is not proven yet by the labs' `records` comes first; within that, the solutions, then
/// one mutant for each check, then all others. Among equals chance decides, drawn from `seed`: over many runs that are
/// cut short everything has its turn, and the same commit has the same order everywhere.
pub(super) fn order(units: Vec<Unit>, records: &[Record], seed: &str) -> Vec<Unit> {
    let mut drawn: Vec<(String, Unit)> = units.into_iter().map(|unit| (draw(seed, &unit), unit)).collect();
    drawn.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut covered = BTreeSet::new();
    let mut ranked: Vec<((bool, u8), Unit)> = Vec::new();
    for (_, unit) in drawn {
        let proven = records[unit.lab].holds(&unit.place());
        let rank = match &unit.subject {
            Subject::Solution => 0,
            Subject::Mutant(mutant) => {
                let new = mutant.fails.iter().filter(|id| covered.insert((unit.lab, (*id).clone()))).count();
                if new > 0 { 1 } else { 2 }
            }
        };
        ranked.push(((proven, rank), unit));
    }
    // Stable: what was drawn decides among equals.
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, unit)| unit).collect()
}

fn draw(seed: &str, unit: &Unit) -> String {
    hash::text(&format!("{seed}\n{}\n{}", unit.lab, unit.place()))
}

/// What the order is drawn from: the commit's hash, or, where there is no git, the hash of all inputs.
pub(super) fn seed(workspace: &Workspace, records: &[Record]) -> String {
    commit(workspace).unwrap_or_else(|| records.iter().map(|record| record.inputs.as_str()).collect())
}

/// The hash of the commit that is checked out, if git knows it.
pub(super) fn commit(workspace: &Workspace) -> Option<String> {
    let git = Command::new("git")
        .args(["rev-parse", "--verify", "--quiet", "HEAD"])
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    git.status.success().then(|| String::from_utf8_lossy(&git.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;

    /// The mutant `name`, which fails `checks`.
    fn mutant(lab: usize, name: &str, checks: &str) -> Unit {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join(format!("{name}.patch"));
        std::fs::write(&path, format!("Breaks: it\nFails: {checks}\n")).unwrap();
        Unit { lab, subject: Subject::Mutant(Box::new(Mutant::load(&path).unwrap())) }
    }

    fn units() -> Vec<Unit> {
        let solution = |lab| Unit { lab, subject: Subject::Solution };
        let mut units = Vec::new();
        for lab in 0..2 {
            units.push(solution(lab));
            units.extend(["a", "b", "c"].map(|name| mutant(lab, name, "greets")));
            units.push(mutant(lab, "d", "greets, echoes"));
        }
        units
    }

    fn names(units: &[Unit]) -> Vec<String> {
        units.iter().map(|unit| format!("{} {}", unit.lab, unit.place())).collect()
    }

    fn none() -> Vec<Record> {
        vec![Record::new("one".into()), Record::new("two".into())]
    }

    #[test]
    fn solutions_come_first_then_a_mutant_for_each_check() {
        for seed in ["1", "2", "3", "4", "5"] {
            let ordered = order(units(), &none(), seed);
            assert!(ordered[..2].iter().all(|unit| unit.mutant().is_none()), "{:?}", names(&ordered));
            // The checks are covered as soon as `d` and perhaps one other of each lab were tried.
            for lab in 0..2 {
                let mutants: Vec<&str> = ordered
                    .iter()
                    .filter(|unit| unit.lab == lab)
                    .filter_map(|unit| Some(&*unit.mutant()?.name))
                    .collect();
                assert!(mutants[..2].contains(&"d"), "{mutants:?}");
            }
        }
    }

    #[test]
    fn chance_decides_the_same_way_for_one_commit_and_otherwise_for_another() {
        let with = |seed: &str| names(&order(units(), &none(), seed));
        assert_eq!(with("1"), with("1"));
        assert!(["2", "3", "4", "5"].iter().any(|seed| with(seed) != with("1")));
    }

    #[test]
    fn what_is_proven_already_comes_last() {
        let mut records = none();
        for unit in units().iter().filter(|unit| unit.lab == 0) {
            records[0].add(&unit.place());
        }
        let labs: Vec<usize> = order(units(), &records, "1").iter().map(|unit| unit.lab).collect();
        assert_eq!(labs, [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    }
}
