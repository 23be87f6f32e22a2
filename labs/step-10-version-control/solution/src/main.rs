//! One program in three roles: the host, the hook that git runs for a push, and the tools for history.

use std::process::ExitCode;

use step_10_version_control::{application, push, tools};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_default();
    if push::is_hook(&called) {
        return push::pre_receive();
    }
    match arguments.next() {
        None => application::serve(),
        Some(tool) => tools::run(&tool, arguments.collect()),
    }
}
