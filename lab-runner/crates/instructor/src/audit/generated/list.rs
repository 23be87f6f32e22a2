//! The program `cargo-mutants`, which makes the mutants, and what it says of each.

use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::context::RunContext;
use lab_runner::error::Error;
use lab_runner::submission::{self, Mutant, ProgramSource, Source};
use lab_runner::workspace::{Lab, Workspace};
use serde::Deserialize;
use tokio::process::Command;

/// The program.
const PROGRAM: &str = "cargo-mutants";
/// The version that is asked for: another one makes others, and calls them otherwise.
const VERSION: &str = "27.1.0";
/// Where programs for work on this repository are installed, as seen from its root.
const TOOLS: &str = "target/tools";

/// A mutant that was made.
#[derive(Debug, Clone, Default)]
pub(super) struct Made {
    /// What `cargo-mutants` calls it, from the lab's folder: file, line, column and change.
    pub name: String,
    /// The file, as seen from the solution's folder.
    pub file: Utf8PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// What was changed.
    pub change: String,
    /// What stands on the line, without the white space around it.
    pub text: String,
    /// Its diff, without the two lines that name the file.
    pub hunks: String,
}

impl Made {
    /// What it is called wherever it stands in its file.
    pub fn key(&self) -> String {
        format!("{}: {}", self.file, self.change)
    }

    /// The mutant, to be graded.
    pub fn mutant(&self) -> Mutant {
        let diff = format!("--- a/{0}\n+++ b/{0}\n{1}", self.file, self.hunks);
        Mutant::generated(&self.name, &self.file, &self.change, diff)
    }
}

/// The program, found.
#[derive(Debug)]
pub(super) struct Maker {
    program: Utf8PathBuf,
}

impl Maker {
    /// Finds the program: on the path, or among the tools of `workspace`.
    ///
    /// # Errors
    /// It is in neither place, or in another version.
    pub fn find(workspace: &Workspace) -> Result<Self, Error> {
        let on_path = which::which(PROGRAM).ok().and_then(|path| Utf8PathBuf::try_from(path).ok());
        let tool = workspace.root.join(TOOLS).join("bin").join(PROGRAM);
        let mut others = Vec::new();
        for program in on_path.into_iter().chain([tool]) {
            match version(&program) {
                Some(version) if version == VERSION => return Ok(Self { program }),
                Some(version) => others.push(format!("; {program} is {version}")),
                None => {}
            }
        }
        Err(Error::Infrastructure {
            message: format!("generated mutants are made by {PROGRAM} {VERSION}, which is not here{}", others.concat()),
            hints: vec![format!(
                "install it: cargo install --locked {PROGRAM} --version {VERSION} --root {}",
                workspace.relative(&workspace.root.join(TOOLS))
            )],
        })
    }

    /// The mutants of the solution of `lab`, file by file.
    ///
    /// # Errors
    /// The solution cannot be staged, or the program does not do what it should.
    pub async fn list(&self, workspace: &Workspace, lab: &Lab, run: &RunContext) -> Result<Vec<Made>, Error> {
        let tree = submission::solution(lab)?;
        let (place, of) = (workspace.place(), lab.clone());
        let prepared = tokio::task::spawn_blocking(move || Source::Solution.prepare(&place, &of));
        let prepared = prepared.await.map_err(|error| Error::Fault(error.to_string()))??;
        // The stage is ours as long as it lives.
        let ProgramSource::Staged(stage) = &prepared.program else {
            return Err(Error::Fault("the solution is not built in a stage".into()));
        };
        let listed = self.run(&stage.root, run).await?;
        let place = stage.lab.strip_prefix(&stage.root).unwrap_or(&stage.lab);
        let line_of = |file: &Utf8Path, line: usize| {
            let text = tree.0.get(file).map(|content| String::from_utf8_lossy(content)).unwrap_or_default();
            text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim().to_owned()
        };
        let mut made: Vec<Made> = listed.into_iter().filter_map(|one| one.below(place)).collect();
        // Another file, such as a build script of the lab's, is no part of the solution.
        made.retain(|one| tree.0.contains_key(&one.file));
        for one in &mut made {
            one.text = line_of(&one.file, one.line);
        }
        Ok(made)
    }

