//! Carries accepted jobs from the database to the broker, and writes down which the broker has confirmed.
//!
//! Who accepts a job writes its row and nothing else, so that there is no moment in which one of two is done: a row without
//! a message is found here, by whoever is alive then.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Broker, BrokerError};
use crate::shutdown::Stop;
use crate::store::{Outgoing, Store, StoreError};

/// How often to look without being told to.
const EVERY: Duration = Duration::from_millis(500);
/// How many to carry at once.
const LOAD: i64 = 100;

/// Carries jobs. Clones are the same relay.
#[derive(Debug, Clone)]
pub struct Relay {
    store: Store,
    broker: Broker,
    which: Outgoing,
    accepted: Arc<Notify>,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Relay {
    /// One that carries `which` jobs.
    pub fn new(store: Store, broker: Broker, which: Outgoing) -> Self {
        Self { store, broker, which, accepted: Arc::default() }
    }

    /// There is something to carry.
    pub fn tell(&self) {
        self.accepted.notify_one();
    }

    /// Carries until the end begins.
    pub async fn run(&self, stop: &Stop) {
        let carrying = async {
            let mut prepared = false;
            loop {
                if let Err(error) = self.carry_all(&mut prepared).await {
                    // The streams may have gone with the broker.
                    prepared = false;
                    tracing::debug!(%error, "jobs wait");
                }
                // Either way, it is time to look.
                let _ = timeout(EVERY, self.accepted.notified()).await;
            }
        };
        tokio::select! {
            () = carrying => {}
            () = stop.begun() => {}
        }
    }

    async fn carry_all(&self, prepared: &mut bool) -> Result<(), RelayError> {
        if !*prepared {
            self.broker.prepare().await?;
            *prepared = true;
        }
        loop {
            let jobs = self.store.outgoing(self.which, LOAD).await?;
            if jobs.is_empty() {
                return Ok(());
            }
            let mut confirmations = Vec::new();
            for job in &jobs {
                confirmations.push(self.broker.send(*job).await?);
            }
            for confirmation in confirmations {
                confirmation.await.map_err(|error| BrokerError::Refused(error.into()))?;
            }
            self.store.published(&jobs).await?;
        }
    }
}
