//! Whether a program in a sandbox was ever started.

use std::io::{self, Read as _};
use std::os::fd::OwnedFd;

use rustix::io::ioctl_fionbio;

/// What bubblewrap says when a program that it has started is over (bwrap(1), --json-status-fd). It says it itself: the
/// program has no handle on where it is said.
const ENDED: &str = "\"exit-code\"";

/// What is told of the beginning of one program.
#[derive(Debug)]
pub struct Beginning(Option<io::PipeReader>);

impl Beginning {
    /// Of a program that is started by the system itself, or not at all.
    pub(crate) fn of_any_program() -> Self {
        Self(None)
    }

    /// Of a program that a sandbox starts, which is to be given the other end.
    pub(crate) fn told() -> io::Result<(Self, OwnedFd)> {
        let (reader, writer) = io::pipe()?;
        // Whoever holds the other end by mistake keeps nobody waiting.
        ioctl_fionbio(&reader, true)?;
        Ok((Self(Some(reader)), writer.into()))
    }

    /// Whether the sandbox has ended without ever having started its program. Asked when it has ended, and once.
    pub fn never_was(&mut self) -> bool {
        let Some(mut reader) = self.0.take() else { return false };
        let mut told = Vec::new();
        // An error means that there is no more to read now.
        let _ = reader.read_to_end(&mut told);
        !String::from_utf8_lossy(&told).contains(ENDED)
    }
}
