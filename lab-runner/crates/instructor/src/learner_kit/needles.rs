//! What must not be in a learner kit, and the search for it in every file, programs included.

use std::collections::{BTreeSet, HashMap};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use lab_protocol::CheckInfo;
use lab_runner::error::Error;
use lab_runner::submission::mutant::Mutant;
use lab_runner::submission::{self, SubmissionError, Tree};
use lab_runner::workspace::Lab;
use walkdir::WalkDir;

/// The shortest line of a solution that is looked for, in bytes: shorter ones stand in any program.
const SHORTEST_LINE: usize = 24;
/// The shortest other text that is looked for, in bytes. Also how much of each is looked up at once.
const SHORTEST: usize = 8;

/// Texts that must not be found, and what each is.
#[derive(Debug, Default)]
pub(super) struct Needles {
    texts: Vec<(Vec<u8>, String)>,
    /// The texts by how they begin.
    by_start: HashMap<[u8; SHORTEST], Vec<usize>>,
}

/// Something that must not be in a kit and is.
#[derive(Debug)]
pub(super) struct Leak {
    /// Where.
    pub path: Utf8PathBuf,
    /// What it is.
    pub what: String,
    /// The text itself.
    pub text: String,
}

impl Needles {
    /// Adds `text`, unless it is so short that it means nothing.
    pub(super) fn add(&mut self, text: &str, what: impl Into<String>) {
        let Some(start) = text.as_bytes().first_chunk() else { return };
        self.by_start.entry(*start).or_default().push(self.texts.len());
        self.texts.push((text.as_bytes().to_vec(), what.into()));
    }

    /// Adds what is not for learners of `lab`, whose suite has `checks`: the lines of its solution that are nowhere in `shown`
    /// and in no hint, what a report shows of held-out checks, and its mutants.
    ///
    /// # Errors
    /// The lab's own files cannot be read.
    pub(super) fn add_lab(&mut self, lab: &Lab, checks: &[CheckInfo], shown: &Tree) -> Result<(), Error> {
        let mut lines = Self::default();
        for (path, content) in submission::solution(lab)?.0 {
            let text = String::from_utf8_lossy(&content).into_owned();
            for (number, line) in (1..).zip(text.lines().map(str::trim)) {
                if line.len() >= SHORTEST_LINE {
                    lines.add(line, format!("line {number} of the solution's {path}, of {}", lab.id()));
                }
            }
        }
        self.take(lines.without(shown).without(&hints(checks)));
        for check in checks.iter().filter(|check| check.held_out) {
            let texts = [&check.id, &check.title, &check.why].into_iter().chain(&check.hints);
            texts.for_each(|text| self.add(text, format!("the held-out check {} of {}", check.id, lab.id())));
        }
        for mutant in Mutant::all(lab).map_err(SubmissionError::from)? {
            let mutant = mutant.map_err(SubmissionError::from)?;
            let what = format!("the mutant {} of {}", mutant.name, lab.id());
            self.add(&format!("{}.patch", mutant.name), what.clone());
            self.add(&mutant.breaks, what);
        }
        Ok(())
    }

    /// Those of the texts that are nowhere in the texts of `shown`: what learners are shown, be it as a part of a longer line,
    /// is no secret.
    fn without(self, shown: &Tree) -> Self {
        let starts = self.starts();
        let seen: BTreeSet<usize> = shown.0.values().flat_map(|content| self.found_in(content, &starts)).collect();
        let mut rest = Self::default();
        for (_, (text, what)) in self.texts.into_iter().enumerate().filter(|(index, _)| !seen.contains(index)) {
            rest.add(&String::from_utf8_lossy(&text), what);
        }
        rest
    }

    fn take(&mut self, others: Self) {
        for (text, what) in others.texts {
            self.add(&String::from_utf8_lossy(&text), what);
        }
    }

    /// What of this is in the files below `folder`.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn search(&self, folder: &Utf8Path) -> io::Result<Vec<Leak>> {
        let starts = self.starts();
        let mut leaks = Vec::new();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry?;
            if !entry.file_type().is_file() {
                continue;
            }
            let content = std::fs::read(entry.path())?;
            let path = Utf8Path::from_path(entry.path()).and_then(|path| path.strip_prefix(folder).ok());
            let path = path.unwrap_or(folder);
            for index in self.found_in(&content, &starts) {
                let (text, what) = &self.texts[index];
                let text = String::from_utf8_lossy(text).into_owned();
                leaks.push(Leak { path: path.to_owned(), what: what.clone(), text });
            }
        }
        Ok(leaks)
    }

    /// The texts that `content` has, each once.
    fn found_in(&self, content: &[u8], starts: &[bool]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for (at, pair) in content.windows(2).enumerate() {
            if !starts[usize::from(u16::from_ne_bytes([pair[0], pair[1]]))] {
                continue;
            }
            let Some(start) = content[at..].first_chunk() else { break };
            let candidates = self.by_start.get(start).into_iter().flatten();
            found.extend(candidates.copied().filter(|index| content[at..].starts_with(&self.texts[*index].0)));
        }
        found
    }

    /// The two bytes that some text begins with: most places of a file are passed over by these.
    fn starts(&self) -> Vec<bool> {
        let mut starts = vec![false; usize::from(u16::MAX) + 1];
        for start in self.by_start.keys() {
            starts[usize::from(u16::from_ne_bytes([start[0], start[1]]))] = true;
        }
        starts
    }
}

/// The hints of those of `checks` that are not held out: the last one may give a line away.
fn hints(checks: &[CheckInfo]) -> Tree {
    let visible = checks.iter().filter(|check| !check.held_out);
    Tree(visible.map(|check| (check.id.as_str().into(), check.hints.join("\n").into_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_amid_the_bytes_of_a_program_and_told_with_its_place() {
        let keep = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(keep.path()).unwrap();
        std::fs::create_dir(folder.join("kit")).unwrap();
        std::fs::write(folder.join("kit/suite"), b"\x7fELF\0\xffechoes_short\xfeechoes_shore").unwrap();
        std::fs::write(folder.join("README.md"), "echoes_shor").unwrap();
        let mut needles = Needles::default();
        needles.add("echoes_short", "a held-out check");
        needles.add("short", "too short to mean anything");
        let leaks = needles.search(folder).unwrap();
        let told: Vec<_> = leaks.iter().map(|leak| (leak.path.as_str(), leak.what.as_str())).collect();
        assert_eq!(told, [("kit/suite", "a held-out check")]);
    }

    #[test]
    fn what_learners_are_shown_as_part_of_a_line_is_not_looked_for() {
        let mut lines = Needles::default();
        lines.add("connection: &mut PgConnection,", "line 1");
        lines.add("connection.begin_with(isolation)", "line 2");
        let starter = b"async fn find(connection: &mut PgConnection, id: i64) {}\n".to_vec();
        let rest = lines.without(&Tree([("src/main.rs".into(), starter)].into()));
        let told: Vec<_> = rest.texts.iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(told, ["line 2"]);
    }
}
