//! The raw arguments of what instructors hand out.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand};

/// `cargo lab export`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab export kit ../backend-labs-kit
  cargo lab export jplag ../similar submissions/ --lab 4")]
pub struct ExportArgs {
    /// What to write.
    #[command(subcommand)]
    pub command: ExportCommand,
}

/// What can be exported.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Write the kit that learners get: starters and READMEs, the grader and its checks as programs, no solutions.
    Kit(KitArgs),
    /// Lay submissions out as JPlag reads them, which finds those that are alike: a folder each, and the starter as base
    /// code.
    Jplag(JplagArgs),
}

/// `cargo lab export jplag`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab export jplag ../similar submissions/ --lab 4              every submission for step 4
  cargo lab export jplag ../last-year submissions-2025/ --lab 4       what JPlag compares them with, by its -old

DIR/submissions has a folder for each submission, called as in a report of `cargo lab grade`, with its editable files and
no others; DIR/base has the starter's. Nothing is built or run.

Exit codes: 0 all of them are there; 2 a submission cannot be read, or wrong usage.")]
pub struct JplagArgs {
    /// The folder to write to.
    #[arg(value_name = "DIR")]
    pub folder: Utf8PathBuf,
    /// The submissions: folders, .zip and .tar.gz files, or folders of these.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<Utf8PathBuf>,
    /// The lab they are for. Defaults to the lab of the current folder, or else the last one checked.
    #[arg(long)]
    pub lab: Option<String>,
}

/// `cargo lab export kit`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab export kit ../backend-labs-kit             all labs, for this system
  cargo lab export kit ../first-week 1 2               two of them
  cargo lab export kit ../kit --release                what learners will have: its labs' versions are recorded
  cargo lab export kit ../backend-labs-kit --update    a new version of the course, into a learner's kit

An update replaces what the learner has not touched, merges what both have changed, and never overwrites the learner's
work. It is committed where the learner had committed everything. Run in a newer kit, it brings that one's version.")]
pub struct KitArgs {
    /// The folder to write it to.
    #[arg(value_name = "DIR")]
    pub folder: Utf8PathBuf,
    /// The labs; by default all.
    pub labs: Vec<String>,
    /// Bring this version into the kit that is there.
    #[arg(long)]
    pub update: bool,
    /// Take files that are not committed as well.
    #[arg(long)]
    pub allow_dirty: bool,
    /// Record in each lab's checks/released.toml that learners have this version: from then on the audit refuses another
    /// suite under it.
    #[arg(long, conflicts_with_all = ["allow_dirty", "update"])]
    pub release: bool,
}
