//! The program `lab-results`: it makes of results what other programs read. It is built when it is first asked for.

use std::process::{Output, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::events::EventKind;
use crate::helper::Helper;
use crate::report::Report;

/// How long it may take: far more than it does for a thousand results.
const PATIENCE: Duration = Duration::from_secs(600);

/// The exit code by which `lab-results` says no.
pub const NO: u8 = 3;

/// The formats that only other programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Foreign {
    /// JUnit XML, as most CI systems read it.
    Junit,
    /// JUnit XML without what only some readers know: for those that validate.
    JunitStrict,
    /// Annotations of GitHub Actions, and the summary of a step where GITHUB_STEP_SUMMARY names its file.
    Github,
    /// That summary alone, as Markdown.
    Summary,
    /// `results.json` of a Gradescope autograder.
    Gradescope,
    /// `classroom50/result/v1`.
    Classroom50,
    /// The variable that GitHub Classroom's reporter reads: base64.
    Classroom,
    /// The results of a PrairieLearn external grader.
    Prairielearn,
    /// The Common Test Report Format.
    Ctrf,
    /// A table with a row for each check.
    Csv,
    /// A score of LTI 1.3, Assignment and Grade Services.
    Lti,
}

/// The value's name on a command line.
pub fn named(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// `report` in `format`.
///
/// # Errors
/// The program cannot be built, or fails.
pub async fn convert(engine: &Engine, report: &Report, format: Foreign, run: &RunContext) -> Result<String, Error> {
    let arguments = ["format".to_owned(), named(format)];
    Ok(call(engine, &arguments, crate::reporter::to_json(report).as_bytes(), run).await?.text)
}

/// Whether `files` are signed with the private half of `key`, and what there is to say of each.
///
/// # Errors
/// The program cannot be built, or the key cannot be read.
pub async fn verify(engine: &Engine, files: &[Utf8PathBuf], key: &Utf8Path, run: &RunContext) -> Result<Answer, Error> {
    let files = files.iter().map(Utf8PathBuf::to_string);
    let arguments: Vec<String> =
        ["verify".to_owned(), "--key".to_owned(), key.to_string()].into_iter().chain(files).collect();
    call(engine, &arguments, &[], run).await
}

/// What the program had to say.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What is to be printed.
    pub text: String,
    /// Whether the answer is yes, where it is one.
    pub yes: bool,
}

/// What `lab-results` says to `arguments` and `input`.
///
/// # Errors
/// The program cannot be built, does not end, or refuses what it was given.
pub async fn call(engine: &Engine, arguments: &[String], input: &[u8], run: &RunContext) -> Result<Answer, Error> {
    let failed = |message: String| Error::Infrastructure { message, hints: Vec::new() };
    let program = program(engine, run).await.map_err(failed)?;
    let output = timeout(PATIENCE, answer(&program, arguments, input)).await;
    let output = output.map_err(|_| failed(format!("{program} did not end")))?;
    // What it refuses is what it was given.
    explain(output.map_err(|error| failed(format!("{program}: {error}")))?).map_err(Error::usage)
}

async fn answer(program: &Utf8PathBuf, arguments: &[String], input: &[u8]) -> std::io::Result<Output> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let give = async {
        if let Some(mut stdin) = stdin {
            // Whoever does not read it says why on stderr.
            let _ = stdin.write_all(input).await;
        }
    };
    let ((), output) = tokio::join!(give, child.wait_with_output());
    output
}

fn explain(output: Output) -> Result<Answer, String> {
    let no = output.status.code() == Some(NO.into());
    if output.status.success() || no {
        let text = String::from_utf8(output.stdout).map_err(|error| error.to_string())?;
        return Ok(Answer { text, yes: !no });
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(told.lines().next_back().map_or_else(|| output.status.to_string(), str::to_owned))
}

/// The program, built if it has to be.
async fn program(engine: &Engine, run: &RunContext) -> Result<Utf8PathBuf, String> {
    let helper = Helper::find("lab-results", "results", "what writes results for other programs");
    let helper = helper.ok_or("where this program is cannot be told")?;
    match helper.fresh() {
        Some(program) => Ok(program),
        None => {
            run.emit(EventKind::Step { text: "compiling what writes results for other programs, once".to_owned() });
            helper.build(engine.folder().map_err(|error| lab_protocol::in_full(&error))?, run).await
        }
    }
}
