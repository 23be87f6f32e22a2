//! What is known of a suite that was built, as long as it is up to date.

use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use lab_launcher::Artifact;
use lab_protocol::{CheckInfo, SuiteList};
use serde::{Deserialize, Serialize};

use super::{Suite, SuiteSource, session};
use crate::building;
use crate::held_out::Cover;
use crate::state;
use crate::workspace::{Lab, Workspace};

#[derive(Serialize, Deserialize)]
struct Record {
    /// As seen from the target folder: a copied one holds a suite of its own.
    executable: Utf8PathBuf,
    /// Tells this build of the suite from others.
    identity: String,
    sha256: String,
    checks: Vec<CheckInfo>,
}

/// The recorded suite, held in the folder `held`, if it was built of what its sources hold now.
pub(super) fn load_fresh(workspace: &Workspace, lab: &Lab, held: &Utf8Path) -> Option<Suite> {
    let record = load(workspace, lab)?;
    let program = workspace.target.join(&record.executable);
    let executable = building::hold(&program, held).ok()?;
    // Only now: what is held is replaced by nobody.
    let same = at(&executable, workspace).identity().is_some_and(|identity| identity == record.identity);
    let fresh = same && at(&program, workspace).is_fresh();
    if !fresh {
        let _ = std::fs::remove_file(&executable);
        return None;
    }
    Some(Suite { executable, sha256: record.sha256, checks: record.checks, cover: Cover::default() })
}

/// The checks of the recorded suite, and whether it is fresh.
pub(super) fn known_checks(workspace: &Workspace, lab: &Lab) -> (Vec<CheckInfo>, bool) {
    let (mut checks, fresh) = match SuiteSource::of(lab) {
        SuiteSource::Prebuilt(program) => listed(&program),
        SuiteSource::Package => {
            let Some(record) = load(workspace, lab) else { return (Vec::new(), false) };
            let fresh = at(&workspace.target.join(&record.executable), workspace).is_fresh();
            (record.checks, fresh)
        }
    };
    Cover::over(&mut checks, None);
    (checks, fresh)
}

/// The checks that a suite lists which came as a program: no record is kept of what is never built.
fn listed(suite: &Utf8Path) -> (Vec<CheckInfo>, bool) {
    let output = session::program(suite).arg("list").stdin(Stdio::null()).output().ok();
    let listed = output.and_then(|output| serde_json::from_slice::<SuiteList>(&output.stdout).ok());
    listed.map_or_else(|| (Vec::new(), false), |listed| (listed.checks, true))
}

/// Records `suite`, which cargo has put at `program`.
pub(super) fn save(suite: &Suite, program: &Utf8Path, workspace: &Workspace, lab: &Lab) {
    let Some(identity) = at(&suite.executable, workspace).identity() else { return };
    let Ok(executable) = program.strip_prefix(&workspace.target) else { return };
    let record = Record {
        executable: executable.to_owned(),
        identity,
        sha256: suite.sha256.clone(),
        checks: suite.checks.clone(),
    };
    state::write(&path(workspace, lab), &record);
}

fn load(workspace: &Workspace, lab: &Lab) -> Option<Record> {
    serde_json::from_slice(&std::fs::read(path(workspace, lab)).ok()?).ok()
}

fn path(workspace: &Workspace, lab: &Lab) -> Utf8PathBuf {
    workspace.lab_folder().join("suites").join(format!("{}.json", lab.package()))
}

fn at(executable: &Utf8Path, workspace: &Workspace) -> Artifact {
    Artifact::new(executable.as_std_path(), workspace.root.as_std_path())
}
