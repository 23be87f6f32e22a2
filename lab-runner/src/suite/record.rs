//! What is known of a suite that was built, as long as nothing it is made of changes.

use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use lab_protocol::CheckInfo;
use serde::{Deserialize, Serialize};

use super::Suite;
use crate::state;
use crate::workspace::{Lab, Workspace};

#[derive(Serialize, Deserialize)]
struct Record {
    executable: Utf8PathBuf,
    modified: SystemTime,
    length: u64,
    sha256: String,
    inputs: Vec<Utf8PathBuf>,
    checks: Vec<CheckInfo>,
}

/// Where the record of `lab`'s suite is kept.
pub(super) fn path(workspace: &Workspace, lab: &Lab) -> Utf8PathBuf {
    workspace.lab_folder().join("suites").join(format!("{}.json", lab.package()))
}

/// The recorded suite, if its program is the recorded one and newer than all it is made of.
pub(super) fn load_fresh(path: &Utf8Path) -> Option<Suite> {
    let record: Record = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let program = record.executable.metadata().ok()?;
    if program.modified().ok()? != record.modified || program.len() != record.length {
        return None;
    }
    let older = |input: &Utf8PathBuf| {
        input.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified <= record.modified)
    };
    record.inputs.iter().all(older).then_some(Suite {
        executable: record.executable,
        sha256: record.sha256,
        checks: record.checks,
    })
}

/// Records `suite`. Without cargo's list of inputs there is no telling when it is stale: then nothing is recorded.
pub(super) fn save(suite: &Suite, workspace: &Workspace, lab: &Lab) {
    let Ok(program) = suite.executable.metadata() else { return };
    let (Ok(modified), Some(mut inputs)) = (program.modified(), inputs(&suite.executable)) else { return };
    // Cargo's list names sources only. Manifests and the lock decide as much.
    inputs.extend(manifests(&inputs, workspace, lab));
    let record = Record {
        executable: suite.executable.clone(),
        modified,
        length: program.len(),
        sha256: suite.sha256.clone(),
        inputs,
        checks: suite.checks.clone(),
    };
    state::write(&path(workspace, lab), &record);
}

/// Reads cargo's dep-info beside a program: `program: source source …`, spaces in names escaped by a backslash.
fn inputs(executable: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
    let text = std::fs::read_to_string(executable.with_extension("d")).ok()?;
    let (_, sources) = text.lines().find_map(|line| line.split_once(": "))?;
    let mut inputs = Vec::new();
    let mut current = String::new();
    for part in sources.split(' ') {
        if let Some(part) = part.strip_suffix('\\') {
            current.push_str(part);
            current.push(' ');
        } else if !part.is_empty() {
            current.push_str(part);
            inputs.push(Utf8PathBuf::from(std::mem::take(&mut current)));
        }
    }
    (!inputs.is_empty()).then_some(inputs)
}

/// The Cargo.toml of every package that has a source among `inputs`, and the workspace's own files.
fn manifests(inputs: &[Utf8PathBuf], workspace: &Workspace, lab: &Lab) -> Vec<Utf8PathBuf> {
    let mut found = vec![workspace.root.join("Cargo.toml"), workspace.root.join("Cargo.lock")];
    found.push(lab.folder.join("checks/Cargo.toml"));
    for input in inputs {
        let manifest = input.ancestors().skip(1).map(|folder| folder.join("Cargo.toml")).find(|path| path.is_file());
        found.extend(manifest.filter(|path| !found.contains(path)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_are_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let program = Utf8Path::from_path(folder.path()).unwrap().join("suite");
        std::fs::write(program.with_extension("d"), "/t/suite: /w/a\\ b/main.rs /w/c.rs\n").unwrap();
        assert_eq!(inputs(&program).unwrap(), ["/w/a b/main.rs", "/w/c.rs"]);
    }
}
