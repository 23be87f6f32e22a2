//! `cargo lab grade collect`: one report folder of those that the shards of a batch have written. It is refused where it would
//! not be what one machine had written: with a gap, something twice, or results that cannot be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::grade::{GradeReport, Graded, Part, Terms};

use crate::ResultsError;
use crate::files::{load, save};

/// A shard's folder, and what it says of itself.
struct Shard {
    folder: Utf8PathBuf,
    report: GradeReport,
    part: Part,
}

/// Joins the report folders `from` into `to`, which must not hold results yet. Gives the summary of all.
///
/// # Errors
/// They do not belong together, one is missing or there twice; or a file cannot be read or written.
pub fn collect(from: &[Utf8PathBuf], to: &Utf8Path) -> Result<GradeReport, ResultsError> {
    let shards: Vec<Shard> = from.iter().map(|folder| open(folder)).collect::<Result<_, _>>()?;
    let Some(first) = shards.first() else { return refuse("no report folder is named") };
    shards.iter().try_for_each(|other| comparable(first, other))?;
    complete(&shards)?;
    if to.join("grades.json").exists() || to.join("submissions").exists() {
        return refuse(format!("{to} holds results already"));
    }
    let graded = distinct(&shards)?;
    let missing: Vec<&String> =
        first.part.submissions.iter().filter(|name| !graded.contains_key(name.as_str())).collect();
    if !missing.is_empty() {
        return refuse(format!("no shard has {missing:?}"));
    }
    for (name, (shard, _)) in &graded {
        let source = shard.folder.join("submissions").join(name);
        // What could not be read has no result.
        if source.is_dir() {
            copy(&source, &to.join("submissions").join(name))?;
        }
    }
    let took = shards.iter().map(|shard| shard.report.duration_ms).max().unwrap_or_default();
    let all = graded.into_values().map(|(_, graded)| graded.clone()).collect();
    let report = GradeReport { shard: None, duration_ms: took, ..first.report.with(all) };
    let table = report.gradebook().map_err(|error| ResultsError::Write(error.to_string()))?;
    fs::create_dir_all(to).map_err(|source| ResultsError::File { path: to.to_owned(), source })?;
    let terms: Terms = load(&first.folder.join("grading.json"), "what a batch is graded with")?;
    save(&to.join("grading.json"), lab_runner::reporter::to_json(&Terms { shard: None, ..terms }).as_bytes())?;
    save(&to.join("gradebook.csv"), &table)?;
    save(&to.join("grades.json"), lab_runner::reporter::to_json(&report).as_bytes())?;
    Ok(report)
}

fn open(folder: &Utf8Path) -> Result<Shard, ResultsError> {
    let report: GradeReport = load(&folder.join("grades.json"), "the summary of a batch")?;
    match report.shard.clone() {
        Some(part) => Ok(Shard { folder: folder.to_owned(), report, part }),
        None => refuse(format!("{folder} holds a whole batch, and no shard of one")),
    }
}

/// Whether two shards are of one batch.
fn comparable(one: &Shard, other: &Shard) -> Result<(), ResultsError> {
    let (a, b) = (&one.report, &other.report);
    let seeds = (a.seed.to_string(), b.seed.to_string());
    let counts = (one.part.n.to_string(), other.part.n.to_string());
    let terms = [
        ("lab", &a.lab, &b.lab),
        ("suite", &a.suite_sha256, &b.suite_sha256),
        ("version of cargo lab", &a.runner_version, &b.runner_version),
        ("isolation", &a.isolation, &b.isolation),
        ("seed", &seeds.0, &seeds.1),
        ("number of shards", &counts.0, &counts.1),
    ];
    if let Some((what, left, right)) = terms.iter().find(|(_, left, right)| left != right) {
        return refuse(format!("{} and {} differ in their {what}: {left} and {right}", one.folder, other.folder));
    }
    if one.part.submissions != other.part.submissions {
        return refuse(format!("{} and {} were not given the same submissions", one.folder, other.folder));
    }
    Ok(())
}

/// Whether every shard is there once.
fn complete(shards: &[Shard]) -> Result<(), ResultsError> {
    let mut known: BTreeMap<u32, &Utf8PathBuf> = BTreeMap::new();
    for shard in shards {
        if let Some(other) = known.insert(shard.part.k, &shard.folder) {
            return refuse(format!("{other} and {} are both shard {}", shard.folder, shard.part.k));
        }
    }
    let n = shards.first().map_or(0, |shard| shard.part.n);
    let missing: Vec<String> = (1..=n).filter(|k| !known.contains_key(k)).map(|k| format!("{k}/{n}")).collect();
    if missing.is_empty() { Ok(()) } else { refuse(format!("shards are missing: {}", missing.join(", "))) }
}

/// All submissions by the names of their folders.
fn distinct(shards: &[Shard]) -> Result<BTreeMap<&str, (&Shard, &Graded)>, ResultsError> {
    let mut found = BTreeMap::new();
    for shard in shards {
        let planned: BTreeSet<&String> = shard.part.submissions.iter().collect();
        for graded in &shard.report.submissions {
            if !planned.contains(&graded.folder) {
                return refuse(format!("{} has {:?}, which the batch does not have", shard.folder, graded.folder));
            }
            if let Some((other, _)) = found.insert(graded.folder.as_str(), (shard, graded)) {
                let other: &Shard = other;
                return refuse(format!("{} and {} both have {:?}", other.folder, shard.folder, graded.folder));
            }
        }
    }
    Ok(found)
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<(), ResultsError> {
    let failed = |path: &Utf8Path, source| ResultsError::File { path: path.to_owned(), source };
    fs::create_dir_all(to).map_err(|source| failed(to, source))?;
    for entry in from.read_dir_utf8().map_err(|source| failed(from, source))? {
        let entry = entry.map_err(|source| failed(from, source))?;
        // A result's folder holds files alone.
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::copy(entry.path(), to.join(entry.file_name())).map_err(|source| failed(entry.path(), source))?;
        }
    }
    Ok(())
}

fn refuse<T>(why: impl Into<String>) -> Result<T, ResultsError> {
    Err(ResultsError::Refused(why.into()))
}
