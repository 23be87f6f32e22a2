//! The services of one run, whatever they are: connected to once, asked whether they live, and closed at the end.

use std::collections::BTreeMap;

use futures::future::{join_all, try_join_all};

use crate::suite::replacements::Replacements;
use lab_check::service::{Access, Service, ServiceDriver};
use lab_check::{CheckResult, Failure};
use lab_protocol::SuiteConfig;

/// The services that a run is connected to, in the order in which the suite registers their drivers.
#[derive(Debug, Default)]
pub(crate) struct Services(Vec<NamedService>);

/// One of them.
#[derive(Debug)]
pub(crate) struct NamedService {
    driver: &'static dyn ServiceDriver,
    service: Box<dyn Service>,
}

impl NamedService {
    pub fn name(&self) -> &str {
        self.driver.name()
    }

    pub fn title(&self) -> &str {
        self.driver.title()
    }

    pub fn service(&self) -> &dyn Service {
        self.service.as_ref()
    }
}

impl Services {
    /// Connects to every service of `config`, side by side. Those that are ours can be replaced by `replacements`.
    ///
    /// # Errors
    /// Ours, if one of them cannot be reached, or has no driver.
    pub async fn connect(
        drivers: &[&'static dyn ServiceDriver],
        config: &SuiteConfig,
        replacements: &Replacements,
    ) -> CheckResult<Self> {
        let has_driver = |name: &str| drivers.iter().any(|driver| driver.name() == name);
        if let Some(name) = config.services.keys().find(|name| !has_driver(name)) {
            return Err(Failure::Ours(format!(
                "lab.toml asks for the service `{name}`, and the suite's `main` registers no driver for it"
            )));
        }
        let endpoints = drivers.iter().filter_map(|driver| Some((*driver, config.services.get(driver.name())?)));
        let connections = endpoints.map(|(driver, endpoint)| async move {
            let replacement = endpoint.ours.then(|| replacements.of(driver.name()));
            let access = Access {
                url: endpoint.url.clone(),
                run: config.nonce.clone(),
                replacement,
                program: endpoint.program.clone(),
            };
            Ok(NamedService { driver, service: driver.connect(access).await? })
        });
        Ok(Self(try_join_all(connections).await?))
    }

    pub fn iter(&self) -> impl Iterator<Item = &NamedService> {
        self.0.iter()
    }

    /// What each says it is, by name.
    pub fn versions(&self) -> BTreeMap<String, String> {
        self.iter().map(|running| (running.name().to_owned(), running.service.version().to_owned())).collect()
    }

    /// The first that has not served without a break since the run began, in a sentence.
    pub async fn failure(&self) -> Option<String> {
        for running in self.iter() {
            if !running.service.is_alive().await {
                let why = running.service.failure();
                return Some(why.unwrap_or_else(|| format!("{} failed while the check ran", running.title())));
            }
        }
        None
    }

    /// Waits until all of them are calm; what is not, in a sentence.
    pub async fn until_calm(&self) -> Option<String> {
        join_all(self.iter().map(|running| running.service.until_calm())).await.into_iter().flatten().next()
    }

    /// What whoever reads the result should know of them, once they are closed.
    pub fn notes(&self) -> Vec<String> {
        self.iter().flat_map(|running| running.service.notes()).collect()
    }

    /// Removes everything that the run made on them.
    ///
    /// # Errors
    /// Ours, if something could not be removed.
    pub async fn close(&self) -> CheckResult {
        join_all(self.iter().map(|running| running.service.close())).await.into_iter().collect()
    }
}
