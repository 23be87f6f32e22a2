//! The raw command line. What it means is worked out by the commands.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use super::course::NewCourseArgs;
use super::documents::{CompletionsArgs, ManArgs};
use super::export::ExportArgs;
use super::gradebook::GradebookArgs;
use super::learner::{LogsArgs, NextArgs, ResetArgs, SolutionArgs, TryArgs, WebArgs};
use crate::audit::Shard;
use crate::held_out::Disclosure;
use crate::reporter::Format;
use crate::results::Foreign;
use crate::workspace::Lab;
use lab_services::ProviderChoice;

/// Hands-on backend labs: build a server, have it graded, learn why.
#[derive(Debug, Parser)]
#[command(name = "cargo lab", bin_name = "cargo lab", version, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 every check passed; 1 at least one check did not pass; 2 wrong usage; 3 the submission does \
                        not build or its server does not start; 4 a service or other infrastructure failed; 70 an internal \
                        error in cargo lab; 130 interrupted."
)]
pub struct Args {
    /// What to do. Without a command, cargo lab shows the labs and your progress.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Colours in the output.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Grade your working tree, or another submission.
    Check(CheckArgs),
    /// Grade your working tree on every save, on one screen.
    Watch(WatchArgs),
    /// Show the next hint for the check that does not pass yet.
    Hint(HintArgs),
    /// Play a check that fails, and leave your server and its data standing as it left them.
    Try(TryArgs),
    /// Show what to do next: the first task that is not done, and where it begins.
    Next(NextArgs),
    /// Run your server with its services, for curl and psql.
    Run(RunArgs),
    /// Run the tests that you have written, with the services that they need.
    Test(TestArgs),
    /// Show what your server wrote in the last run, check by check.
    Logs(LogsArgs),
    /// Compare your files with the model answer, once all checks pass.
    Solution(SolutionArgs),
    /// Bring the starter back, and keep what is thrown away.
    Reset(ResetArgs),
    /// Show the course, its labs and the timeline of every check in the browser.
    Web(WebArgs),
    /// Remove the containers and instances that are kept running between commands.
    Down(DownArgs),
    /// Check whether this machine has what the labs need.
    Doctor(DoctorArgs),
    /// Print completions for a shell.
    Completions(CompletionsArgs),
    /// Print the man page, or install the pages of all commands.
    Man(ManArgs),
    /// For instructors and CI: grade a folder of submissions.
    Grade(GradeArgs),
    /// For instructors: grade again, and show what would change and why.
    Regrade(RegradeArgs),
    /// For instructors: make one table of what many batches came to, for people, Canvas and Moodle.
    Gradebook(GradebookArgs),
    /// For instructors and CI: check who has signed results, offline.
    Verify(VerifyArgs),
    /// For instructors: prove that labs grade fairly.
    Audit(AuditArgs),
    /// For instructors: work on the patches that are mutants.
    Mutant(MutantArgs),
    /// For instructors: make a lab that builds and passes its audit, to be filled with one of yours.
    New(NewArgs),
    /// For instructors: begin a course of your own, in a repository of its own.
    NewCourse(NewCourseArgs),
    /// For instructors: write the kit that learners get, or bring a new version of the course into one.
    Export(ExportArgs),
    /// For instructors: format starters, suites and solutions, and carry the mutants over.
    Fmt(FmtArgs),
    /// For instructors: measure how fast grading is.
    Bench(BenchArgs),
}

