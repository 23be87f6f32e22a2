//! Makes the files of a new lab: a lab's names and services in, its files out (see `lab_protocol::NewLab`).
#![expect(clippy::print_stderr, reason = "what goes wrong is told to the runner, which reads stderr")]

mod render;

use std::io;
use std::process::ExitCode;

use lab_protocol::{NewLab, in_full};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", in_full(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let lab: NewLab = serde_json::from_reader(io::stdin())?;
    serde_json::to_writer(io::stdout(), &render::render(&lab)?)?;
    Ok(())
}
