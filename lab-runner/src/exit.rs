//! The exit codes of `cargo lab`, all in one place.

/// What the program says to its caller when it ends.
///
/// A script can rely on these: they are the same for every command and output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Every check that was run passed.
    Passed = 0,
    /// Some check did not pass.
    NotPassed = 1,
    /// The command line, a manifest or the workspace is wrong; nothing was graded.
    Usage = 2,
    /// The submission does not build, or its server does not start.
    NotRunnable = 3,
    /// A service or other infrastructure failed. Nothing is said of the submission.
    Infrastructure = 4,
    /// A fault of ours: `EX_SOFTWARE` of sysexits.h.
    Fault = 70,
    /// Interrupted by Ctrl-C or a signal to end: 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode;

    #[test]
    fn the_codes_are_those_the_readme_promises() {
        let codes = [
            ExitCode::Passed,
            ExitCode::NotPassed,
            ExitCode::Usage,
            ExitCode::NotRunnable,
            ExitCode::Infrastructure,
            ExitCode::Fault,
            ExitCode::Interrupted,
        ];
        assert_eq!(codes.map(|code| code as u8), [0, 1, 2, 3, 4, 70, 130]);
    }
}
