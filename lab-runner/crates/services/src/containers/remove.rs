//! Removing containers: those with our labels and this user's name, and no others.

use std::fs;

use lab_container_engine::EngineRequest;
use lab_files::FileLock;
use serde_json::{Value, json};

use super::engine::ContainerEngine;
use super::spec::{OWNER, SERVICE, owner};
use crate::cache::Cache;
use crate::error::ProviderError;
use crate::registry::ServiceId;

/// What became of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is gone.
    Gone(String),
    /// Another run uses it.
    InUse(String),
    /// The engine refused.
    Failed(String, ProviderError),
}

/// Removes all containers of this user and cache that no run uses.
pub(crate) fn remove_all(engine: &ContainerEngine, cache: &Cache) -> Result<Vec<Removal>, ProviderError> {
    let names = ours(engine, cache, None)?;
    Ok(names.into_iter().map(|name| unused(engine, cache, name)).collect())
}

/// Removes those that were made for `service` from another image or with other settings than `current`.
pub(super) fn outdated(engine: &ContainerEngine, service: ServiceId, cache: &Cache, current: &str) {
    for name in ours(engine, cache, Some(service)).unwrap_or_default() {
        if name != current {
            let _ = unused(engine, cache, name);
        }
    }
}

/// Removes the container `name` with its volumes; none there is no error.
pub(super) fn one(engine: &ContainerEngine, name: &str) -> Result<(), ProviderError> {
    let request = EngineRequest::new("DELETE", format!("/containers/{name}")).query(&[("force", "1"), ("v", "1")]);
    let answer = engine.call(&request)?;
    match answer.status {
        200..=299 | 404 => Ok(()),
        _ => Err(ProviderError::new(format!("the container {name} cannot be removed: {}", answer.message()))),
    }
}

fn ours(engine: &ContainerEngine, cache: &Cache, service: Option<ServiceId>) -> Result<Vec<String>, ProviderError> {
    let label = service.map_or_else(|| SERVICE.to_owned(), |service| format!("{SERVICE}={}", service.id()));
    let filters = json!({"label": [label, format!("{OWNER}={}", owner(cache))]}).to_string();
    let request = EngineRequest::new("GET", "/containers/json").query(&[("all", "1"), ("filters", &filters)]);
    let answer = engine.call(&request)?;
    if answer.status != 200 {
        return Err(ProviderError::new(format!(
            "the container engine cannot list its containers: {}",
            answer.message()
        )));
    }
    Ok(answer.body.as_array().into_iter().flatten().filter_map(name).collect())
}

fn name(facts: &Value) -> Option<String> {
    Some(facts["Names"][0].as_str()?.trim_start_matches('/').to_owned())
}

fn unused(engine: &ContainerEngine, cache: &Cache, name: String) -> Removal {
    let folder = cache.root().join("containers");
    // No lock file, no user: then there is nothing to hold either.
    let lock = FileLock::try_acquire_existing(super::lease_file(&folder, &name));
    if matches!(lock, Ok(None)) {
        return Removal::InUse(name);
    }
    match one(engine, &name) {
        Ok(()) => {
            for ending in ["json", "starting", "failed", "lock"] {
                let _ = fs::remove_file(folder.join(format!("{name}.{ending}")));
            }
            Removal::Gone(name)
        }
        Err(error) => Removal::Failed(name, error),
    }
}
