//! How a service's thread says what takes long.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The sending half: one sentence fragment for each thing that takes long enough to be worth a line.
#[derive(Debug, Clone)]
pub(crate) struct ProgressSender(UnboundedSender<String>);

impl ProgressSender {
    pub(crate) fn channel() -> (Self, UnboundedReceiver<String>) {
        let (sender, receiver) = unbounded_channel();
        (Self(sender), receiver)
    }

    /// Nobody listening is no error: the run has been given up.
    pub(crate) fn report(&self, text: impl Into<String>) {
        let _ = self.0.send(text.into());
    }
}