/// What to grade, in place of the working tree.
#[derive(Debug, Clone, Default, ClapArgs)]
#[group(multiple = false)]
pub struct SourceArgs {
    /// The reference submission.
    #[arg(long)]
    pub solution: bool,
    /// A folder with a submission. Its editable files replace the lab's.
    #[arg(long, value_name = "DIR")]
    pub submission: Option<Utf8PathBuf>,
    /// Any program, started with this command. A server listens on the port in PORT.
    #[arg(long, value_name = "COMMAND")]
    pub command: Option<String>,
    /// A server that is already running. Checks that would start or stop it are skipped.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// How to grade.
#[derive(Debug, Clone, ClapArgs)]
pub struct GradingArgs {
    /// The seed of all random data. Each run prints the one it used.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Where services come from.
    #[arg(long, value_enum, env = "LAB_SERVICES", default_value_t, value_name = "PROVIDER")]
    pub services: ProviderChoice,
    /// How many checks may run at once [default: four per processor].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// The longest time a check may take [default: set by the lab].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub time_limit: Option<u64>,
}

/// `cargo lab check`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab check 1                                  all of a lab
  cargo lab check 1.2                                its second task
  cargo lab check 1 missing_host                     one check and those it needs
  cargo lab check --all --report out                 everything, and the result as files
  cargo lab check 2 --command 'python3 server.py'    a server in any language
  cargo lab check 1 --submission DIR --held-out=full what an instructor looks up")]
pub struct CheckArgs {
    /// The lab (id, number, slug, or a prefix of one), followed by the checks to run. Defaults to the lab of the
    /// current folder, or else the last one checked, and to all of its checks.
    /// `LAB.2` means the second task.
    #[arg(value_name = "LAB] [CHECK")]
    pub names: Vec<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for help")]
    pub source: SourceArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for help")]
    pub grading: GradingArgs,
    /// The format of the result.
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckFormat,
    /// Also write result.json, junit.xml, report.txt, report.html and trace.json to this folder. The page has a timeline
    /// for each check and opens by double click; the trace is for Chrome's tracing page and Perfetto.
    #[arg(long, value_name = "DIR")]
    pub report: Option<Utf8PathBuf>,
    /// Print only the score, without progress.
    #[arg(long, short)]
    pub quiet: bool,
    /// Run the checks of one task of the README, and those they need.
    #[arg(long, value_name = "NUMBER", conflicts_with = "all")]
    pub task: Option<u32>,
    /// Run every check, and show every result and every failure.
    #[arg(long)]
    pub all: bool,
    /// Run no check of the tasks behind the first one that is not done, unless it has passed before. This is the
    /// default on a terminal.
    #[arg(long, conflicts_with_all = ["all", "task"])]
    pub next_task: bool,
    /// Show all hints for a failed check, not only the first.
    #[arg(long)]
    pub hints: bool,
    /// For instructors: run the held-out checks as well. The result is no progress.
    #[arg(long, value_enum, value_name = "SHOWN", num_args = 0..=1, require_equals = true, default_missing_value = "lab")]
    pub held_out: Option<HeldOutChoice>,
}

/// The formats of one result: the runner's own, and those that only other programs read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    #[default]
    Human,
    /// `backend-labs/result/v1`; see lab-runner/schema/README.md.
    Json,
    /// JUnit XML, as CI systems read it.
    Junit,
    /// JUnit XML without what only some readers know: for those that validate.
    JunitStrict,
    /// Annotations of GitHub Actions, and the summary of a step where GITHUB_STEP_SUMMARY names its file.
    Github,
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

impl CheckFormat {
    /// The format that the runner prints, and the one that `lab-results` is to write, if it is one of those.
    #[must_use]
    pub fn parts(self) -> (Format, Option<Foreign>) {
        let foreign = match self {
            Self::Human => return (Format::Human, None),
            Self::Json => return (Format::Json, None),
            Self::Junit => return (Format::Junit, None),
            Self::JunitStrict => Foreign::JunitStrict,
            Self::Github => Foreign::Github,
            Self::Gradescope => Foreign::Gradescope,
            Self::Classroom50 => Foreign::Classroom50,
            Self::Classroom => Foreign::Classroom,
            Self::Prairielearn => Foreign::Prairielearn,
            Self::Ctrf => Foreign::Ctrf,
            Self::Csv => Foreign::Csv,
            Self::Lti => Foreign::Lti,
        };
        (Format::Converted, Some(foreign))
    }
}

/// `cargo lab watch`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Example: `cargo lab watch 2` in one terminal, your editor in another. A save is checked within \
                        seconds: first the check that failed first, then its task, then what passed before.\n\n\
                        Keys: h one more hint, t transcript, l the log, a every result, n the next failure, o the \
                        README, r check again, q quit; Esc goes back."
)]
pub struct WatchArgs {
    /// The lab. Defaults to the lab of the current folder, or else the last one checked.
    pub lab: Option<String>,
    /// Print a line for each event in place of a screen. This is the default where the output is no terminal.
    #[arg(long)]
    pub plain: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for help")]
    pub grading: GradingArgs,
}