    async fn run(&self, root: &Utf8Path, run: &RunContext) -> Result<Vec<Listed>, Error> {
        let mut command = Command::new(&self.program);
        command.args(["mutants", "--list", "--json", "--no-config", "--colors=never", "--dir", root.as_str()]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::select! {
            output = command.output() => output.map_err(|source| Error::io("start", &self.program, source))?,
            () = run.cancel().cancelled() => return Err(Error::Interrupted),
        };
        let failed = |why: &str| Error::Infrastructure {
            message: format!("{PROGRAM} lists no mutants of {root}: {}", why.trim()),
            hints: Vec::new(),
        };
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr)));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(&error.to_string()))
    }
}

/// The version that `program` states, if it is there.
fn version(program: &Utf8Path) -> Option<String> {
    let output =
        std::process::Command::new(program).args(["mutants", "--version"]).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split_whitespace().nth(1)?.to_owned())
}

/// What the program says of a mutant, as far as we read it.
#[derive(Debug, Deserialize)]
struct Listed {
    /// `file:line:column: change`.
    name: String,
    file: Utf8PathBuf,
    span: Span,
    diff: String,
}

#[derive(Debug, Deserialize)]
struct Span {
    start: Position,
}

#[derive(Debug, Deserialize)]
struct Position {
    line: usize,
}

impl Listed {
    /// The same, as seen from the folder `place`, in which its file has to lie.
    fn below(self, place: &Utf8Path) -> Option<Made> {
        let file = self.file.strip_prefix(place).ok()?.to_owned();
        let position = self.name.strip_prefix(self.file.as_str())?;
        let change = position.split_once(": ")?.1.to_owned();
        let hunks = self.diff.find("\n@@ ").map(|at| self.diff[at + 1..].to_owned())?;
        Some(Made {
            name: format!("{file}{position}"),
            file,
            line: self.span.start.line,
            change,
            hunks,
            ..Made::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As cargo-mutants 27.1.0 writes it, but for its length.
    const LIST: &str = r#"[{
        "name": "labs/a-1/src/a.rs:2:7: replace < with <= in f", "package": "a-1", "file": "labs/a-1/src/a.rs",
        "function": {"function_name": "f", "return_type": "-> bool", "span": {"start": {"line": 1, "column": 1},
            "end": {"line": 3, "column": 2}}},
        "span": {"start": {"line": 2, "column": 7}, "end": {"line": 2, "column": 8}},
        "replacement": "<=", "genre": "BinaryOperator",
        "diff": "--- labs/a-1/src/a.rs\n+++ replace < with <= in f\n@@ -1,3 +1,3 @@\n fn f() -> bool {\n-    1 < 2\n+    1 <= 2\n }\n"
    }]"#;

    #[test]
    fn what_the_program_lists_becomes_a_mutant_of_the_solution() {
        let listed: Vec<Listed> = serde_json::from_str(LIST).unwrap();
        let [made] =
            listed.into_iter().filter_map(|one| one.below("labs/a-1".into())).collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(made.name, "src/a.rs:2:7: replace < with <= in f");
        assert_eq!(made.key(), "src/a.rs: replace < with <= in f");
        let solution = submission::Tree([("src/a.rs".into(), b"fn f() -> bool {\n    1 < 2\n}\n".to_vec())].into());
        let changed = made.mutant().apply(solution, &["src".into()]).unwrap();
        assert_eq!(changed.0[Utf8Path::new("src/a.rs")], b"fn f() -> bool {\n    1 <= 2\n}\n");
    }
}
