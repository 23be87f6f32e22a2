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
