//! Removing containers: those with our labels and this user's name, and no others.

use std::fs::{self, File, OpenOptions};

use serde_json::json;

use super::super::Kind;
use super::super::cache::Cache;
use super::super::problem::Problem;
use super::engine::{Engine, query};
use super::recipe::{OWNER, SERVICE, owner, service};

/// What became of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Removed {
    /// It is gone.
    Gone(String),
    /// Another run uses it.
    InUse(String),
    /// The engine would not.
    Failed(String, Problem),
}

/// Removes all containers of this user and cache that no run uses.
pub(crate) fn remove_all(engine: &Engine, cache: &Cache) -> Result<Vec<Removed>, Problem> {
    let names = ours(engine, cache, None)?;
    Ok(names.into_iter().map(|name| unused(engine, cache, name)).collect())
}

/// Removes those that were made for `kind` from another image or with other settings than `current`.
pub(super) fn outdated(engine: &Engine, kind: Kind, cache: &Cache, current: &str) {
    for name in ours(engine, cache, Some(kind)).unwrap_or_default() {
        if name != current {
            let _ = unused(engine, cache, name);
        }
    }
}

/// Removes the container `name` with its volumes; none there is no error.
pub(super) fn one(engine: &Engine, name: &str) -> Result<(), Problem> {
    let answer = engine.call("DELETE", &format!("/containers/{name}?force=1&v=1"))?;
    match answer.status {
        200..=299 | 404 => Ok(()),
        _ => Err(Problem::new(format!("the container {name} cannot be removed: {}", answer.message()))),
    }
}

fn ours(engine: &Engine, cache: &Cache, kind: Option<Kind>) -> Result<Vec<String>, Problem> {
    let of_kind = kind.map_or_else(|| SERVICE.to_owned(), |kind| format!("{SERVICE}={}", service(kind)));
    let filters = json!({"label": [of_kind, format!("{OWNER}={}", owner(cache))]});
    let answer = engine.call("GET", &format!("/containers/json?all=1&filters={}", query(&filters.to_string())))?;
    if answer.status != 200 {
        return Err(Problem::new(format!("the container engine does not list its containers: {}", answer.message())));
    }
    let names = answer.body.as_array().map(Vec::as_slice).unwrap_or_default().iter();
    Ok(names
        .filter_map(|facts| facts["Names"][0].as_str())
        .map(|name| name.trim_start_matches('/').to_owned())
        .collect())
}

fn unused(engine: &Engine, cache: &Cache, name: String) -> Removed {
    let folder = cache.root().join("containers");
    let lock = super::lease_file(&folder, &name);
    let held: Option<File> = OpenOptions::new().write(true).open(&lock).ok();
    if held.as_ref().is_some_and(|held| held.try_lock().is_err()) {
        return Removed::InUse(name);
    }
    match one(engine, &name) {
        Ok(()) => {
            for ending in ["json", "starting", "failed", "lock"] {
                let _ = fs::remove_file(folder.join(format!("{name}.{ending}")));
            }
            Removed::Gone(name)
        }
        Err(problem) => Removed::Failed(name, problem),
    }
}
