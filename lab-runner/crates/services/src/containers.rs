//! Containers: kept warm between runs, so that attaching to one takes milliseconds.

mod engine;
mod fresh;
mod helper;
mod image;
mod remove;
mod spec;
mod waiting;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use lab_files::FileLock;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cache::Cache;
use crate::connection::{ProbeReply, probe};
use crate::error::ProviderError;
use crate::instance::TICK;
use crate::progress::ProgressSender;
use crate::provider::{Endpoint, Provided, Provider};
use crate::registry::ServiceId;
use crate::secret::Secret;
use crate::url::Address;
use image::PresentImage;

pub(crate) use engine::ContainerEngine;
pub use fresh::{FreshContainer, FreshContainers};
pub(crate) use image::RetryPolicy;
pub(crate) use remove::{Removal, remove_all};
pub use spec::{ContainerImage, ContainerSettings};

/// A container that was started before this run answers at once, or is no use.
const WARM_TIMEOUT: Duration = Duration::from_secs(5);
/// One that was started just now has said that it is ready.
const COLD_TIMEOUT: Duration = Duration::from_secs(30);

/// What is recorded of a container, readable by nobody else.
#[derive(Debug, Serialize, Deserialize)]
struct ContainerRecord {
    password: Secret,
}

/// A container by its name, and the files that belong to it.
struct WarmContainer {
    service: ServiceId,
    engine: ContainerEngine,
    image: PresentImage,
    name: String,
    folder: PathBuf,
}

/// Attaches to the container for `service`, or starts it.
pub(crate) fn start(
    service: ServiceId,
    retry: RetryPolicy,
    progress: &ProgressSender,
) -> Result<Provided, ProviderError> {
    spec::of(service)?;
    let engine = ContainerEngine::find()?;
    let cache = Cache::locate()?;
    let image = image::get(service, &engine, &cache, retry, progress)?;
    let container = WarmContainer::new(service, engine, image, &cache)?;
    let failed = |error: io::Error| ProviderError::io("lock the container", &error);
    // Held for as long as a run uses the container: `down` leaves it alone for so long.
    let lease = FileLock::acquire_shared(lease_file(&container.folder, &container.name)).map_err(failed)?;
    // Of several runs that begin at once, one starts the container.
    let _starting = FileLock::acquire(container.file("starting")).map_err(failed)?;
    let recorded = container.recorded();
    let (address, password) = match recorded.as_ref().and_then(|password| container.attach(password, WARM_TIMEOUT).ok())
    {
        Some(address) => (address, recorded.unwrap_or_else(Secret::random)),
        None => container.start(recorded, retry, &cache, progress)?,
    };
    let url = service.description().url.administrator_url(&address, Some(password.expose()));
    let version = Some(format!("image {}", container.image.reference));
    let endpoint = Endpoint { url, provider: Provider::Containers, version, program: None };
    Ok(Provided { endpoint, instance: None, lease: Some(lease) })
}

/// How far a service is from a container of ours.
#[derive(Debug)]
pub(crate) enum Availability {
    /// The container runs and answers.
    Warm {
        /// Its image.
        image: String,
        /// The engine and its version.
        engine: String,
    },
    /// The image is there, and the engine answers.
    ImagePresent {
        /// The image.
        image: String,
        /// The engine and its version.
        engine: String,
    },
}

/// Looks, and starts nothing.
pub(crate) fn availability(service: ServiceId) -> Result<Availability, ProviderError> {
    spec::of(service)?;
    let engine = ContainerEngine::find()?;
    let image = image::present(service, &engine)?.ok_or_else(|| image::none_present(service))?;
    let container = WarmContainer::new(service, engine, image, &Cache::locate()?)?;
    let warm = container.recorded().is_some_and(|password| container.attach(&password, WARM_TIMEOUT).is_ok());
    let (image, engine) = (format!("image {}", container.image.reference), container.engine.version);
    Ok(if warm { Availability::Warm { image, engine } } else { Availability::ImagePresent { image, engine } })
}

