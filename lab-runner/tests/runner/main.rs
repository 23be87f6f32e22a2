//! The runner as its users meet it: `cargo lab` on whole submissions, with golden output.
//!
//! The submissions are fixtures/submissions; the lab they are for is the tests' own, in lab-runner/tests/workspace.

mod audit;
mod bad_situations;
mod bench;
mod blame;
mod builds;
mod cancelling;
mod cheats;
mod course;
mod documents;
mod formats;
mod grading;
mod held_out;
mod holding;
mod interrupts;
mod invariants;
mod isolation;
mod learner;
mod learner_kit;
mod load;
mod mutants;
mod new;
mod order;
mod own_tests;
mod prebuilt;
mod progress;
mod recordings;
mod repositories;
mod results;
mod sandbox;
#[cfg(feature = "schema")]
mod schema;
mod similarity;
mod surroundings;
mod usage;
mod watch;
mod web;
