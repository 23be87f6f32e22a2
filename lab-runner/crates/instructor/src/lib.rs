//! What `cargo lab` does for instructors and CI: [`audit`]s, batches of submissions ([`mod@grade`]), [`mutants`], kits for
//! learners ([`learner_kit`]), new labs, and how fast grading is ([`bench`]).
//!
//! The runner's library grades, has the command line and the events, and prints; here is what asks it for more than a
//! learner does. The program of this is built when one of these commands is first asked for.

pub mod audit;
pub mod bench;
pub mod commands;
pub mod course;
pub mod formatting;
pub mod grade;
mod isolation;
pub mod learner_kit;
pub mod mutants;
pub mod names;
mod platform;
pub mod release;
pub mod results;
pub mod similarity;
mod template;
