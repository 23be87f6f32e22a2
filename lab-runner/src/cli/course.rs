//! The raw arguments of what makes a course.

use camino::Utf8PathBuf;
use clap::Args as ClapArgs;

/// `cargo lab new-course`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo lab new-course ../night-course --title \"Backends at Night\"
  cd ../night-course
  cargo lab new week-01 --slug queues

The course is a git repository with no file of the grader in it: its Cargo.toml says where this one is, and `cargo lab` works
there as it does here.")]
pub struct NewCourseArgs {
    /// The folder to write it to.
    #[arg(value_name = "DIR")]
    pub folder: Utf8PathBuf,
    /// What the course is called [default: the folder's name in words].
    #[arg(long)]
    pub title: Option<String>,
}
