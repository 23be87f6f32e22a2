//! What somebody who was killed has left at an engine: containers, and volumes that none has any more. A label names whose
//! they are.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{EngineAddress, EngineReply, EngineRequest};

/// An engine on a busy machine takes seconds for a container.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// What it was, in a word.
    pub what: &'static str,
    /// How the engine calls it.
    pub name: String,
}

/// Removes at `engine` the containers and unused volumes with `label` whose owner, as the label's value names it, `is_gone`.
///
/// # Errors
/// The engine does not answer, or refuses.
pub fn remove_left(engine: &EngineAddress, label: &str, is_gone: impl Fn(&str) -> bool) -> io::Result<Vec<Removed>> {
    let is_left = |found: &&Value| found["Labels"][label].as_str().is_some_and(&is_gone);
    let mut removed = Vec::new();
    let filters = json!({ "label": [label] }).to_string();
    let request = EngineRequest::new("GET", "/containers/json").query(&[("all", "1"), ("filters", &filters)]);
    for found in listed(engine, &request)?.as_array().into_iter().flatten().filter(is_left) {
        let Some(id) = found["Id"].as_str() else { continue };
        let name = found["Names"][0].as_str().map_or(id, |name| name.trim_start_matches('/'));
        let request = EngineRequest::new("DELETE", format!("/containers/{id}")).query(&[("force", "1"), ("v", "1")]);
        remove(engine, &request)?;
        removed.push(Removed { what: "container", name: name.to_owned() });
    }
    let filters = json!({ "label": [label], "dangling": ["true"] }).to_string();
    let request = EngineRequest::new("GET", "/volumes").query(&[("filters", &filters)]);
    for found in listed(engine, &request)?["Volumes"].as_array().into_iter().flatten().filter(is_left) {
        let Some(name) = found["Name"].as_str() else { continue };
        remove(engine, &EngineRequest::new("DELETE", format!("/volumes/{name}")))?;
        removed.push(Removed { what: "volume", name: name.to_owned() });
    }
    Ok(removed)
}

fn listed(engine: &EngineAddress, request: &EngineRequest) -> io::Result<Value> {
    let reply = request.ask(engine, PATIENCE)?;
    if reply.succeeded() { Ok(reply.body) } else { Err(refused("lists nothing", &reply)) }
}

/// What is gone already, or is going, is no failure.
fn remove(engine: &EngineAddress, request: &EngineRequest) -> io::Result<()> {
    let reply = request.ask(engine, PATIENCE)?;
    if reply.succeeded() || matches!(reply.status, 404 | 409) {
        Ok(())
    } else {
        Err(refused("removes nothing", &reply))
    }
}

fn refused(what: &str, reply: &EngineReply) -> io::Error {
    io::Error::other(format!("the container engine {what}: {}", reply.message()))
}
