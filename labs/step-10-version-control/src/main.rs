//! One program in two roles: the host, and the tools for history.

use std::process::ExitCode;

use step_10_version_control::{application, tools};

fn main() -> ExitCode {
    // TODO(step-10.2): if git is to ask this program about a push, as a hook, it needs a third role. By which name, or by
    // which argument, will it know?
    // TODO(step-10.3): the hook is also who looks for keys: `git rev-list --objects NEW… --not --all` lists what is new, and
    // `git cat-file --batch` has its bytes.
    // TODO(step-10.4): and who looks at tags whose names begin with `v`: `git cat-file tag`, and what is signed of it.
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        None => application::serve(),
        Some(tool) => tools::run(&tool, arguments.collect()),
    }
}
