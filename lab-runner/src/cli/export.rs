//! The raw arguments of what instructors hand out.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Subcommand};

/// `cargo lab export`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  cargo lab export kit ../backend-labs-kit")]
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
