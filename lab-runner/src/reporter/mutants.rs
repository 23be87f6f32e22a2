//! Mutants in the making, for instructors: where to change what, what became of it, and a patch in colours.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::inert;
use super::style::{bad, dim, good, strong};
use crate::events::MutantProof;

/// Where the copy of the solution is, and what to do with it.
pub(super) fn opened(
    lab: &str,
    name: &str,
    folder: &Utf8Path,
    editable: &[Utf8PathBuf],
    editor: Option<&str>,
) -> String {
    let paths: Vec<&str> = editable.iter().map(|path| path.as_str()).collect();
    let mut text = format!("{}  {folder}\n\n", strong("a copy of the solution"));
    let _ = writeln!(text, "  1. make the mistake in it: {}", paths.join(", "));
    let _ = writeln!(text, "  2. cargo lab mutant save {lab} {name}");
    match editor {
        Some(editor) => text.push_str(&dim(format!("\nopening it with `{}`\n", inert(editor)))),
        None => text.push_str(&dim("\nVISUAL or EDITOR names a program that opens it for you\n")),
    }
    text
}

/// Whether a mutant builds and is caught, and whether its patch was written.
pub(super) fn proven(proof: &MutantProof) -> String {
    let mut text = String::new();
    if let Some(diagnostics) = &proof.diagnostics {
        let _ = writeln!(text, "{}  {}", bad("not graded"), inert(&diagnostics.message));
        diagnostics.details.iter().for_each(|detail| {
            let _ = writeln!(text, "{}", inert(detail.trim_end()));
        });
    } else {
        for (id, caught) in &proof.fails {
            let (word, what) = if *caught { (good("caught"), "fails it") } else { (bad("missed"), "lets it pass") };
            let _ = writeln!(text, "{word}  `{}` {what}", inert(id));
        }
    }
    let MutantProof { lab, name, path, folder, .. } = proof;
    match (proof.written, proof.is_caught()) {
        (true, true) => {
            let _ = writeln!(text, "{}   {path}", good("saved"));
        }
        (true, false) => {
            let _ = writeln!(text, "{}   {path}, although the audit will complain", strong("saved"));
        }
        (false, _) => {
            let _ = writeln!(text, "\nnot saved; the copy stays in {folder}");
            let _ =
                writeln!(text, "  change it, or name other checks: cargo lab mutant save {lab} {name} --fails CHECK");
            let _ = writeln!(text, "  or keep it as it is:            cargo lab mutant save {lab} {name} --anyway");
        }
    }
    text
}

/// A patch, its head set off and its lines coloured.
pub(super) fn shown(path: &Utf8Path, patch: &str) -> String {
    let mut text = format!("{}\n", dim(path));
    let mut head = true;
    for line in patch.lines() {
        head &= !line.starts_with("--- ");
        let line = inert(line);
        let line = match line.as_bytes().first() {
            _ if head => strong(line),
            _ if line.starts_with("--- ") || line.starts_with("+++ ") => strong(line),
            Some(b'+') => good(line),
            Some(b'-') => bad(line),
            Some(b'@') => dim(line),
            _ => line.into_owned(),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}
