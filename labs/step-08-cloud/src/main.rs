//! One program: the web server, the worker, and the tools that make a backup and restore it.

use std::process::ExitCode;

use step_08_cloud::{application, telemetry, tools};

fn main() -> ExitCode {
    telemetry::init();
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        None => application::serve(),
        Some(tool) => tools::run(&tool, &arguments.collect::<Vec<_>>()),
    }
}
