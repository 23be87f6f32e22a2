//! Services that are started when first asked for and kept, for whoever grades many submissions in a row.

use tokio::sync::Mutex;

use crate::error::ServicesError;
use crate::provider::{Endpoint, ProviderChoice};
use crate::registry::ServiceId;
use crate::running::{Endpoints, RunningServices, start};

/// Services that are started when first asked for.
#[derive(Debug)]
pub struct ServicePool {
    choice: ProviderChoice,
    running: Mutex<Vec<RunningServices>>,
}

impl ServicePool {
    /// Services from `choice`.
    #[must_use]
    pub fn new(choice: ProviderChoice) -> Self {
        Self { choice, running: Mutex::default() }
    }

    /// Where `services` answer; those that do not run are started now. What takes long is told to `progress`.
    ///
    /// # Errors
    /// No provider could serve one of them.
    pub async fn get(
        &self,
        services: &[ServiceId],
        progress: &(dyn Fn(String) + Send + Sync),
    ) -> Result<Endpoints, ServicesError> {
        let mut running = self.running.lock().await;
        // What died is not handed out again.
        let (alive, dead): (Vec<_>, Vec<_>) = running.drain(..).partition(|set| set.dead().is_none());
        *running = alive;
        for set in dead {
            set.shutdown().await;
        }
        let missing: Vec<ServiceId> =
            services.iter().copied().filter(|service| find(&running, *service).is_none()).collect();
        if !missing.is_empty() {
            running.push(start(self.choice, &missing, progress).await?);
        }
        Ok(services.iter().filter_map(|service| find(&running, *service)).collect())
    }

    /// Another server of `service` in place of the one at `ended`, which has ended or is to end now. Whoever else used it
    /// and asks later gets the same one.
    ///
    /// # Errors
    /// There is none, or `ended` is not ours to end.
    pub async fn replace(
        &self,
        service: ServiceId,
        ended: &str,
        progress: &(dyn Fn(String) + Send + Sync),
    ) -> Result<Endpoint, ServicesError> {
        let mut running = self.running.lock().await;
        if let Some((_, now)) = find(&running, service)
            && (now.url != ended || !now.is_ours())
        {
            return Ok(now);
        }
        for set in running.iter_mut() {
            set.stop(service).await;
        }
        let set = start(self.choice, &[service], progress).await?;
        let endpoint = set.endpoints.get(service).cloned();
        running.push(set);
        endpoint.ok_or(ServicesError::Lost { service })
    }

    /// Stops what was started for this pool alone. Whoever asks later gets others.
    pub async fn stop(&self) {
        for set in self.running.lock().await.drain(..) {
            set.shutdown().await;
        }
    }

    /// As [`ServicePool::stop`], for good.
    pub async fn shutdown(self) {
        self.stop().await;
    }
}

fn find(running: &[RunningServices], service: ServiceId) -> Option<(ServiceId, Endpoint)> {
    running.iter().find_map(|set| Some((service, set.endpoints.get(service)?.clone())))
}
