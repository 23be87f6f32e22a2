//! The socket to the runner, which is our standard output.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

use lab_protocol::{FromScreen, ToScreen};

/// Speaks to the runner.
pub(crate) struct Runner(UnixStream);

/// The end at which we speak, and what comes from the runner, until it hangs up.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn open() -> io::Result<(Runner, impl Iterator<Item = ToScreen> + Send)> {
    let socket = UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    let lines = BufReader::new(socket.try_clone()?).lines();
    let messages = lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok());
    Ok((Runner(socket), messages))
}

impl Runner {
    /// Tells the runner `what`. If it is gone, that is noticed where it is listened to.
    pub(crate) fn send(&mut self, what: FromScreen) {
        if let Ok(mut line) = serde_json::to_vec(&what) {
            line.push(b'\n');
            let _ = self.0.write_all(&line);
        }
    }
}
