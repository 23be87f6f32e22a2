//! The arguments of `cargo lab gradebook`.

use camino::Utf8PathBuf;
use clap::Args;

/// `cargo lab gradebook`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo lab gradebook out-1/ out-2/ --report book/\n  \
    cargo lab gradebook out-*/ --report book/ --roster roster.csv --policy policy.toml\n  \
    cargo lab gradebook out-*/ --report book/ --roster canvas-export.csv --key \"SIS Login ID\"\n\n\
    What the files look like: docs/instructor.md, \"The gradebook\".")]
pub struct GradebookArgs {
    /// The report folders of `cargo lab grade`, of any labs, in the order in which they were handed in.
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<Utf8PathBuf>,
    /// The folder for the gradebook: as CSV, JSON and a page, and as Canvas and Moodle import it.
    #[arg(long, value_name = "DIR")]
    pub report: Utf8PathBuf,
    /// The learners, a CSV file with a header, such as a platform exports. Defaults to all that handed something in.
    #[arg(long, value_name = "FILE")]
    pub roster: Option<Utf8PathBuf>,
    /// The roster's column that submissions are called by [default: learner, SIS Login ID, Username or id].
    #[arg(long, value_name = "COLUMN", requires = "roster")]
    pub key: Option<String>,
    /// Which attempt counts, what being late costs, who has more time: a TOML file.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
    /// When submissions were handed in: a CSV file with the columns `submission`, `submitted_at` and, if need be, `lab` and
    /// `report`.
    #[arg(long, value_name = "FILE")]
    pub submitted: Option<Utf8PathBuf>,
}