/// `cargo lab hint`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab hint                      for the first check that fails
  cargo lab hint 1 missing_host")]
pub struct HintArgs {
    /// The lab, then the check. Defaults to the lab checked last, and its first check that has not passed.
    #[arg(value_name = "LAB] [CHECK", num_args = 0..=2)]
    pub names: Vec<String>,
}

/// `cargo lab run`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab run 2                     then, in another terminal, psql with the URL that it prints
  cargo lab run 5 --env CACHE_TTL_SECONDS=2
  cargo lab run 2 --solution
  cargo lab run -- report FILE        a lab whose program is run and ends: the arguments after -- are the program's")]
pub struct RunArgs {
    /// The lab. Defaults to the lab of the current folder, or else the last one checked.
    pub lab: Option<String>,
    /// Run the reference submission.
    #[arg(long)]
    pub solution: bool,
    /// Run any program, started with this command. A server listens on the port in PORT.
    #[arg(long, value_name = "COMMAND", conflicts_with = "solution")]
    pub command: Option<String>,
    /// A variable for the server, beside those of the lab and its services. Can be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub env: Vec<(String, String)>,
    /// Where services come from.
    #[arg(long, value_enum, env = "LAB_SERVICES", default_value_t, value_name = "PROVIDER")]
    pub services: ProviderChoice,
    /// Arguments of the program, where the lab grades one that is run and ends.
    #[arg(last = true, value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub arguments: Vec<String>,
}

/// Reads `NAME=VALUE`.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is not of the form NAME=VALUE".to_owned()),
    }
}

/// `cargo lab test`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab test 2                    the tests in your src, with DATABASE_URL set
  cargo lab test 2 --solution         those of the reference submission
  cargo lab test --solution           those of every lab's

They grade nothing: `cargo lab check` does.")]
pub struct TestArgs {
    /// The labs. Defaults to the lab of the current folder, or else the last one checked; with --solution, to all.
    pub labs: Vec<String>,
    /// The tests of the reference submission.
    #[arg(long)]
    pub solution: bool,
    /// Where services come from.
    #[arg(long, value_enum, env = "LAB_SERVICES", default_value_t, value_name = "PROVIDER")]
    pub services: ProviderChoice,
}

/// `cargo lab down`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo lab down          what is kept running between commands\n  cargo lab down --all    and what was fetched"
)]
pub struct DownArgs {
    /// Also remove the cache: fetched programs and prepared templates.
    #[arg(long, visible_alias = "cache")]
    pub all: bool,
}

