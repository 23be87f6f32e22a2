//! What a check hears of a subject.

use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::timeout;

/// A subscription to one subject, made by [`crate::Nats::subscribe`].
#[derive(Debug)]
pub struct Subscription(async_nats::Subscriber);

impl Subscription {
    pub(super) fn new(subscriber: async_nats::Subscriber) -> Self {
        Self(subscriber)
    }

    /// The next message's payload; none, if none comes within this time.
    pub async fn next(&mut self, within: Duration) -> Option<Vec<u8>> {
        timeout(within, self.0.next()).await.ok().flatten().map(|message| message.payload.to_vec())
    }
}
