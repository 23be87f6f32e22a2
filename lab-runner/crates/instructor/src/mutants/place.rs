//! Places a diff by its context: where its lines stand now, in this file or, once, in another.

use camino::{Utf8Path, Utf8PathBuf};
use diffy::{Hunk, Line};
use lab_runner::submission::Tree;
use lab_runner::submission::mutant::patch::Change;

/// How many of a hunk's outermost lines of context may be left out, as in patch(1).
const MOST_FUZZ: usize = 2;
/// How many letters and digits the lines have to hold that are looked for: a closing brace is everywhere.
const FEWEST_CHARACTERS: usize = 12;

/// `solution` with `changes` made wherever their lines stand now.
///
/// # Errors
/// The lines of a hunk are nowhere, or in several places: in words, with the change's line in the patch.
pub(super) fn place(changes: &[Change<'_>], solution: &Tree) -> Result<Tree, (usize, String)> {
    let mut tree = solution.clone();
    for change in changes {
        let failed = |message: String| (change.line, message);
        match (&change.from, &change.to) {
            (Some(from), Some(to)) if from == to => {
                for hunk in change.patch.hunks() {
                    place_hunk(hunk, from, &mut tree).map_err(failed)?;
                }
            }
            (None, Some(to)) if !tree.0.contains_key(to) => {
                let content = diffy::apply("", &change.patch).map_err(|error| failed(error.to_string()))?;
                tree.0.insert(to.clone(), content.into_bytes());
            }
            (None, _) => return Err(failed(format!("the solution has a file {} by now", change.name()))),
            _ => return Err(failed(format!("{} is removed or renamed, and is another by now", change.name()))),
        }
    }
    Ok(tree)
}

fn place_hunk(hunk: &Hunk<'_, str>, home: &Utf8Path, tree: &mut Tree) -> Result<(), String> {
    for fuzz in 0..=MOST_FUZZ {
        let lines = without_outer_context(hunk.lines(), fuzz);
        let old: Vec<&str> = lines.iter().filter_map(old_line).collect();
        if old.iter().flat_map(|line| line.chars()).filter(|c| c.is_alphanumeric()).count() < FEWEST_CHARACTERS {
            break;
        }
        let found = occurrences(&old, home, tree);
        match found.as_slice() {
            [] => {}
            [(path, at)] => {
                replace(tree, path, *at, old.len(), lines);
                return Ok(());
            }
            several => return Err(format!("the lines of a hunk stand in {} places now", several.len())),
        }
    }
    let removed = hunk.lines().iter().find_map(|line| match line {
        Line::Delete(line) => Some(line.trim()),
        _ => None,
    });
    Err(match removed {
        Some(line) => format!("its lines are gone, in {home} and elsewhere, the first being `{line}`"),
        None => format!("the lines around what it adds are gone, in {home} and elsewhere"),
    })
}

/// The lines of a hunk without the `fuzz` outermost ones of three at either end, if these are context.
fn without_outer_context<'a, 'b>(lines: &'b [Line<'a, str>], fuzz: usize) -> &'b [Line<'a, str>] {
    let context = |line: &&Line<'_, str>| matches!(line, Line::Context(_));
    let front = lines.iter().take(fuzz).take_while(context).count();
    let back = lines[front..].iter().rev().take(fuzz).take_while(context).count();
    &lines[front..lines.len() - back]
}

/// The text of a line that is there before the change.
pub(super) fn old_line<'a>(line: &Line<'a, str>) -> Option<&'a str> {
    match line {
        Line::Context(line) | Line::Delete(line) => Some(line),
        Line::Insert(_) => None,
    }
}

fn new_line<'a>(line: &Line<'a, str>) -> Option<&'a str> {
    match line {
        Line::Context(line) | Line::Insert(line) => Some(line),
        Line::Delete(_) => None,
    }
}

/// Where `old` stands: in `home` if it is there at all, or else in all files.
fn occurrences(old: &[&str], home: &Utf8Path, tree: &Tree) -> Vec<(Utf8PathBuf, usize)> {
    let within = |path: &Utf8Path, content: &[u8]| -> Vec<(Utf8PathBuf, usize)> {
        let Ok(text) = std::str::from_utf8(content) else { return Vec::new() };
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let windows = lines.windows(old.len()).enumerate();
        windows.filter(|(_, window)| *window == old).map(|(at, _)| (path.to_owned(), at)).collect()
    };
    let at_home = tree.0.get(home).map(|content| within(home, content)).unwrap_or_default();
    if !at_home.is_empty() {
        return at_home;
    }
    tree.0.iter().flat_map(|(path, content)| within(path, content)).collect()
}

/// Puts the new lines of a hunk in the place of its `count` old ones, which begin at line `at`, counted from 0.
fn replace(tree: &mut Tree, path: &Utf8Path, at: usize, count: usize, hunk: &[Line<'_, str>]) {
    let Some(content) = tree.0.get_mut(path) else { return };
    let text = String::from_utf8_lossy(content).into_owned();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let new = hunk.iter().filter_map(new_line);
    let changed: String = lines[..at].iter().copied().chain(new).chain(lines[at + count..].iter().copied()).collect();
    *content = changed.into_bytes();
}
