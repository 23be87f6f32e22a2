//! The raw arguments of what a learner asks for beside a grade.

use clap::Args as ClapArgs;
use lab_services::ProviderChoice;

/// `cargo lab next`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab next                      in the lab checked last
  cargo lab next 2")]
pub struct NextArgs {
    /// The lab. Defaults to the lab of the current folder, or else the last one checked.
    pub lab: Option<String>,
}

/// `cargo lab logs`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab logs                      all of the last run
  cargo lab logs 1 missing_host       of one check

The times are milliseconds since the check began. PAGER names another pager than less.")]
pub struct LogsArgs {
    /// The lab, then the check. Defaults to the lab checked last, and all checks of its last run.
    #[arg(value_name = "LAB] [CHECK", num_args = 0..=2)]
    pub names: Vec<String>,
}

/// `cargo lab solution`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab solution 1                every file that differs from yours
  cargo lab solution 1 src/main.rs    one file
  cargo lab solution 1 --anyway       before all checks pass

A line that begins with - is yours, one with + is the solution's.")]
pub struct SolutionArgs {
    /// The lab, then the files or folders to compare, relative to the lab's folder. Defaults to the lab checked last,
    /// and all of its files.
    #[arg(value_name = "LAB] [FILE")]
    pub names: Vec<String>,
    /// Show it although not all checks have passed.
    #[arg(long)]
    pub anyway: bool,
}

/// `cargo lab reset`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab reset 1                   the whole lab
  cargo lab reset 1 src/main.rs       one file

What is replaced is kept, and the command says where. Points that are on record stay until the next check.")]
pub struct ResetArgs {
    /// The lab, then the files or folders to bring back, relative to the lab's folder. Defaults to the lab checked
    /// last, and all of its files.
    #[arg(value_name = "LAB] [FILE")]
    pub names: Vec<String>,
    /// Do not ask first.
    #[arg(long, short)]
    pub yes: bool,
}

/// `cargo lab try`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab try                            the first check that fails
  cargo lab try 2 order_all_or_nothing     that one
  cargo lab try 2 schema --hold            even if it passes

It prints the URLs of your server and its services, the variables to export, and a line that shows what the check saw. \
The exit code is 1 if the check fails.")]
pub struct TryArgs {
    /// The lab, then the check. Defaults to the lab checked last, and its first check that has not passed.
    #[arg(value_name = "LAB] [CHECK", num_args = 0..=2)]
    pub names: Vec<String>,
    /// Leave everything standing even if the check passes.
    #[arg(long)]
    pub hold: bool,
    /// Play it against the reference submission.
    #[arg(long)]
    pub solution: bool,
    /// Play it against any program, started with this command. A server listens on the port in PORT.
    #[arg(long, value_name = "COMMAND", conflicts_with = "solution")]
    pub command: Option<String>,
    /// The seed of the check's random data. Defaults to that of the last run in which it failed.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Where services come from.
    #[arg(long, value_enum, env = "LAB_SERVICES", default_value_t, value_name = "PROVIDER")]
    pub services: ProviderChoice,
}

/// `cargo lab web`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab web                       prints the address to open
  cargo lab web --port 4000           on a port of your choice
  cargo lab web --anyway              with the model answer's timelines before all checks pass

Only this machine can open it, and only by the address that is printed: there is a secret in it. It shows the last \
recorded run of each check, and follows while `cargo lab check` or `cargo lab watch` run in another terminal.")]
pub struct WebArgs {
    /// The port on this machine [default: a free one].
    #[arg(long, value_name = "NUMBER")]
    pub port: Option<u16>,
    /// Show the model answer's timelines although not all checks have passed.
    #[arg(long)]
    pub anyway: bool,
}
