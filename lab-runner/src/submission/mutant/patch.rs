//! A mutant's diff: the files it names, and what becomes of them.

use camino::{Utf8Path, Utf8PathBuf};
use diffy::patch_set::{FileOperation, ParseOptions, PatchKind, PatchSet};
use diffy::{Line, Patch};

use crate::submission::{Tree, tree};

/// Why a diff cannot be applied.
pub struct Refusal {
    /// The line of the patch, counted from 1.
    pub line: usize,
    /// Why.
    pub message: String,
}

/// What a diff does to one file.
pub struct Change<'a> {
    /// The line of the patch, counted from 1, on which it begins.
    pub line: usize,
    /// The file it reads, relative to the lab's folder; none where it makes a new one.
    pub from: Option<Utf8PathBuf>,
    /// The file it writes; none where it removes one.
    pub to: Option<Utf8PathBuf>,
    /// The hunks.
    pub patch: Patch<'a, str>,
}

impl Change<'_> {
    /// How messages name the file.
    pub fn name(&self) -> &Utf8Path {
        self.from.as_deref().or(self.to.as_deref()).unwrap_or(Utf8Path::new("the file"))
    }
}

/// The changes of the diff in `text`, which reach only what lies in `editable`.
///
/// # Errors
/// It is no unified diff, or leads out of what a submission may hold.
pub fn parse<'a>(text: &'a str, editable: &[Utf8PathBuf]) -> Result<Vec<Change<'a>>, Refusal> {
    let headers = file_headers(text);
    let Some((first, start)) = headers.first().copied() else {
        return Err(Refusal { line: text.lines().count().max(1), message: "it contains no unified diff".into() });
    };
    let mut changes = Vec::new();
    for (number, file) in PatchSet::parse(&text[start..], ParseOptions::unidiff()).enumerate() {
        let line = headers.get(number).map_or(first, |(line, _)| *line);
        let refused = |message: String| Refusal { line, message };
        let file = file.map_err(|error| refused(error.to_string()))?;
        let (from, to) = paths(file.operation());
        let (from, to) = (from.map(Utf8PathBuf::from), to.map(Utf8PathBuf::from));
        let PatchKind::Text(patch) = file.into_patch() else {
            return Err(refused("it changes a binary file".into()));
        };
        for path in [&from, &to].into_iter().flatten() {
            may_hold(path, editable).map_err(refused)?;
        }
        changes.push(Change { line, from, to, patch });
    }
    Ok(changes)
}

/// `solution` with the diff in `text` applied, which may change what lies in `editable`.
///
/// # Errors
/// It is no unified diff, leads out of what a submission may hold, or does not fit.
pub fn apply(text: &str, solution: Tree, editable: &[Utf8PathBuf]) -> Result<Tree, Refusal> {
    let changes = parse(text, editable)?;
    let mut changed = solution.clone();
    for change in &changes {
        let refused = |message: String| Refusal { line: change.line, message };
        let base = match &change.from {
            None => String::new(),
            Some(from) => {
                let bytes = changed.0.remove(from);
                let bytes = bytes.ok_or_else(|| refused(format!("the solution has no file {from}")))?;
                String::from_utf8(bytes).map_err(|error| refused(error.to_string()))?
            }
        };
        let after = diffy::apply(&base, &change.patch).map_err(|_| misfit(&base, change, text))?;
        if let Some(to) = &change.to {
            changed.0.insert(to.clone(), after.into_bytes());
        }
    }
    if changed == solution {
        let line = changes.first().map_or(1, |change| change.line);
        return Err(Refusal { line, message: "it changes nothing".into() });
    }
    Ok(changed)
}

/// Where the files of a diff begin: the line, counted from 1, and the offset in bytes of each `--- `.
pub fn file_headers(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut offset = 0;
    let mut lines = text.split_inclusive('\n').zip(1..).peekable();
    while let Some((content, line)) = lines.next() {
        // A removed line that begins with two hyphens looks the same, but no `+++ ` follows it.
        if content.starts_with("--- ") && lines.peek().is_some_and(|(next, _)| next.starts_with("+++ ")) {
            found.push((line, offset));
        }
        offset += content.len();
    }
    found
}

/// A patch is a submission's difference: it reaches what a submission may hold, and nothing else.
fn may_hold(path: &Utf8Path, editable: &[Utf8PathBuf]) -> Result<(), String> {
    if !tree::is_inside(path) {
        Err(format!("`{path}` leads out of the lab's folder"))
    } else if !editable.iter().any(|allowed| path.starts_with(allowed)) {
        Err(format!("`{path}` is not among the lab's editable paths"))
    } else {
        Ok(())
    }
}

/// The file a patch reads and the file it writes, relative to the lab's folder.
fn paths<'a>(operation: &'a FileOperation<'_, str>) -> (Option<&'a str>, Option<&'a str>) {
    let strip = |path: &'a str| {
        path.split_once('/').filter(|(top, _)| matches!(*top, "a" | "b")).map_or(path, |(_, rest)| rest)
    };
    match operation {
        FileOperation::Delete(path) => (Some(strip(path)), None),
        FileOperation::Create(path) => (None, Some(strip(path))),
        FileOperation::Modify { original: from, modified: to }
        | FileOperation::Rename { from, to }
        | FileOperation::Copy { from, to } => (Some(strip(from)), Some(strip(to))),
    }
}

/// Which hunk does not fit `base`, and why: the first line that `base` has not, or that its lines stand elsewhere.
fn misfit(base: &str, change: &Change<'_>, text: &str) -> Refusal {
    let (name, file_line) = (change.name(), change.line);
    let present: Vec<&str> = base.lines().collect();
    for (number, hunk) in change.patch.hunks().iter().enumerate() {
        let old: Vec<&str> = hunk
            .lines()
            .iter()
            .filter_map(|line| match line {
                Line::Context(line) | Line::Delete(line) => Some(line.trim_end_matches(['\n', '\r'])),
                Line::Insert(_) => None,
            })
            .collect();
        if old.is_empty() || present.windows(old.len()).any(|window| window == old.as_slice()) {
            continue;
        }
        let line = hunk_line(text, file_line, number);
        let message = match old.iter().find(|line| !present.contains(line)) {
            Some(gone) => format!("{name} no longer has the line `{}`", gone.trim()),
            None => format!("the lines of this hunk are no longer next to each other in {name}"),
        };
        return Refusal { line, message };
    }
    Refusal { line: file_line, message: format!("its hunks do not apply to {name} in this order") }
}

/// The line of the patch on which hunk `number`, counted from 0, of the file that begins on `file_line` begins.
fn hunk_line(text: &str, file_line: usize, number: usize) -> usize {
    let hunks = text.lines().zip(1..).skip(file_line).filter(|(content, _)| content.starts_with("@@ "));
    hunks.map(|(_, line)| line).nth(number).unwrap_or(file_line)
}
