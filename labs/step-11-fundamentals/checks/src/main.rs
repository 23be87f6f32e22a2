//! The hidden suite of step 11: a program, run again and again, and what it writes, tells, needs and leaves behind.

mod arguments;
mod cases;
mod endings;
#[cfg(not(learner_kit))]
mod held_out;
mod hostile;
mod jobs;
mod json;
mod json_texts;
mod lines;
mod memory;
mod model;
mod orders;
mod random;
mod report;
mod support;

lab_kit::file_order!["arguments", "json", "lines", "orders", "report", "memory", "hostile", "jobs", "endings", "cases"];

fn main() -> std::process::ExitCode {
    lab_kit::suite::main()
}