/// `cargo lab doctor`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo lab doctor          what is there and what is missing\n  cargo lab doctor 2        whether one lab can be graded here\n  cargo lab doctor --fix    and fetch what is missing"
)]
pub struct DoctorArgs {
    /// The labs that are to be graded here; by default all. The exit code is 4 if one that is named cannot be, or, where none
    /// is named, if none of those that need a service can.
    pub labs: Vec<String>,
    /// Fetch or install what is missing.
    #[arg(long)]
    pub fix: bool,
    /// Answer yes to every question, including whether to install a system package.
    #[arg(long, short)]
    pub yes: bool,
    /// The format of the result: human or json.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Which submissions are graded.
#[derive(Debug, Clone, ClapArgs)]
pub struct SubmissionsArgs {
    /// The submissions: folders, .zip and .tar.gz files, or folders of these.
    #[arg(value_name = "PATH", required_unless_present = "roster")]
    pub paths: Vec<Utf8PathBuf>,
    /// Grade the files that each folder, a git repository, has at this commit: a branch, a tag or an id, such as main or
    /// v1.0. What its working tree holds does not count, and no hook, filter or setting of it is used.
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Grade the learners of this CSV file with a header, and name those without a submission. The columns `path` and `rev`,
    /// where there are any, say where each one's is, from the file's folder on, and at which commit; otherwise it is the
    /// one of PATH that is called as the learner is.
    #[arg(long, value_name = "FILE")]
    pub roster: Option<Utf8PathBuf>,
    /// The roster's column that submissions are called by [default: learner, SIS Login ID, Username or id].
    #[arg(long, value_name = "COLUMN", requires = "roster")]
    pub key: Option<String>,
}

/// `cargo lab grade`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  cargo lab grade submissions/ --lab 4 --report out/\n  \
    cargo lab grade clones/ --lab 4 --report out/ --rev deadline\n  \
    cargo lab grade clones/ --lab 4 --report out/ --roster roster.csv\n  \
    cargo lab grade submissions/ --lab 4 --report out/ --formats gradescope,lti --sign grader.pem\n  \
    cargo lab grade submissions/ --lab 4 --report out-2/ --shard 2/4 --seed 7\n  \
    cargo lab grade collect out-1/ out-2/ out-3/ out-4/ --report out/\n\n\
    Exit codes: 0 every submission has a grade, whatever it is; 2 a submission cannot be read, or wrong usage; 4 a \
    submission has no grade because a service or other infrastructure failed twice; 130 interrupted.")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct GradeArgs {
    /// What to do in place of grading.
    #[command(subcommand)]
    pub command: Option<GradeCommand>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for help")]
    pub submissions: SubmissionsArgs,
    /// The lab they are for. Defaults to the lab of the current folder, or else the last one checked.
    #[arg(long)]
    pub lab: Option<String>,
    /// The folder for the results: one for each submission, and gradebook.csv and grades.json for all.
    #[arg(long, value_name = "DIR", required = true)]
    pub report: Option<Utf8PathBuf>,
    /// Also write index.html to the report folder, and report.html with every check's timeline beside each result.
    #[arg(long)]
    pub pages: bool,
    /// Formats to write beside each result, separated by commas, such as gradescope,ctrf.
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    pub formats: Vec<Foreign>,
    /// Sign the results and the gradebook with this private key: Ed25519 in PEM, as `openssl genpkey -algorithm ed25519`
    /// makes it. Each signature stands beside its file.
    #[arg(long, value_name = "KEY")]
    pub sign: Option<Utf8PathBuf>,
    /// Grade one part of the submissions, such as 2/4 for the second of four; `collect` joins the parts. Needs --seed, which
    /// has to be the same for all.
    #[arg(long, value_name = "K/N", requires = "seed")]
    pub shard: Option<Shard>,
    /// The report folder of an earlier batch, by whose times the parts are made even.
    #[arg(long, value_name = "DIR", requires = "shard")]
    pub times: Option<Utf8PathBuf>,
    /// Go on with the results in the report folder: grade only what is new, has changed or has no grade.
    #[arg(long)]
    pub resume: bool,
    /// What the submissions are isolated by. `none` runs code that nobody has read with your own rights.
    #[arg(long, value_enum, default_value_t, value_name = "PROVIDER")]
    pub isolation: IsolationChoice,
    /// How many submissions are graded at once.
    #[arg(long, default_value_t = 1, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// The seed of all random data, the same for every submission [default: a new one].
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Where services come from.
    #[arg(long, value_enum, env = "LAB_SERVICES", default_value_t, value_name = "PROVIDER")]
    pub services: ProviderChoice,
    /// The longest time a check may take [default: set by the lab].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub time_limit: Option<u64>,
    /// What the results show of held-out checks.
    #[arg(long, value_enum, value_name = "SHOWN")]
    pub held_out: Option<HeldOutChoice>,
    /// The format of the summary: human or json.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Print only the summary, without progress.
    #[arg(long, short)]
    pub quiet: bool,
}

