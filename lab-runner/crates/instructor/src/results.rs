//! What `lab-results` makes of whole batches: their files in other formats, signatures, comparisons, gradebooks.

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::grade::GradeReport;
use lab_runner::results::{Answer, Foreign, call, named};

/// Writes `formats` beside each result in the report folder `folder`, and signs what is in it with the private key `sign`.
///
/// # Errors
/// The program cannot be built, or fails.
pub async fn write_files(
    engine: &Engine,
    folder: &Utf8Path,
    formats: &[Foreign],
    sign: Option<&Utf8Path>,
    run: &RunContext,
) -> Result<(), Error> {
    let formats: Vec<String> = formats.iter().map(|format| named(*format)).collect();
    let mut arguments = vec!["files".to_owned(), folder.to_string()];
    if !formats.is_empty() {
        arguments.extend(["--formats".to_owned(), formats.join(",")]);
    }
    if let Some(key) = sign {
        arguments.extend(["--sign".to_owned(), key.to_string()]);
    }
    call(engine, &arguments, &[], run).await.map(drop)
}

/// What is different in the report folder `now` from `before`, and whether nothing is.
///
/// # Errors
/// The program cannot be built, or a result cannot be read.
pub async fn compare(
    engine: &Engine,
    before: &Utf8Path,
    now: &Utf8Path,
    json: bool,
    run: &RunContext,
) -> Result<Answer, Error> {
    let mut arguments = vec!["compare".to_owned(), before.to_string(), now.to_string()];
    arguments.extend(json.then(|| "--json".to_owned()));
    call(engine, &arguments, &[], run).await
}

/// Joins the report folders of shards in `to`, and gives the summary of all.
///
/// # Errors
/// The program cannot be built, or the folders do not belong together.
pub async fn collect(
    engine: &Engine,
    from: &[Utf8PathBuf],
    to: &Utf8Path,
    run: &RunContext,
) -> Result<GradeReport, Error> {
    let from = from.iter().map(Utf8PathBuf::to_string);
    let arguments: Vec<String> =
        ["collect".to_owned(), "--report".to_owned(), to.to_string()].into_iter().chain(from).collect();
    let answer = call(engine, &arguments, &[], run).await?;
    serde_json::from_str(&answer.text).map_err(|error| Error::Fault(error.to_string()))
}

/// What a gradebook is made of, and where it goes: as `lab-results` takes it.
#[derive(Debug, Clone)]
pub struct GradebookSources {
    /// The report folders of batches, in the order in which they were handed in.
    pub reports: Vec<Utf8PathBuf>,
    /// The folder that the gradebook is written to.
    pub to: Utf8PathBuf,
    /// Files by the option that names them: the roster, the policy, the times of submissions.
    pub files: Vec<(&'static str, Utf8PathBuf)>,
    /// The column of the roster that submissions are called by.
    pub key: Option<String>,
}

/// Makes a gradebook, and gives what came of it as text.
///
/// # Errors
/// The program cannot be built, or a file says something wrong.
pub async fn gradebook(engine: &Engine, from: &GradebookSources, run: &RunContext) -> Result<Answer, Error> {
    let mut arguments = vec!["gradebook".to_owned(), "--to".to_owned(), from.to.to_string()];
    for (option, path) in &from.files {
        arguments.extend([(*option).to_owned(), path.to_string()]);
    }
    if let Some(key) = &from.key {
        arguments.push(format!("--key={key}"));
    }
    arguments.push("--".to_owned());
    arguments.extend(from.reports.iter().map(Utf8PathBuf::to_string));
    call(engine, &arguments, &[], run).await
}
