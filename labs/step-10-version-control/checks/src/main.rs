//! The suite of the version control lab: a host for everybody's history, with real git as its client, and the tools that
//! repair a history.

mod access;
mod backporting;
mod bisecting;
mod fetching;
#[cfg(not(learner_kit))]
mod held_out;
mod names;
mod purging;
mod pushing;
mod puzzle;
mod queue;
mod queue_order;
mod refusals;
mod releases;
mod rules;
mod secrets;
mod support;
mod unmerging;

// Git, and the shell that runs the operator's tests.
lab_kit::system_programs!();

lab_kit::file_order![
    "fetching",
    "pushing",
    "access",
    "rules",
    "names",
    "queue",
    "queue_order",
    "bisecting",
    "backporting",
    "unmerging",
    "purging",
    "refusals",
];

fn main() -> std::process::ExitCode {
    lab_kit::suite::main()
}
