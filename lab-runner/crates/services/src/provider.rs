//! The provider chain: where services come from, and which provider a service is taken from.

use std::fmt;
use std::path::PathBuf;

use lab_files::FileLock;
use serde::{Deserialize, Serialize};

use crate::containers::RetryPolicy;
use crate::error::{ProviderError, ServicesError};
use crate::instance::Instance;
use crate::loopback::reach_loopback;
use crate::progress::ProgressSender;
use crate::registry::ServiceId;
use crate::{containers, embedded, external, native, packages};

/// What `--services` and `LAB_SERVICES` say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ProviderChoice {
    /// The first provider that works, for each service.
    #[default]
    Auto,
    /// Servers that already run, named by variables such as `LAB_POSTGRES_URL`.
    External,
    /// Containers that are kept warm between runs.
    Containers,
    /// Private instances of the programs found on this machine.
    Native,
    /// Private instances of programs downloaded once into the user's cache.
    Embedded,
    /// Private instances: native where the program is on this machine, else embedded.
    Private,
}

/// Where a service came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// A server that already runs and that a variable names.
    External,
    /// A container of ours.
    Containers,
    /// A program found on this machine.
    Native,
    /// A program downloaded into the user's cache.
    Embedded,
}

impl Provider {
    /// Every provider, in the order in which `auto` tries them where all can be tried at once.
    pub const ALL: [Self; 4] = [Self::External, Self::Containers, Self::Native, Self::Embedded];

    /// The word for it in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::External => "external",
            Self::Containers => "containers",
            Self::Native => "native",
            Self::Embedded => "embedded",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Where a service answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The administrator's URL, password included: not for reports.
    pub url: String,
    /// Where the service came from.
    pub provider: Provider,
    /// What is known of its version without asking it, such as `PostgreSQL 15.12` or an image's tag. The suite asks
    /// the server itself.
    pub version: Option<String>,
    /// The program that it is, where that lies on this machine.
    pub program: Option<PathBuf>,
}

impl Endpoint {
    /// Whether the server was started for grading, and may be ended.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.provider != Provider::External
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, version, .. } = self;
        formatter.debug_struct("Endpoint").field("provider", provider).field("version", version).finish_non_exhaustive()
    }
}

/// A service that answers, and what must be held for as long as it is used.
#[derive(Debug)]
pub(crate) struct Provided {
    pub(crate) endpoint: Endpoint,
    /// The private instance behind it, if it was started for this run.
    pub(crate) instance: Option<Instance>,
    /// Held while a shared container is used.
    pub(crate) lease: Option<FileLock>,
}

/// Finds or starts `service` as `choice` says.
pub(crate) fn provide(
    service: ServiceId,
    choice: ProviderChoice,
    progress: &ProgressSender,
) -> Result<Provided, ServicesError> {
    let provider = match choice {
        ProviderChoice::Auto => return first_that_works(service, &order(containers::can_start(service)), progress),
        ProviderChoice::Private => {
            return first_that_works(service, &[Provider::Native, Provider::Embedded], progress);
        }
        ProviderChoice::External => Provider::External,
        ProviderChoice::Containers => Provider::Containers,
        ProviderChoice::Native => Provider::Native,
        ProviderChoice::Embedded => Provider::Embedded,
    };
    from(provider, service, RetryPolicy::Retry, progress).map_err(|source| ServicesError::Unavailable {
        service,
        provider,
        source,
    })
}

/// The order in which providers are tried: as [`Provider::ALL`] has it, but nothing is compiled for containers before
/// the programs on this machine were tried. That takes a minute of a first run, and programs start at once.
pub(crate) fn order(containers_can_start: bool) -> [Provider; 4] {
    let mut order = Provider::ALL;
    let place = |provider| Provider::ALL.iter().position(|one| *one == provider);
    if let (false, Some(containers), Some(native)) =
        (containers_can_start, place(Provider::Containers), place(Provider::Native))
    {
        order.swap(containers, native);
    }
    order
}

fn first_that_works(
    service: ServiceId,
    order: &[Provider],
    progress: &ProgressSender,
) -> Result<Provided, ServicesError> {
    let mut attempts = Vec::new();
    for &provider in order {
        match from(provider, service, RetryPolicy::SkipRecentFailure, progress) {
            Ok(provided) => return Ok(provided),
            Err(error) => {
                if provider == Provider::External && service.setting("URL").is_some() {
                    progress.report(format!("{error}; trying other providers"));
                }
                attempts.push((provider, error));
            }
        }
    }
    Err(ServicesError::NoneWorks { service, attempts, remedy: packages::remedy(&[service]) })
}

fn from(
    provider: Provider,
    service: ServiceId,
    retry: RetryPolicy,
    progress: &ProgressSender,
) -> Result<Provided, ProviderError> {
    if provider != Provider::External {
        reach_loopback()?;
    }
    match provider {
        Provider::External => external::start(service),
        Provider::Containers => containers::start(service, retry, progress),
        Provider::Native => native::start(service, progress),
        Provider::Embedded => embedded::start(service, progress),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_compiled_for_containers_before_the_machines_own_programs_were_tried() {
        assert_eq!(order(true), Provider::ALL);
        let patient = [Provider::External, Provider::Native, Provider::Containers, Provider::Embedded];
        assert_eq!(order(false), patient);
    }
}
