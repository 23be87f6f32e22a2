//! The suite of the deploy lab: a box office that its operators can start, watch, replace and trust.

mod bounds;
mod configuration;
mod files;
mod health;
#[cfg(not(learner_kit))]
mod held_out;
mod logs;
mod metrics;
mod migrations;
mod rolling;
mod shutdown;
mod support;

fn main() -> std::process::ExitCode {
    lab_kit::suite::main_with(&[&lab_postgres::Driver])
}