/// What `cargo lab grade` does in place of grading.
#[derive(Debug, Subcommand)]
pub enum GradeCommand {
    /// Join the report folders that the shards of a batch have written. Refused where one is missing or there twice, or where
    /// they were not graded by one suite.
    Collect(CollectArgs),
}

/// `cargo lab grade collect`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  cargo lab grade collect out-*/ --report out/")]
pub struct CollectArgs {
    /// The report folders of all shards.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<Utf8PathBuf>,
    /// The folder for the whole.
    #[arg(long, value_name = "DIR")]
    pub report: Utf8PathBuf,
    /// Sign the results and the gradebook with this private key.
    #[arg(long, value_name = "KEY")]
    pub sign: Option<Utf8PathBuf>,
    /// The format of the summary: human or json.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `cargo lab regrade`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  cargo lab regrade submissions/ --against out/ --report again/\n\n\
    Exit codes: 0 nobody's grade would change; 1 somebody's would; otherwise as `cargo lab grade`.")]
pub struct RegradeArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for help")]
    pub submissions: SubmissionsArgs,
    /// The report folder to compare with. Lab and seed are taken from it.
    #[arg(long, value_name = "DIR")]
    pub against: Utf8PathBuf,
    /// The folder for the new results, and regrade.json.
    #[arg(long, value_name = "DIR")]
    pub report: Utf8PathBuf,
    /// Go on with the results in the report folder.
    #[arg(long)]
    pub resume: bool,
    /// What the submissions are isolated by.
    #[arg(long, value_enum, default_value_t, value_name = "PROVIDER")]
    pub isolation: IsolationChoice,
    /// How many submissions are graded at once.
    #[arg(long, default_value_t = 1, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Where services come from.
    #[arg(long, value_enum, env = "LAB_SERVICES", default_value_t, value_name = "PROVIDER")]
    pub services: ProviderChoice,
    /// The format of what would change: human or json.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `cargo lab verify`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  cargo lab verify out/submissions/*/result.json --key grader.pub\n\n\
    Exit codes: 0 all are signed with the key; 1 one is not, or contradicts itself; 2 wrong usage.")]
pub struct VerifyArgs {
    /// Results, gradebooks and other files that `grade --sign` has signed.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<Utf8PathBuf>,
    /// The grader's public key in PEM, as `openssl pkey -in grader.pem -pubout` writes it.
    #[arg(long, value_name = "KEY")]
    pub key: Utf8PathBuf,
}

/// What a result shows of held-out checks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum HeldOutChoice {
    /// What the lab's manifest says.
    #[default]
    Lab,
    /// Their task, points and verdict.
    Hidden,
    /// Their ids and titles as well.
    Title,
    /// All that is shown of other checks.
    Full,
}

impl From<Disclosure> for HeldOutChoice {
    fn from(disclosure: Disclosure) -> Self {
        match disclosure {
            Disclosure::Hidden => Self::Hidden,
            Disclosure::Title => Self::Title,
            Disclosure::Full => Self::Full,
        }
    }
}

impl HeldOutChoice {
    /// What it means for `lab`.
    pub fn disclosure(self, lab: &Lab) -> Disclosure {
        match self {
            Self::Lab => lab.manifest.held_out,
            Self::Hidden => Disclosure::Hidden,
            Self::Title => Disclosure::Title,
            Self::Full => Disclosure::Full,
        }
    }
}

/// What a submission can be isolated by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum IsolationChoice {
    /// Whatever works here. Where nothing does, nothing is graded.
    #[default]
    Auto,
    /// Namespaces of its own, made by bubblewrap: no files, processes or network of this machine.
    Bubblewrap,
    /// Containers of an engine on this machine, made anew for each build and each start of a server.
    Containers,
    /// Nothing: a submission has the rights of whoever grades it.
    None,
}

