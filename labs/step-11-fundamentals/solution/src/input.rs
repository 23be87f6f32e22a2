//! What is read, until it ends or somebody interrupts.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use signal_hook::consts::SIGINT;

use crate::error::Error;

/// The orders' bytes, and the signal that ends them early.
#[derive(Debug)]
pub struct Input {
    file: File,
    /// Can be read from once SIGINT has come.
    interrupt: UnixStream,
}

impl Input {
    /// Opens `path`, or standard input, and has SIGINT handled from now on.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: Option<&Path>) -> Result<Self, Error> {
        let file = match path {
            Some(path) => File::open(path).map_err(Error::at("open", path))?,
            // Not through `io::stdin()`, whose buffer would hide from `poll` what has come.
            None => io::stdin().as_fd().try_clone_to_owned().map_err(cannot_read)?.into(),
        };
        let (interrupt, handler) = UnixStream::pair().map_err(cannot_read)?;
        signal_hook::low_level::pipe::register(SIGINT, handler).map_err(cannot_read)?;
        Ok(Self { file, interrupt })
    }

    /// Reads what is there into `buffer`, once something is. None if it was interrupted.
    ///
    /// Waiting and reading are two steps, so that nothing is lost between them: bytes are read only when no signal has
    /// come before, and a signal that comes later finds them handled.
    ///
    /// # Errors
    /// The system refuses to read it.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        let mut waiting = [PollFd::new(&self.interrupt, PollFlags::IN), PollFd::new(&self.file, PollFlags::IN)];
        retry_on_intr(|| poll(&mut waiting, None)).map_err(|error| cannot_read(error.into()))?;
        if !waiting[0].revents().is_empty() {
            return Ok(None);
        }
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map(Some).map_err(cannot_read),
            }
        }
    }
}

fn cannot_read(source: io::Error) -> Error {
    Error::Io { doing: "cannot read the input".into(), source }
}
