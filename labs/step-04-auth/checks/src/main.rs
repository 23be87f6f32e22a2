//! The hidden suite of step 04: who is asking, and what they may do, as seen by programs, browsers and burglars.

mod cookies;
mod csrf;
mod guessing;
#[cfg(not(learner_kit))]
mod held_out;
mod injection;
mod log_in;
mod pages;
mod passwords;
mod rights;
mod secret;
mod sessions;
mod support;
mod tokens;

lab_kit::file_order!["pages"];

fn main() -> std::process::ExitCode {
    lab_kit::suite::main_with(&[&lab_postgres::Driver])
}