/// `cargo lab audit`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo lab audit 2\n  cargo lab audit 2 --mutants address-unchecked --repeat 1\n  cargo lab audit 2 --mutants auto --within 30m\n  cargo lab audit --shard 1/4 --within 30m"
)]
pub struct AuditArgs {
    /// The labs; by default all.
    pub labs: Vec<String>,
    /// How many times in a row the solution has to pass, with every processor kept busy.
    #[arg(long, default_value_t = 3, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// Begin nothing more after this long, such as 30m, and say what was left. What matters most comes first: labs that
    /// changed since they were proven, then a mutant for each check, then all others in an order drawn from the commit.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub within: Option<Duration>,
    /// Do one part of the work, such as 2/4 for the second of four: together the parts do all of it.
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Grade only these mutants, by name, for work on one of them. `auto` means none of the lab's: it grades mutants that
    /// cargo-mutants makes of the solution, each until a check fails, lists those that survive, and fails where fewer than
    /// 90 of 100 are caught. `auto:TEXT` takes those with TEXT in their names, such as a file.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub mutants: Vec<String>,
    /// Write checks/expectations.toml anew where a lab has become better: more expectations, or fewer of them that no
    /// mutant has failed. Only labs all of whose mutants have been tried on this machine are written.
    #[arg(long)]
    pub ratchet: bool,
    /// Run the lines that reports show for work by hand, against the mutant and against the solution: they have to tell
    /// one from the other.
    #[arg(long = "try")]
    pub try_lines: bool,
    /// Try each mutant on every check, not only on those it names. Slower, but the table is complete.
    #[arg(long)]
    pub all_checks: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for help")]
    pub grading: GradingArgs,
    /// The format of the result: human or json.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `cargo lab mutant`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo lab mutant new 1 takes-blank-text --fails blank_text\n  cargo lab mutant save 1 takes-blank-text\n  \
                        cargo lab mutant refresh 2 --dry-run"
)]
pub struct MutantArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: MutantCommand,
}

/// What to do with mutants.
#[derive(Debug, Subcommand)]
pub enum MutantCommand {
    /// Begin a mutant: copy the solution to a folder in which the mistake is made by hand.
    New(NewMutantArgs),
    /// Change a mutant: copy the solution with its mistake made.
    Edit(EditMutantArgs),
    /// Make the patch of what stands in the copy, after it has been built and caught by the checks that it names.
    Save(SaveMutantArgs),
    /// Show a mutant: what it breaks, the checks that must fail, and the change.
    Show(ShowMutantArgs),
    /// Carry patches over to the solution as it is now.
    ///
    /// A patch whose lines have moved is written anew. One whose surroundings have changed is merged with what the
    /// solution has become since the commit it was made for, or placed where its lines stand now. What cannot be
    /// carried over is listed with the reason, left as it is, and makes the exit code 1.
    Refresh(RefreshArgs),
}

/// `cargo lab mutant new`
#[derive(Debug, ClapArgs)]
pub struct NewMutantArgs {
    /// The lab.
    pub lab: String,
    /// The mutant's name, such as `takes-blank-text`.
    pub name: String,
    /// The checks that must fail, separated by commas.
    #[arg(long, value_name = "CHECK", value_delimiter = ',', required = true)]
    pub fails: Vec<String>,
    /// What it breaks, in a line. It can be said with `save` as well.
    #[arg(long, value_name = "TEXT")]
    pub breaks: Option<String>,
    /// Throw away what is not saved, and begin anew.
    #[arg(long)]
    pub restart: bool,
}

/// `cargo lab mutant edit`
#[derive(Debug, ClapArgs)]
pub struct EditMutantArgs {
    /// The lab.
    pub lab: String,
    /// The mutant.
    pub name: String,
    /// Throw away what is not saved, and begin anew.
    #[arg(long)]
    pub restart: bool,
}

/// `cargo lab mutant save`
#[derive(Debug, ClapArgs)]
pub struct SaveMutantArgs {
    /// The lab.
    pub lab: String,
    /// The mutant.
    pub name: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for help")]
    pub draft: DraftArgs,
    /// Write the patch even if the mutant does not build or is not caught.
    #[arg(long)]
    pub anyway: bool,
}

