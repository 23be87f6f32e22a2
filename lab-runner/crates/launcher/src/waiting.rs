//! Says for whom we wait when another cargo holds a lock that ours needs: an editor's, as a rule. Cargo itself says only
//! that it waits, not for whom, and nothing at all when it is quiet.

use std::io;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use lab_launcher::waited_for;

/// What is had sooner is not worth a line.
const PATIENCE: Duration = Duration::from_millis(500);

/// Runs `command` to its end.
pub(crate) fn status(command: &mut Command) -> io::Result<ExitStatus> {
    let mut child = command.spawn()?;
    watching(child.id(), || child.wait())
}

/// Runs `command` to its end, and keeps what it says.
pub(crate) fn output(command: &mut Command) -> io::Result<Output> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    watching(child.id(), || child.wait_with_output())
}

/// Does `work` while whoever keeps `process` waiting is told, once.
fn watching<T>(process: u32, work: impl FnOnce() -> T) -> T {
    let (done, finished) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while finished.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                if let Some(holder) = waited_for(process) {
                    return eprintln!("waiting for {holder}, which has locked what cargo needs");
                }
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Says that somebody else builds in our folder, and has to be waited for. Called by who is about to wait.
pub(crate) fn report_other_build() {
    // Who holds the lock shows as soon as we wait for it.
    thread::spawn(|| {
        let mut holder = None;
        for _ in 0..50 {
            holder = waited_for(std::process::id());
            if holder.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        match holder {
            Some(holder) => eprintln!("waiting for {holder} to finish building"),
            None => eprintln!("waiting for another `cargo lab` to finish building"),
        }
    });
}
