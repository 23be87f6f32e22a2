//! The program `lab-web`: it writes a result's page, and serves the site of `cargo lab web`.

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::context::RunContext;
use crate::engine::Engine;
use crate::events::EventKind;
use crate::helper::Helper;

/// How long a page may take to be made, or the site to be up: far more than either does.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, built if it has to be.
///
/// # Errors
/// Why there is none, in a sentence.
async fn program(engine: &Engine, run: &RunContext) -> Result<Utf8PathBuf, String> {
    let helper = Helper::find("lab-web", "web", "the page").ok_or("where this program is cannot be told")?;
    match helper.fresh() {
        Some(program) => Ok(program),
        None => {
            run.emit(EventKind::Step { text: "compiling what makes the page, once".to_owned() });
            helper.build(engine.folder().map_err(|error| lab_protocol::in_full(&error))?, run).await
        }
    }
}

/// Writes report.html and trace.json beside the result.json in `folder`. Without them the result stands all the same: what
/// goes wrong is a warning.
pub async fn write_page(engine: &Engine, folder: &Utf8Path, run: &RunContext) {
    write(engine, "report", folder, run).await;
}

/// Writes index.html to the report folder `report` of a batch, and a page beside each result, in the same way.
pub async fn write_batch(engine: &Engine, report: &Utf8Path, run: &RunContext) {
    write(engine, "batch", report, run).await;
}

async fn write(engine: &Engine, what: &str, folder: &Utf8Path, run: &RunContext) {
    let written = async {
        let program = program(engine, run).await?;
        let output = Command::new(&program).arg(what).arg(folder).stdin(Stdio::null()).kill_on_drop(true).output();
        let output = timeout(PATIENCE, output).await.map_err(|_| format!("{program} did not end"))?;
        explain(output.map_err(|error| format!("{program}: {error}"))?)
    };
    if let Err(message) = written.await {
        let hints = vec!["the results themselves are complete".to_owned()];
        run.emit(EventKind::Warning { message: format!("pages were not written to {folder}: {message}"), hints });
    }
}

fn explain(output: Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(told.lines().next_back().map_or_else(|| output.status.to_string(), str::to_owned))
}

/// The site while it is served.
#[derive(Debug)]
pub struct Site {
    child: Child,
    /// It ends when nobody holds this any more.
    _held: ChildStdin,
    /// Its address, with the secret in it.
    pub url: String,
}

impl Site {
    /// Serves the site on `port` of loopback, or on a free one. With `anyway`, the model answer is in sight before all
    /// checks have passed.
    ///
    /// # Errors
    /// Why it is not served, in a sentence.
    pub async fn serve(engine: &Engine, port: u16, anyway: bool, run: &RunContext) -> Result<Self, String> {
        let program = program(engine, run).await?;
        let mut command = Command::new(&program);
        command.arg("serve").arg("--port").arg(port.to_string()).args(anyway.then_some("--anyway"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
        let missing = || format!("{program} has no pipes");
        let held = child.stdin.take().ok_or_else(missing)?;
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        match timeout(PATIENCE, lines.next_line()).await {
            Ok(Ok(Some(url))) => Ok(Self { child, _held: held, url }),
            _ => Err(complaint(&mut child).await),
        }
    }

    /// Waits until it ends by itself, which it should not.
    ///
    /// # Errors
    /// The system cannot tell.
    pub async fn ended(&mut self) -> io::Result<String> {
        self.child.wait().await?;
        Ok(complaint(&mut self.child).await)
    }
}

/// What a program that has no more to do had to say.
async fn complaint(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = timeout(Duration::from_secs(1), stderr.take(16 << 10).read_to_string(&mut text)).await;
    }
    let last = text.lines().next_back().map(str::to_owned);
    last.unwrap_or_else(|| "the site has ended without a word".to_owned())
}
