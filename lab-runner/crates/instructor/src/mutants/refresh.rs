//! A mutant's patch after the solution has moved: applied where its lines stand now, and written anew.

use camino::{Utf8Path, Utf8PathBuf};
use diffy::DiffOptions;
use lab_runner::submission::Tree;
use lab_runner::submission::mutant::patch::{self, Change, Refusal};
use lab_runner::submission::mutant::{Head, Mutant, MutantError, Refreshed};

use super::history::History;
use super::place;

/// Carries the patch of `mutant` over to `solution`: as it is, moved, by a three-way merge from the solution it was made for
/// according to `history`, or by what is left of its context. Writes nothing.
///
/// # Errors
/// It is no unified diff, reaches what no submission can hold, or none of these ways leads to one clear result.
pub fn refresh(
    mutant: &Mutant,
    solution: &Tree,
    editable: &[Utf8PathBuf],
    history: &mut History,
) -> Result<Refreshed, MutantError> {
    let changes = patch::parse(mutant.text(), editable).map_err(|refusal| mutant.does_not_apply(refusal))?;
    let applied = patch::apply(mutant.text(), solution.clone(), editable);
    if applied.is_ok() && stand(&changes, solution) == Stand::InPlace {
        return Ok(Refreshed::Current);
    }
    if let Ok(mutated) = &applied
        && stand(&changes, solution) == Stand::Once
    {
        return Ok(Refreshed::Moved { patch: written(mutant, solution, mutated) });
    }
    let line = changes.first().map_or(1, |change| change.line);
    let refused = |message: String| mutant.does_not_apply(Refusal { line, message });
    let merged = merged(mutant, &changes, solution, editable, history);
    if let Some((base, Ok(mutated))) = &merged {
        if mutated == solution {
            return Err(refused(format!("the solution has had the same change since {}", short(base))));
        }
        return Ok(Refreshed::Merged { patch: written(mutant, solution, mutated), base: short(base).to_owned() });
    }
    match (place::place(&changes, solution), merged, applied) {
        (Ok(mutated), ..) => Ok(Refreshed::Placed { patch: written(mutant, solution, &mutated) }),
        (Err(_), Some((_, Err(conflict))), _) => Err(refused(conflict)),
        (Err(_), None, Err(refusal)) => Err(mutant.does_not_apply(refusal)),
        (Err((line, message)), ..) => Err(mutant.does_not_apply(Refusal { line, message })),
    }
}

/// The first base that the patch applies to, and what a three-way merge from there comes to.
fn merged(
    mutant: &Mutant,
    changes: &[Change<'_>],
    solution: &Tree,
    editable: &[Utf8PathBuf],
    history: &mut History,
) -> Option<(String, Result<Tree, String>)> {
    let paths: Vec<&Utf8Path> =
        changes.iter().flat_map(|change| [&change.from, &change.to]).flatten().map(AsRef::as_ref).collect();
    for commit in history.bases(&mutant.path) {
        let base = history.solution_at(&commit, &paths);
        if stand(changes, &base) != Stand::InPlace {
            continue;
        }
        if let Ok(mutated) = patch::apply(mutant.text(), base.clone(), editable) {
            let merged = merge(&base, solution, &mutated).map_err(|what| {
                format!("{what} since {}, the last commit whose solution the patch fits", short(&commit))
            });
            return Some((commit, merged));
        }
    }
    None
}

/// The patch with its head as it is and a diff that leads from `solution` to `mutated`.
fn written(mutant: &Mutant, solution: &Tree, mutated: &Tree) -> String {
    let head: String = Head::of(mutant.text()).lines().map(|line| format!("{line}\n")).collect();
    head + &diff(solution, mutated)
}

/// The diff that leads from `solution` to `mutated`.
pub(super) fn diff(solution: &Tree, mutated: &Tree) -> String {
    let mut text = String::new();
    let mut paths: Vec<&Utf8PathBuf> = solution.0.keys().chain(mutated.0.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let (before, after) = (solution.0.get(path), mutated.0.get(path));
        if before == after {
            continue;
        }
        let side = |top: &str, content: Option<&Vec<u8>>| match content {
            Some(_) => format!("{top}/{path}"),
            None => "/dev/null".to_owned(),
        };
        let content = |content: Option<&Vec<u8>>| {
            content.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
        };
        let (old, new) = (content(before), content(after));
        let mut options = DiffOptions::new();
        options.set_original_filename(side("a", before)).set_modified_filename(side("b", after));
        text.push_str(&options.create_patch(&old, &new).to_string());
    }
    text
}

/// Where the old lines of a diff stand.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stand {
    /// On the lines that the diff says.
    InPlace,
    /// Each hunk's elsewhere, but in one place.
    Once,
    /// Some hunk's in several places or none, so that a guess would be needed.
    Unclear,
}

