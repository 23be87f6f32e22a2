//! What `cargo lab bench` measures, for events and reporters. `lab-instructor` measures it.

use serde::Serialize;

/// What was measured: `backend-labs/bench/v1`. Times in milliseconds, medians.
#[derive(Debug, Clone, Serialize)]
pub struct Bench {
    /// The format's name and version.
    pub schema: String,
    /// The lab whose solution was checked.
    pub lab: String,
    /// How often each thing was measured.
    pub rounds: u32,
    /// The providers of its services.
    pub providers: Vec<String>,
    /// The warm check, from the start of the program to its end.
    pub check_ms: f64,
    /// Cargo's call with nothing to do.
    pub cargo_ms: f64,
    /// The longest single check.
    pub longest_ms: f64,
    /// The check that takes longest.
    pub longest: String,
    /// The warm check against cargo's call and the longest check together. The aim: under 2.
    pub against_bound: f64,
    /// What the runner adds before the first check begins. The aim: under 200.
    pub added_ms: f64,
    /// From an edit to its verdict.
    pub edits: Edits,
    /// All checks one after the other, each with containers of its own, or why that was not measured.
    pub one_by_one: Result<OneByOne, String>,
}

/// The checks one after the other, with containers for each.
#[derive(Debug, Clone, Serialize)]
pub struct OneByOne {
    /// How many checks there are.
    pub checks: usize,
    /// All of it.
    pub total_ms: f64,
    /// The part of it in which containers are started and removed.
    pub containers_ms: f64,
    /// How many times as long as the warm check. The aim: at least 10.
    pub against_check: f64,
}

/// How long an edit waits for its verdict. Times in milliseconds, medians.
#[derive(Debug, Clone, Serialize)]
pub struct Edits {
    /// The one check, where one is named.
    pub check: String,
    /// From the edit to that check's verdict.
    pub named: Waited,
    /// From the edit to the verdict of the whole lab.
    pub lab: Waited,
}

/// What one verdict took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Waited {
    /// From the start of the program to its end.
    pub total_ms: f64,
    /// The part of it in which cargo compiled the edit.
    pub cargo_ms: f64,
    /// The whole against cargo's part. The aim for a named check: at most 1.5.
    pub against_cargo: f64,
}

/// How many submissions a minute are graded: `backend-labs/bench-grade/v1`.
#[derive(Debug, Clone, Serialize)]
pub struct Batch {
    /// The format's name and version.
    pub schema: String,
    /// The lab whose solution was graded, again and again.
    pub lab: String,
    /// What the submissions were isolated by.
    pub isolation: String,
    /// How many were graded.
    pub submissions: u32,
    /// How many at once.
    pub jobs: u16,
    /// How long it took, in milliseconds, from the start of the program to its end.
    pub batch_ms: f64,
    /// How many a minute that is.
    pub batch_per_minute: f64,
    /// How many were tested the usual way: a clean checkout, `cargo test`, and services for each.
    pub usual: u32,
    /// How long it took, in milliseconds.
    pub usual_ms: f64,
    /// How many a minute that is.
    pub usual_per_minute: Option<f64>,
    /// How many times as many as the usual way. The aim: 20.
    pub against_usual: Option<f64>,
    /// The memory that grading needed, where the system tells.
    pub memory: Option<Memory>,
    /// How many processors there are.
    pub processors: usize,
    /// How many programs wanted to run in the minute before (load average), where the system tells.
    pub load_before: Option<f64>,
    /// The same after it.
    pub load_after: Option<f64>,
}

/// The most memory that a batch needed at once, in MiB, with the files that services keep in memory. What processes share is
/// counted once.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Memory {
    /// All of it.
    pub all_mebibytes: f64,
    /// Without what ran in a sandbox: compilers and servers of the submissions.
    pub ours_mebibytes: f64,
    /// Ours for each submission that was graded at once. The aim: under 150.
    pub ours_each_mebibytes: f64,
}

impl Memory {
    /// Of `all` and `ours` in bytes, where `jobs` submissions were graded at once.
    pub fn new(all: u64, ours: u64, jobs: u16) -> Self {
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        Self {
            all_mebibytes: mebibytes(all),
            ours_mebibytes: mebibytes(ours),
            ours_each_mebibytes: mebibytes(ours) / f64::from(jobs.max(1)),
        }
    }
}