/// What a mutant says of itself, and how it is proven.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct DraftArgs {
    /// What it breaks, in a line [default: as before].
    #[arg(long, value_name = "TEXT")]
    pub breaks: Option<String>,
    /// The checks that must fail, separated by commas [default: as before].
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub fails: Vec<String>,
    /// Where services come from.
    #[arg(long, value_enum, env = "LAB_SERVICES", default_value_t, value_name = "PROVIDER")]
    pub services: ProviderChoice,
}

/// `cargo lab mutant show`
#[derive(Debug, ClapArgs)]
pub struct ShowMutantArgs {
    /// The lab.
    pub lab: String,
    /// The mutant.
    pub name: String,
}

/// `cargo lab mutant refresh`
#[derive(Debug, ClapArgs)]
pub struct RefreshArgs {
    /// The labs; by default all.
    pub labs: Vec<String>,
    /// Only these mutants, by name.
    #[arg(long = "mutant", value_name = "NAME", value_delimiter = ',')]
    pub mutants: Vec<String>,
    /// Write nothing, and say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// The format of the result: human or json.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `cargo lab new`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples, in a course whose labs are called lab-1, lab-2 and so on:\n  \
                  cargo lab new lab-7 --slug queues\n  \
                  cargo lab new lab-8 --slug parsers --program          what is graded is run and ends")]
pub struct NewArgs {
    /// The lab's id: the word that the labs of the course share, a hyphen and a number.
    pub id: String,
    /// The rest of the folder's and the package's name, such as `queues` or `message-queues`.
    #[arg(long)]
    pub slug: String,
    /// The title [default: the slug in words].
    #[arg(long)]
    pub title: Option<String>,
    /// The services that the lab's server needs, separated by commas. `cargo lab doctor` lists those that there are.
    #[arg(long, value_name = "SERVICE", value_delimiter = ',')]
    pub services: Vec<String>,
    /// What is graded is a program that is run and ends, in place of a server.
    #[arg(long, conflicts_with = "services")]
    pub program: bool,
}

/// `cargo lab fmt`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo lab fmt 2          after an edit of its solution\n  cargo lab fmt --check    in CI"
)]
pub struct FmtArgs {
    /// The labs; by default all.
    pub labs: Vec<String>,
    /// Write nothing, list what is not formatted, and exit with code 1 if something is not.
    #[arg(long)]
    pub check: bool,
}

/// `cargo lab bench`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  cargo lab bench 2\n  cargo lab bench 2 --repeat 11 --format json\n  \
    cargo lab bench grade 3 --submissions 40 --jobs 2")]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    /// What to measure in place of a check.
    #[command(subcommand)]
    pub command: Option<BenchCommand>,
    /// The lab. Defaults to the lab of the current folder, or else the last one checked.
    pub lab: Option<String>,
    /// How many times to measure each thing. The median counts.
    #[arg(long, default_value_t = 5, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub repeat: u32,
    /// Where services come from.
    #[arg(long, value_enum, env = "LAB_SERVICES", default_value_t, value_name = "PROVIDER")]
    pub services: ProviderChoice,
    /// The format of the result: human or json.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What `cargo lab bench` measures in place of a check.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Measure how many submissions a minute `grade` grades in isolation, against `cargo test` in a clean checkout with
    /// services for each; and the memory it takes.
    Grade(BenchGradeArgs),
}

/// `cargo lab bench grade`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  cargo lab bench grade 3 --submissions 40 --jobs 2 --usual 4")]
pub struct BenchGradeArgs {
    /// The lab. Defaults to the lab of the current folder, or else the last one checked.
    pub lab: Option<String>,
    /// How many submissions are graded: copies of the solution that differ by a comment.
    #[arg(long, default_value_t = 40, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub submissions: u32,
    /// How many of them at once.
    #[arg(long, default_value_t = 2, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// How many are tested the usual way, which takes minutes for each.
    #[arg(long, default_value_t = 4, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub usual: u32,
    /// Where services come from.
    #[arg(long, value_enum, env = "LAB_SERVICES", default_value_t, value_name = "PROVIDER")]
    pub services: ProviderChoice,
    /// The format of the result: human or json.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
