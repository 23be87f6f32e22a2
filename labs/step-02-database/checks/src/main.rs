//! The suite of the database lab: a box office that must lose nothing, sell nothing twice and keep every cent.

mod conflicts;

mod customers;

mod events;
mod faults;
#[cfg(not(learner_kit))]
mod held_out;
mod list;
mod migrations;
mod orders;
mod pages;
mod pool;
mod races;
mod refusals;
mod search;
mod support;
mod transfers;
mod tuning;

fn main() -> std::process::ExitCode {
    lab_kit::suite::main_with(&[&lab_postgres::Driver])
}
