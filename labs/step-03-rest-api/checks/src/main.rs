//! The suite of the REST API lab: resources, refusals, versions, retries, and a document that says all of it.

mod bodies;
mod cors;
mod fields;
#[cfg(not(learner_kit))]
mod held_out;
mod idempotency;
mod lists;
mod openapi;
mod patches;
mod refusals;
mod representations;
mod resources;
mod support;
mod versions;

fn main() -> std::process::ExitCode {
    lab_kit::suite::main_with(&[&lab_postgres::Driver])
}
