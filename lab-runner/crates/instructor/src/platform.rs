//! What a program whose bytes were changed needs to run, on each system.

pub(crate) use system::sign;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;

#[cfg(target_os = "linux")]
mod system {
    use std::path::Path;
    use std::process::Command;

    /// What signs a program anew whose bytes were changed: nothing, as Linux runs what is not signed.
    pub(crate) fn sign(_: &Path) -> Option<Command> {
        None
    }
}

// Linux's tests compile it too: it is what macOS has, and what we cannot run.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod elsewhere {
    use std::path::Path;
    use std::process::Command;

    /// What signs a program anew whose bytes were changed: macOS starts nothing whose signature does not fit.
    pub(crate) fn sign(program: &Path) -> Option<Command> {
        let mut command = Command::new("codesign");
        command.args(["--force", "--sign", "-"]).arg(program);
        Some(command)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::{elsewhere, system};

    #[test]
    fn what_is_done_without_linux_has_the_same_form() {
        let _: [fn(&Path) -> Option<Command>; 2] = [system::sign, elsewhere::sign];
    }
}
