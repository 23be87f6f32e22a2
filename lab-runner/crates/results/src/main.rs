//! `lab-results`, which the runner calls for what it makes of results for others.
#![expect(clippy::print_stderr, reason = "what goes wrong is told to the runner, which reads stderr")]
#![expect(clippy::print_stdout, reason = "what was asked for goes to the runner, which reads stdout")]

use std::error::Error;
use std::io::Read as _;
use std::process::ExitCode;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Parser;
use lab_results::formats::{self, Named};
use lab_results::gradebook::{self, Sources};
use lab_results::{collect, compare, files, signature, verify};
use lab_runner::report::Report;
use lab_runner::reporter::to_json;
use lab_runner::results::{Foreign, NO};

/// What `cargo lab` makes of results for others.
#[derive(Debug, Parser)]
#[command(name = "lab-results", version)]
enum Arguments {
    /// Write the result on standard input in another format to standard output.
    Format {
        /// The format.
        format: Foreign,
    },
    /// Write formats beside each result in the report folder of a batch, and sign what is in it.
    Files {
        /// The report folder.
        report: Utf8PathBuf,
        /// The formats.
        #[arg(long, value_delimiter = ',')]
        formats: Vec<Foreign>,
        /// The private key to sign with.
        #[arg(long)]
        sign: Option<Utf8PathBuf>,
    },
    /// Say whether files are signed with a key. Exit code 3 if one is not.
    Verify {
        /// The files.
        #[arg(required = true)]
        files: Vec<Utf8PathBuf>,
        /// The public key.
        #[arg(long)]
        key: Utf8PathBuf,
    },
    /// Join the report folders of shards. Prints the summary of all as JSON.
    Collect {
        /// Where to.
        #[arg(long)]
        report: Utf8PathBuf,
        /// The shards' folders.
        #[arg(required = true)]
        folders: Vec<Utf8PathBuf>,
    },
    /// Say what is different in a later report folder. Exit code 3 if something is.
    Compare {
        /// The earlier one.
        before: Utf8PathBuf,
        /// The later one.
        now: Utf8PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make one table of many report folders. Prints what came of it.
    Gradebook {
        /// The folder to write it to.
        #[arg(long)]
        to: Utf8PathBuf,
        /// The learners, as CSV.
        #[arg(long)]
        roster: Option<Utf8PathBuf>,
        /// The roster's column that submissions are called by.
        #[arg(long)]
        key: Option<String>,
        /// The policy, as TOML.
        #[arg(long)]
        policy: Option<Utf8PathBuf>,
        /// When submissions were handed in, as CSV.
        #[arg(long)]
        submitted: Option<Utf8PathBuf>,
        /// The report folders.
        #[arg(required = true)]
        reports: Vec<Utf8PathBuf>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NO),
        Err(error) => {
            eprintln!("{}", lab_protocol::in_full(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Does what is asked for, and says whether the answer is yes, where it is one.
fn run(arguments: Arguments) -> Result<bool, Box<dyn Error>> {
    match arguments {
        Arguments::Format { format } => convert(format)?,
        Arguments::Files { report, formats, sign } => {
            files::write(&report, &formats)?;
            if let Some(key) = sign {
                signature::sign_all(&report, &signature::private_key(&key)?)?;
            }
        }
        Arguments::Verify { files, key } => {
            let (text, all) = verify::verify(&files, &signature::public_key(&key)?);
            print!("{text}");
            return Ok(all);
        }
        Arguments::Collect { report, folders } => print!("{}", to_json(&collect::collect(&folders, &report)?)),
        Arguments::Compare { before, now, json } => {
            let comparison = compare::compare(&before, &now)?;
            files::save(&now.join("regrade.json"), to_json(&comparison).as_bytes())?;
            print!("{}", if json { to_json(&comparison) } else { comparison.text() });
            return Ok(comparison.is_same());
        }
        Arguments::Gradebook { to, roster, key, policy, submitted, reports } => {
            let book = gradebook::make(&Sources { reports, roster, key, policy, submitted })?;
            let files = gradebook::write(&book, &to)?;
            print!("{}", book.text(&files));
        }
    }
    Ok(true)
}

fn convert(format: Foreign) -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let report: Report = serde_json::from_str(&text)?;
    let name = Utf8Path::new(&report.submission.path).file_stem().unwrap_or("submission").to_owned();
    let of = Named { report: &report, name: &name };
    print!("{}", formats::write(format, of)?);
    if format == Foreign::Github {
        files::add_to_step_summary(&formats::write(Foreign::Summary, of)?)?;
    }
    Ok(())
}
