//! `cargo lab`: builds submissions, has suites grade them, and explains the results.
//!
//! The way of a submission: `cli` turns arguments into options, [`workspace`] finds the lab, [`submission`] and
//! [`building`] make a program of what is to be graded, `lab_services` provides the services it needs, `suite` runs the
//! lab's checks against it, `engine` holds these together and makes a [`report`]. Everything on the way is
//! an event of [`events`], stamped in a [`context`]; a `reporter` reads these and prints.

pub mod audit;
mod awake;
pub mod bench;
pub mod building;
pub mod cli;
pub mod commands;
pub mod context;
pub mod course;
mod disk;
pub mod engine;
pub mod error;
pub mod events;
pub mod exit;
pub mod git;
pub mod grade;
pub mod guide;
pub mod hash;
pub mod held_out;
pub mod helper;
mod instructor;
pub mod interrupt;
pub mod learner;
pub mod learner_kit;
pub mod limits;
pub mod manifest;
mod platform;
pub mod report;
pub mod reporter;
pub mod results;
pub mod scratch;
pub mod similarity;
pub mod state;
pub mod submission;
pub mod suggest;
pub mod suite;
pub mod watch;
pub mod web;
pub mod whole;
pub mod workspace;
