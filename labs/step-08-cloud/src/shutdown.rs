//! When to end: SIGTERM from whoever runs us, or Ctrl-C at a terminal.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Listens for the signals from now on, and gives a future that is done when one has come.
///
/// # Errors
/// The system refuses to tell us of signals.
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM"),
            _ = interrupt.recv() => tracing::info!("SIGINT"),
        }
    })
}