fn stand(changes: &[Change<'_>], tree: &Tree) -> Stand {
    let of_change = |change: &Change<'_>| {
        let Some(from) = &change.from else {
            let absent = change.to.as_ref().is_some_and(|to| !tree.0.contains_key(to));
            return if absent { Stand::InPlace } else { Stand::Unclear };
        };
        let Some(Ok(text)) = tree.0.get(from).map(|bytes| std::str::from_utf8(bytes)) else { return Stand::Unclear };
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        change.patch.hunks().iter().map(|hunk| stand_of_hunk(hunk, &lines)).max().unwrap_or(Stand::InPlace)
    };
    changes.iter().map(of_change).max().unwrap_or(Stand::Unclear)
}

fn stand_of_hunk(hunk: &diffy::Hunk<'_, str>, lines: &[&str]) -> Stand {
    let old: Vec<&str> = hunk.lines().iter().filter_map(place::old_line).collect();
    let told = hunk.old_range().start().saturating_sub(1);
    if lines.get(told..told + old.len()).is_some_and(|there| there == old) {
        return Stand::InPlace;
    }
    let found = lines.windows(old.len().max(1)).filter(|window| *window == old).count();
    if found == 1 { Stand::Once } else { Stand::Unclear }
}

/// `solution` with what leads from `base` to `mutated`, which are the files that a patch names.
///
/// # Errors
/// Both changed the same lines: where, in words.
fn merge(base: &Tree, solution: &Tree, mutated: &Tree) -> Result<Tree, String> {
    let mut tree = solution.clone();
    for path in base.0.keys().chain(mutated.0.keys()) {
        let (before, after, now) = (base.0.get(path), mutated.0.get(path), solution.0.get(path));
        if before == after || now == after {
            continue;
        }
        let merged = match (before, after, now) {
            (before, after, now) if before == now => after.cloned(),
            (Some(before), Some(after), Some(now)) => Some(merge_file(path, before, now, after)?),
            (Some(_), _, None) => return Err(format!("{path} has gone from the solution")),
            (Some(_), None, Some(_)) => return Err(format!("{path}, which the mutant removes, has changed")),
            (None, ..) => return Err(format!("the solution has got a {path} of its own")),
        };
        match merged {
            Some(content) => tree.0.insert(path.clone(), content),
            None => tree.0.remove(path),
        };
    }
    Ok(tree)
}

fn merge_file(path: &Utf8Path, base: &[u8], now: &[u8], mutated: &[u8]) -> Result<Vec<u8>, String> {
    diffy::merge_bytes(base, now, mutated).map_err(|conflict| {
        let text = String::from_utf8_lossy(&conflict).into_owned();
        let line = text.lines().take_while(|line| !line.starts_with("<<<<<<<")).count() + 1;
        format!("the solution has changed the same lines of {path} (near line {line})")
    })
}

fn short(commit: &str) -> &str {
    &commit[..commit.len().min(10)]
}
