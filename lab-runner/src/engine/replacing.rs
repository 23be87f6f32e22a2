//! Puts another server in place of one that a suite had to end: what a submission does to a service of its own is no end of
//! the run.

use std::collections::BTreeMap;

use lab_protocol::ToSuite;
use lab_services::{Endpoint, Endpoints, ServiceId};

use super::Engine;
use crate::context::RunContext;
use crate::events::EventKind;

/// The services that one suite was told of, as they are now.
pub(super) struct InUse<'a> {
    engine: &'a Engine,
    run: &'a RunContext,
    urls: BTreeMap<String, String>,
}

impl<'a> InUse<'a> {
    pub(super) fn of(endpoints: &Endpoints, engine: &'a Engine, run: &'a RunContext) -> Self {
        let url = |(service, endpoint): (ServiceId, &Endpoint)| (service.id().to_owned(), endpoint.url.clone());
        Self { engine, run, urls: endpoints.iter().map(url).collect() }
    }

    /// Gets another server of the service `name`, and says `why` it is needed. Gives what to say to the suite.
    pub(super) async fn replace(&mut self, name: String, why: String) -> ToSuite {
        let (Some(service), Some(ended)) = (ServiceId::find(&name), self.urls.get(&name)) else {
            return ToSuite::ServiceLost { message: format!("the run has no service `{name}`"), name };
        };
        self.run.emit(EventKind::Step { text: why });
        let progress = |text| self.run.emit(EventKind::Step { text });
        match self.engine.services.replace(service, ended, &progress).await {
            Ok(endpoint) => {
                self.urls.insert(name.clone(), endpoint.url.clone());
                ToSuite::ServiceReplaced { name, url: endpoint.url }
            }
            Err(error) => ToSuite::ServiceLost { name, message: lab_protocol::in_full(&error) },
        }
    }
}