/// Whether a container for `service` is up, or could be started with what is compiled already.
pub(crate) fn can_start(service: ServiceId) -> bool {
    helper::is_compiled() || matches!(availability(service), Ok(Availability::Warm { .. }))
}

fn lease_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.lock"))
}

impl WarmContainer {
    fn new(
        service: ServiceId,
        engine: ContainerEngine,
        image: PresentImage,
        cache: &Cache,
    ) -> Result<Self, ProviderError> {
        let (folder, name) = (cache.folder("containers")?, spec::name(service, &image, cache)?);
        Ok(Self { service, engine, image, name, folder })
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.name))
    }

    /// The password that it was started with, if that is known.
    fn recorded(&self) -> Option<Secret> {
        let record: ContainerRecord = serde_json::from_slice(&fs::read(self.file("json")).ok()?).ok()?;
        Some(record.password)
    }

    fn record(&self, password: &Secret) -> io::Result<()> {
        let file = self.file("json");
        let _ = fs::remove_file(&file);
        let text = serde_json::to_vec(&ContainerRecord { password: password.clone() })?;
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(&text)
    }

    fn start(
        &self,
        recorded: Option<Secret>,
        retry: RetryPolicy,
        cache: &Cache,
        progress: &ProgressSender,
    ) -> Result<(Address, Secret), ProviderError> {
        let failure = self.file("failed");
        if retry == RetryPolicy::SkipRecentFailure && image::is_recent(&failure) {
            let why = fs::read_to_string(&failure).unwrap_or_default();
            return Err(ProviderError::new(format!("{why} (a few minutes ago)")));
        }
        // Whatever has the name now cannot be used: it is stopped, does not answer, or has a password nobody knows.
        remove::one(&self.engine, &self.name)?;
        let password = recorded.unwrap_or_else(Secret::random);
        self.record(&password).map_err(|error| ProviderError::io("record the container's password", &error))?;
        let spec = spec::spec(self.service, &self.image, cache, password.expose(), &self.engine)?;
        let started = helper::start(&spec, &self.engine, progress).and_then(|()| self.attach(&password, COLD_TIMEOUT));
        match started {
            Ok(address) => {
                let _ = fs::remove_file(&failure);
                remove::outdated(&self.engine, self.service, cache, &self.name);
                Ok((address, password))
            }
            Err(error) => {
                let _ = remove::one(&self.engine, &self.name);
                let _ = fs::write(&failure, error.to_string());
                Err(error)
            }
        }
    }

    /// Where it answers.
    fn attach(&self, password: &Secret, timeout: Duration) -> Result<Address, ProviderError> {
        attach(self.service, &self.engine, &self.name, password, timeout)
    }
}

/// Where the container `name` of `service` answers, once it does.
fn attach(
    service: ServiceId,
    engine: &ContainerEngine,
    name: &str,
    password: &Secret,
    timeout: Duration,
) -> Result<Address, ProviderError> {
    let deadline = Instant::now() + timeout;
    loop {
        let facts = engine.inspect(name)?;
        if facts.status != 200 || facts.body["State"]["Running"] != true {
            return Err(ProviderError::new(format!("the container {name} is not running")));
        }
        for address in addresses(&facts.body, service.description().url.port, engine.host()) {
            if matches!(probe(service, &address, Some(password.expose()), timeout), Ok(ProbeReply::Expected)) {
                return Ok(address);
            }
        }
        if Instant::now() >= deadline {
            return Err(ProviderError::new(format!("{service} in the container {name} does not answer")));
        }
        thread::sleep(TICK);
    }
}

/// The published port, and the container's own address for when we are in a container ourselves.
fn addresses(facts: &Value, port: u16, host: &str) -> Vec<Address> {
    let network = &facts["NetworkSettings"];
    let published = network["Ports"][format!("{port}/tcp")][0]["HostPort"].as_str().and_then(|port| port.parse().ok());
    let published = published.map(|port| Address { host: host.to_owned(), port });
    let own = network["IPAddress"].as_str().filter(|address| !address.is_empty());
    published.into_iter().chain(own.map(|address| Address { host: address.to_owned(), port })).collect()
}
