//! Asks the runner for another server in place of one that has ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::channel::Events;
use lab_check::service::Replacement;
use lab_check::{CheckResult, Failure};
use lab_protocol::{Event, ToSuite};

/// How long the runner may take to find or start another server: an image may have to be started.
const LONGEST: Duration = Duration::from_secs(90);

type Waiting = BTreeMap<String, oneshot::Sender<CheckResult<String>>>;

/// Asks the runner, and passes its answers to those who wait. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Replacements {
    events: Events,
    waiting: Arc<Mutex<Waiting>>,
}

impl Replacements {
    pub fn new(events: Events) -> Self {
        Self { events, waiting: Arc::default() }
    }

    /// Gets another server of the service `name`.
    pub fn of(&self, name: &str) -> Replacement {
        let (all, name) = (self.clone(), name.to_owned());
        Replacement::new(move |why| {
            let (all, name) = (all.clone(), name.clone());
            Box::pin(async move { all.ask(name, why).await })
        })
    }

    async fn ask(&self, name: String, why: String) -> CheckResult<String> {
        let (sender, answer) = oneshot::channel();
        self.lock().insert(name.clone(), sender);
        self.events.send(Event::ServiceEnded { name: name.clone(), why });
        match timeout(LONGEST, answer).await {
            Ok(Ok(answer)) => answer,
            _ => Err(Failure::Ours(format!("the runner has no other {name}"))),
        }
    }

    /// Passes on what the runner says.
    pub fn answer(&self, message: ToSuite) {
        let (name, answer) = match message {
            ToSuite::ServiceReplaced { name, url } => (name, Ok(url)),
            ToSuite::ServiceLost { name, message } => (name, Err(Failure::Ours(message))),
        };
        if let Some(waiting) = self.lock().remove(&name) {
            let _ = waiting.send(answer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
