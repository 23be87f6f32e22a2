//! The services of an engine: started when first asked for, kept for every submission it grades.

use std::collections::BTreeMap;

use lab_protocol::ServiceEndpoint;
use tokio::sync::Mutex;

use crate::context::RunContext;
use crate::events::EventKind;
use crate::report;
use lab_services::{self as services, Choice, Ready, Service, ServicesError, Wanted};

/// Services that are started when first asked for.
#[derive(Debug)]
pub struct Pool {
    choice: Choice,
    running: Mutex<Vec<Ready>>,
}

/// The services that one lab asked for.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    /// Postgres, if it was asked for.
    pub postgres: Option<Service>,
    /// Redis, if it was asked for.
    pub redis: Option<Service>,
}

impl Pool {
    /// Services from `choice`.
    pub fn new(choice: Choice) -> Self {
        Self { choice, running: Mutex::default() }
    }

    /// The `wanted` services, started now if they do not run.
    ///
    /// # Errors
    /// No provider could serve.
    pub async fn get(&self, wanted: Wanted, run: &RunContext) -> Result<Endpoints, ServicesError> {
        let mut running = self.running.lock().await;
        // What died is not handed out again.
        let (alive, dead): (Vec<_>, Vec<_>) = running.drain(..).partition(|ready| ready.dead().is_none());
        *running = alive;
        for ready in dead {
            ready.shutdown().await;
        }
        let present = gather(&running);
        let missing = Wanted {
            postgres: wanted.postgres && present.postgres.is_none(),
            redis: wanted.redis && present.redis.is_none(),
        };
        if missing != Wanted::default() {
            let progress = |text| run.emit(EventKind::Step { text });
            running.push(services::start(self.choice, missing, &progress).await?);
        }
        let all = gather(&running);
        Ok(Endpoints { postgres: all.postgres.filter(|_| wanted.postgres), redis: all.redis.filter(|_| wanted.redis) })
    }

    /// Stops what was started.
    pub async fn shutdown(self) {
        for ready in self.running.into_inner() {
            ready.shutdown().await;
        }
    }
}

fn gather(running: &[Ready]) -> Endpoints {
    Endpoints {
        postgres: running.iter().find_map(|ready| ready.postgres.clone()),
        redis: running.iter().find_map(|ready| ready.redis.clone()),
    }
}

impl Endpoints {
    fn named(&self) -> impl Iterator<Item = (&'static str, &Service)> {
        [("postgres", &self.postgres), ("redis", &self.redis)]
            .into_iter()
            .filter_map(|(name, service)| Some((name, service.as_ref()?)))
    }

    /// How a report names them.
    pub fn told(&self) -> BTreeMap<String, report::Service> {
        let told = |(name, service): (&str, &Service)| {
            let told = report::Service { provider: service.provider.to_string(), version: service.version.clone() };
            (name.to_owned(), told)
        };
        self.named().map(told).collect()
    }

    /// How a suite reaches them.
    pub fn for_suite(&self) -> BTreeMap<String, ServiceEndpoint> {
        let endpoint =
            |(name, service): (&str, &Service)| (name.to_owned(), ServiceEndpoint { url: service.url.clone() });
        self.named().map(endpoint).collect()
    }
}
