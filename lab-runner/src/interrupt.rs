//! Ctrl-C and the signals to end: noticed once, heeded everywhere.

use tokio::sync::watch;

/// Tells when the user has had enough. Clones tell the same.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<u32>);

/// Raises an [`Interrupt`].
#[derive(Debug)]
pub struct Raise(watch::Sender<u32>);

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
        use tokio::signal::unix::{SignalKind, signal};
        let (raise, interrupt) = Self::new();
        let mut int = signal(SignalKind::interrupt())?;
        let mut term = signal(SignalKind::terminate())?;
        let mut hup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                    _ = hup.recv() => {}
                }
                raise.raise();
            }
        });
        Ok(interrupt)
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Returns once it was raised.
    pub async fn wait(&self) {
        self.wait_for(1).await;
    }

    /// Returns once it was raised a second time: not even the cleaning up is to be waited for.
    pub async fn wait_for_impatience(&self) {
        self.wait_for(2).await;
    }

    async fn wait_for(&self, times: u32) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|count| *count >= times).await.is_err() {
            // Nobody is left to raise it.
            std::future::pending::<()>().await;
        }
    }
}

impl Raise {
    /// Raises the interrupt, once more if it was raised before.
    pub fn raise(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}
