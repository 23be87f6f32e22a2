//! The provider chain: which provider a service comes from.

use std::fs::File;

use super::containers::Patience;
use super::instance::Instance;
use super::problem::{Problem, ServicesError};
use super::tell::Tell;
use super::{Choice, Kind, Provider, Service};
use super::{containers, embedded, external, native, remedy};

/// A service, and the private instance behind it if it was started for this run.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) service: Service,
    pub(super) instance: Option<Instance>,
    /// Held while a shared container is used.
    pub(super) lease: Option<File>,
}

/// Finds or starts `kind` as `choice` says.
pub(super) fn find(kind: Kind, choice: Choice, tell: &Tell) -> Result<Found, ServicesError> {
    let provider = match choice {
        Choice::Auto => return first_that_works(kind, tell),
        Choice::External => Provider::External,
        Choice::Containers => Provider::Containers,
        Choice::Native => Provider::Native,
        Choice::Embedded => Provider::Embedded,
    };
    from(provider, kind, Patience::TryAgain, tell).map_err(|problem| ServicesError::Unavailable {
        kind,
        provider,
        problem,
    })
}

fn first_that_works(kind: Kind, tell: &Tell) -> Result<Found, ServicesError> {
    let mut attempts = Vec::new();
    for provider in Provider::ALL {
        match from(provider, kind, Patience::GiveUp, tell) {
            Ok(found) => return Ok(found),
            Err(problem) => {
                if provider == Provider::External && external::is_named(kind) {
                    tell.say(format!("{problem}: looking elsewhere"));
                }
                attempts.push((provider, problem));
            }
        }
    }
    Err(ServicesError::NoneWorks { kind, attempts, remedy: remedy::for_none(kind) })
}

fn from(provider: Provider, kind: Kind, patience: Patience, tell: &Tell) -> Result<Found, Problem> {
    match provider {
        Provider::External => external::start(kind),
        Provider::Containers => containers::start(kind, patience, tell),
        Provider::Native => native::start(kind, tell),
        Provider::Embedded => embedded::start(kind, tell),
    }
}
