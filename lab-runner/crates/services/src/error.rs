//! Why a provider could not serve, and what the user can do about it.

use std::fmt;
use std::io;

use serde::Serialize;

use crate::provider::Provider;
use crate::registry::ServiceId;

/// Why one provider did not serve: a cause, and hints at what helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct ProviderError {
    message: String,
    hints: Vec<String>,
    /// Whether the machine has what is needed, and something else keeps it from being used: installing more is no help.
    #[serde(default)]
    specific: bool,
}

impl ProviderError {
    /// A cause in words: a lower-case fragment.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new(), specific: false }
    }

    /// What was being done when the system said `error`: an infinitive, such as `make a folder`.
    pub fn io(doing: impl fmt::Display, error: &io::Error) -> Self {
        let failed = Self::new(format!("cannot {doing}: {error}"));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => failed.full(),
            io::ErrorKind::ReadOnlyFilesystem => failed.unwritable(),
            _ => failed,
        }
    }

    /// Says what helps against a disk that is full.
    #[must_use]
    pub(crate) fn full(self) -> Self {
        self.hint("free up some disk space, or set LAB_CACHE_DIR to another folder").specific()
    }

    /// Says what helps where nothing can be written.
    #[must_use]
    pub(crate) fn unwritable(self) -> Self {
        self.hint("set LAB_CACHE_DIR to a folder that you can write").specific()
    }

    /// Its hints win over the advice to install what no provider has.
    #[must_use]
    pub(crate) fn specific(mut self) -> Self {
        self.specific = true;
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What the user can do, the best first.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

/// Why there is no service: always infrastructure, never the submission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServicesError {
    /// The provider that was asked for did not serve.
    #[error("provider `{provider}` has no {service}")]
    Unavailable {
        /// The service.
        service: ServiceId,
        /// The provider that `--services` or `LAB_SERVICES` names.
        provider: Provider,
        /// Why not.
        source: ProviderError,
    },
    /// `auto` tried them all.
    #[error("no {service} was found on this machine, and none could be started{}", list(attempts))]
    NoneWorks {
        /// The service.
        service: ServiceId,
        /// Each provider and why it did not serve, in the order they were tried.
        attempts: Vec<(Provider, ProviderError)>,
        /// The one command that helps on this system.
        remedy: String,
    },
    /// The thread that looks after a service panicked: a fault of ours.
    #[error("internal error: the thread that looks after {service} ended early")]
    Lost {
        /// The service.
        service: ServiceId,
    },
}

impl ServicesError {
    /// The exit code: 4, infrastructure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        4
    }

    /// What the user can do, one hint to a line.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Unavailable { source, .. } => source.hints().to_vec(),
            Self::NoneWorks { attempts, remedy, .. } => {
                specific_hints(attempts).unwrap_or_else(|| vec![remedy.clone()])
            }
            Self::Lost { .. } => Vec::new(),
        }
    }
}

/// What mends the causes that are none of something missing, each said once. `None` if there are no such causes.
pub(crate) fn specific_hints(attempts: &[(Provider, ProviderError)]) -> Option<Vec<String>> {
    let mut hints: Vec<String> = Vec::new();
    for hint in attempts.iter().filter(|(_, error)| error.specific).flat_map(|(_, error)| error.hints()) {
        if !hints.contains(hint) {
            hints.push(hint.clone());
        }
    }
    (!hints.is_empty()).then_some(hints)
}

fn list(attempts: &[(Provider, ProviderError)]) -> String {
    attempts.iter().map(|(provider, error)| format!("\n  {:<11} {error}", provider.name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none_works(attempts: Vec<(Provider, ProviderError)>) -> Vec<String> {
        let service = ServiceId::all()[0];
        ServicesError::NoneWorks { service, attempts, remedy: "install it".into() }.hints()
    }

    #[test]
    fn what_is_installed_and_cannot_be_used_is_not_to_be_installed() {
        let absent = || (Provider::External, ProviderError::new("LAB_X_URL is not set").hint("set it"));
        let system = |kind: io::ErrorKind| ProviderError::io("create a folder", &kind.into());
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::ReadOnlyFilesystem] {
            let hints =
                none_works(vec![absent(), (Provider::Native, system(kind)), (Provider::Embedded, system(kind))]);
            assert!(hints.len() == 1 && hints[0].contains("LAB_CACHE_DIR"), "{kind}: {hints:?}");
        }
        assert_eq!(none_works(vec![absent()]), ["install it"]);
    }
}
