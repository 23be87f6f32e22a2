//! The services that are registered: whoever lists, validates or looks up services iterates over these.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::definition::ServiceDefinition;

/// Registers a service, which from then on is known to manifests, providers, doctor and reports.
///
/// The argument is a constant that implements [`ServiceDefinition`].
#[macro_export]
macro_rules! register {
    ($definition:expr) => {
        $crate::inventory::submit! { $crate::Registration::new(&$definition) }
    };
}

/// A registered service, made by [`register!`].
pub struct Registration(&'static dyn ServiceDefinition);

impl Registration {
    /// For [`register!`].
    #[doc(hidden)]
    #[must_use]
    pub const fn new(definition: &'static dyn ServiceDefinition) -> Self {
        Self(definition)
    }
}

inventory::collect!(Registration);

/// One of the registered services. Two are equal if their ids are.
#[derive(Clone, Copy)]
pub struct ServiceId(&'static dyn ServiceDefinition);

impl ServiceId {
    /// All registered services, in the order of their ids.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = inventory::iter::<Registration>().map(|registration| Self(registration.0)).collect();
        all.sort();
        all
    }

    /// The service with this `id`.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        Self::all().into_iter().find(|service| service.id() == id)
    }

    /// How it is defined.
    #[must_use]
    pub fn definition(self) -> &'static dyn ServiceDefinition {
        self.0
    }

    /// Its name in manifests and reports, such as `postgres`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.0.description().id
    }

    /// Its name in sentences, such as `Postgres`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.description().name
    }

    /// The user's variable about this service that ends with `what`: `URL`, `IMAGE` or `BIN`.
    #[must_use]
    pub fn variable(self, what: &str) -> String {
        format!("LAB_{}_{what}", self.id().to_uppercase())
    }

    /// The value of that variable, if it is set and not empty.
    pub(crate) fn setting(self, what: &str) -> Option<String> {
        std::env::var(self.variable(what)).ok().filter(|value| !value.is_empty())
    }
}

impl Deref for ServiceId {
    type Target = dyn ServiceDefinition;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl PartialEq for ServiceId {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for ServiceId {}

impl Ord for ServiceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id().cmp(other.id())
    }
}

impl PartialOrd for ServiceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for ServiceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ServiceId").field(&self.id()).finish()
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for ServiceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for ServiceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::find(&id).ok_or_else(|| {
            let known: Vec<String> = Self::all().iter().map(|service| format!("`{}`", service.id())).collect();
            de::Error::custom(format!("unknown service `{id}`, expected one of {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_fit_into_variables_and_file_names() {
        let all = ServiceId::all();
        assert!(!all.is_empty());
        assert_eq!(all.iter().map(|service| service.id()).collect::<BTreeSet<_>>().len(), all.len());
        for service in all {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(!service.id().is_empty() && service.id().chars().all(fits), "{service:?}");
        }
    }

    #[test]
    fn every_example_of_a_url_is_one() {
        for service in ServiceId::all() {
            let format = service.description().url;
            assert!(format.address(format.example).is_ok(), "{}", format.example);
        }
    }

    #[test]
    fn an_unknown_service_is_named_with_those_there_are() {
        let error = serde_json::from_str::<ServiceId>("\"nosuch\"").unwrap_err().to_string();
        let first = ServiceId::all()[0].id();
        assert!(error.contains("unknown service `nosuch`") && error.contains(&format!("`{first}`")), "{error}");
    }
}
