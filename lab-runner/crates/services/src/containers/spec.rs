//! How our containers are started, and the labels by which only ours are ever removed.

use std::collections::BTreeMap;

use lab_protocol::{CgroupShare, ContainerSpec};
use sha2::{Digest as _, Sha256};

use super::engine::ContainerEngine;
use super::image::{PresentImage, split};
use crate::cache::Cache;
use crate::error::ProviderError;
use crate::registry::ServiceId;

/// The image a service can be started from.
#[derive(Debug)]
pub struct ContainerImage {
    /// The official image of one major version, such as `postgres:17`.
    pub official: &'static str,
    /// The one that `fixtures/images/build` makes where no registry can be reached, if it makes one.
    pub local: Option<&'static str>,
    /// What it writes when it is ready.
    pub ready_line: &'static str,
    /// A folder inside that is kept in memory.
    pub in_memory: Option<&'static str>,
    /// What makes it ask its administrator for this password.
    pub credentials: fn(password: &str) -> ContainerSettings,
    /// What makes it start and work faster; nothing here needs to outlive a crash.
    pub tuning: fn() -> ContainerSettings,
}

/// What a container is started with.
#[derive(Debug, Default)]
pub struct ContainerSettings {
    /// Environment variables.
    pub env: Vec<(&'static str, String)>,
    /// Arguments after the image.
    pub args: Vec<String>,
}

/// Where an engine manages control groups of version 1 itself, all its containers together weigh as much as a single
/// process outside: on a busy machine a database would get a twentieth of a processor, and servers would be blamed for
/// its slowness. Beside those processes it weighs what sixteen of them do, and it is idle most of the time.
const BESIDE_PROCESSES: (&str, i64) = ("/", 16 * 1024);

/// Counts the changes to how a container is made that the rest of its spec does not show.
const LAYOUT: u8 = 2;

/// The label that says which service it is, and that it is ours.
pub(super) const SERVICE: &str = "backend-labs.service";
/// The label that says whose it is.
pub(super) const OWNER: &str = "backend-labs.owner";

/// Tells this user's containers from another's, and those of one cache, where the passwords are, from another's.
pub(super) fn owner(cache: &Cache) -> String {
    let digest = hex::encode(Sha256::digest(cache.root().as_os_str().as_encoded_bytes()));
    format!("{}-{}", rustix::process::geteuid().as_raw(), &digest[..8])
}

/// The image that `service` can be started from.
pub(super) fn of(service: ServiceId) -> Result<&'static ContainerImage, ProviderError> {
    service.definition().container().ok_or_else(|| ProviderError::new(format!("there is no image of {service}")))
}

/// The name of the container for `service` from `image`. It holds a hash of everything that matters but the password:
/// a container that was made otherwise is another one.
pub(super) fn name(service: ServiceId, image: &PresentImage, cache: &Cache) -> Result<String, ProviderError> {
    let owner = owner(cache);
    let definition = of(service)?;
    let tuning = (definition.tuning)();
    let variables = tuning.env.iter().flat_map(|(name, value)| [*name, value.as_str()]);
    let args = tuning.args.iter().map(String::as_str);
    let mut digest = Sha256::new();
    digest.update([LAYOUT]);
    for fact in
        [image.id.as_str(), &owner, definition.in_memory.unwrap_or_default()].into_iter().chain(variables).chain(args)
    {
        digest.update(fact);
        digest.update([0]);
    }
    Ok(format!("backend-labs-{}-{owner}-{}", service.id(), &hex::encode(digest.finalize())[..8]))
}

/// The container for `service` from `image`. `engine` is the one that will start it.
pub(super) fn spec(
    service: ServiceId,
    image: &PresentImage,
    cache: &Cache,
    password: &str,
    engine: &ContainerEngine,
) -> Result<ContainerSpec, ProviderError> {
    let definition = of(service)?;
    let (tuning, credentials) = ((definition.tuning)(), (definition.credentials)(password));
    let (repository, tag) = split(&image.reference);
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    let (parent, shares) = BESIDE_PROCESSES;
    Ok(ContainerSpec {
        name: name(service, image, cache)?,
        image: repository,
        tag,
        env: tuning.env.into_iter().chain(credentials.env).map(owned).collect(),
        args: tuning.args.into_iter().chain(credentials.args).collect(),
        labels: BTreeMap::from([(SERVICE, service.id().to_owned()), (OWNER, owner(cache))].map(owned)),
        port: service.description().url.port,
        publish_on: if engine.is_remote() { "0.0.0.0" } else { "127.0.0.1" }.to_owned(),
        in_memory: definition.in_memory.map(str::to_owned),
        ready_line: definition.ready_line.to_owned(),
        cgroup: engine.weighs_containers_as_one().then(|| CgroupShare { parent: parent.to_owned(), shares }),
    })
}
