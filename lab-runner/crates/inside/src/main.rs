//! The program `lab-inside`. Outside of a container it stands for what runs in it: it has the engine make the container, hands
//! its own streams over, and exits as the program has. Inside it is the first process, which starts that program, passes on
//! how it ended, and ends everything when the one outside is gone.

mod container;
mod engine;
mod enter;
mod first;
mod image;
mod limits;
mod messages;
mod platform;
mod sweep;

use std::process::ExitCode;

/// The command of the one that is inside.
const FIRST: &str = "first";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next();
    match command.as_ref().and_then(|command| command.to_str()) {
        Some(lab_sandbox::ENTER) => enter::run(arguments),
        Some(lab_sandbox::SWEEP) => sweep::run(arguments),
        Some(FIRST) => first::run(),
        _ => fail("cargo lab starts this program for isolation by containers; it is of no use by itself"),
    }
}

/// Says why there is no container, as one line.
#[expect(clippy::print_stderr, reason = "it stands for the program, whose standard error it has")]
fn fail(message: &str) -> ExitCode {
    eprintln!("lab-inside: {}", message.trim().replace('\n', " / "));
    ExitCode::FAILURE
}
