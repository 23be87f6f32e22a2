//! When to end.

use std::io;

/// A future that is done when the server shall end.
///
/// # Errors
/// The system refuses to tell us of signals.
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    // TODO(step-06.3): this is Ctrl-C at a terminal, SIGINT. Which signal do `docker stop` and Kubernetes send?
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
