//! Ctrl-C and the signals to end: noticed once, heeded everywhere. A run can also be cancelled by itself.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::platform;

/// Tells that the process is to end. Clones tell the same.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<u32>);

/// Raises an [`Interrupt`].
#[derive(Debug)]
pub struct Raise(watch::Sender<u32>);

/// Cancels one run. A process may have many runs, one after the other: each has a token of its own, and the process's
/// interrupt cancels them all. Clones cancel, and are cancelled, together.
#[derive(Debug, Clone)]
pub struct CancelToken {
    process: Interrupt,
    run: Arc<watch::Sender<u32>>,
}

impl Interrupt {
    /// An interrupt that only [`Raise::raise`] raises.
    pub fn new() -> (Raise, Self) {
        let (sender, receiver) = watch::channel(0);
        (Raise(sender), Self(receiver))
    }

    /// An interrupt that SIGINT, SIGTERM and SIGHUP raise, from now to the end of the program.
    ///
    /// # Errors
    /// The system lets us watch no signals.
    pub fn from_signals() -> std::io::Result<Self> {
        let (raise, interrupt) = Self::new();
        let mut int = signal(SignalKind::interrupt())?;
        let mut term = signal(SignalKind::terminate())?;
        // Under `nohup` a closed terminal is to be ignored: whoever watches the signal overrides that.
        let mut hup = if platform::ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                    () = received(&mut hup) => {}
                }
                raise.raise();
            }
        });
        Ok(interrupt)
    }

    /// A token for the next run.
    pub fn token(&self) -> CancelToken {
        CancelToken { process: self.clone(), run: Arc::new(watch::Sender::new(0)) }
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Returns once it was raised.
    pub async fn wait(&self) {
        reached(self.0.clone(), 1).await;
    }
}

/// Returns when `signal` is received: never, if it is not watched.
async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

impl Raise {
    /// Raises the interrupt, once more if it was raised before.
    pub fn raise(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

impl CancelToken {
    /// Cancels the run; a second time, its cleaning up as well.
    pub fn cancel(&self) {
        self.run.send_modify(|count| *count += 1);
    }

    /// A token for another run, which the process's interrupt cancels as well.
    pub fn of_another_run(&self) -> Self {
        self.process.token()
    }

    /// Whether the run was cancelled, by itself or with the process.
    pub fn is_cancelled(&self) -> bool {
        self.process.is_raised() || *self.run.borrow() > 0
    }

    /// Returns once the run was cancelled.
    pub async fn cancelled(&self) {
        self.times(1).await;
    }

    /// Returns once the run was cancelled a second time: not even the cleaning up is to be waited for.
    pub async fn cancelled_twice(&self) {
        self.times(2).await;
    }

    async fn times(&self, times: u32) {
        tokio::select! {
            () = reached(self.process.0.clone(), times) => {}
            () = reached(self.run.subscribe(), times) => {}
        }
    }
}

async fn reached(mut count: watch::Receiver<u32>, times: u32) {
    if count.wait_for(|count| *count >= times).await.is_err() {
        // Nobody is left to raise it.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_over(future: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::ZERO, future).await.is_ok()
    }

    #[tokio::test]
    async fn a_cancelled_run_leaves_the_next_one_alone() {
        let (_raise, interrupt) = Interrupt::new();
        let first = interrupt.token();
        first.clone().cancel();
        assert!(first.is_cancelled() && is_over(first.cancelled()).await);
        assert!(!is_over(first.cancelled_twice()).await);
        let next = interrupt.token();
        assert!(!next.is_cancelled() && !is_over(next.cancelled()).await);
        next.cancel();
        assert!(is_over(next.cancelled()).await);
    }

    #[tokio::test]
    async fn the_process_cancels_every_run_and_those_to_come() {
        let (raise, interrupt) = Interrupt::new();
        let (one, other) = (interrupt.token(), interrupt.token());
        raise.raise();
        assert!(one.is_cancelled() && other.is_cancelled() && interrupt.token().is_cancelled());
        assert!(!is_over(one.cancelled_twice()).await);
        raise.raise();
        assert!(is_over(one.cancelled_twice()).await);
    }
}
