//! The program `lab-template`, which makes the files of a new lab.

use std::process::{Output, Stdio};
use std::time::Duration;

use camino::Utf8PathBuf;
use lab_protocol::NewLab;
use lab_runner::context::RunContext;
use lab_runner::events::EventKind;
use lab_runner::helper::Helper;
use lab_runner::submission::Tree;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// How long it may take: far more than it does.
const LIMIT: Duration = Duration::from_secs(60);

/// The files of `lab`, by their paths in its folder, unformatted. The program is held in `held` while it is built.
///
/// # Errors
/// Why there are none, in a sentence: all faults of ours.
pub(crate) async fn render(lab: &NewLab, held: Utf8PathBuf, run: &RunContext) -> Result<Tree, String> {
    let helper =
        Helper::find("lab-template", "template", "the template").ok_or("where this program is cannot be told")?;
    let program = match helper.fresh() {
        Some(program) => program,
        None => {
            run.emit(EventKind::Step { text: "compiling the template of labs, once".to_owned() });
            helper.build(held, run).await?
        }
    };
    let asked = timeout(LIMIT, ask(&program, lab)).await.map_err(|_| format!("{program} did not end"))?;
    let output = asked.map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned());
    }
    let files: std::collections::BTreeMap<Utf8PathBuf, String> =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("{program} answered oddly: {error}"))?;
    Ok(Tree(files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect()))
}

async fn ask(program: &Utf8PathBuf, lab: &NewLab) -> std::io::Result<Output> {
    let mut command = Command::new(program);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    // It reads all of it before it writes a word.
    if let Some(mut input) = child.stdin.take() {
        input.write_all(&serde_json::to_vec(lab)?).await?;
    }
    child.wait_with_output().await
}
