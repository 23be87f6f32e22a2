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
        if remove(engine, &request)? {
            removed.push(Removed { what: "container", name: name.to_owned() });
        }
    }
    let filters = json!({ "label": [label], "dangling": ["true"] }).to_string();
    let request = EngineRequest::new("GET", "/volumes").query(&[("filters", &filters)]);
    for found in listed(engine, &request)?["Volumes"].as_array().into_iter().flatten().filter(is_left) {
        let Some(name) = found["Name"].as_str() else { continue };
        if remove(engine, &EngineRequest::new("DELETE", format!("/volumes/{name}")))? {
            removed.push(Removed { what: "volume", name: name.to_owned() });
        }
    }
    Ok(removed)
}

fn listed(engine: &EngineAddress, request: &EngineRequest) -> io::Result<Value> {
    let reply = request.ask(engine, PATIENCE)?;
    if reply.succeeded() { Ok(reply.body) } else { Err(refused("lists nothing", &reply)) }
}

/// Whether this has removed it. That somebody else has (404), or is at it or uses it (409), is no failure: who is looking for
/// what is left finds it again if it stays.
fn remove(engine: &EngineAddress, request: &EngineRequest) -> io::Result<bool> {
    let reply = request.ask(engine, PATIENCE)?;
    match reply.status {
        _ if reply.succeeded() => Ok(true),
        404 | 409 => Ok(false),
        _ => Err(refused("removes nothing", &reply)),
    }
}

fn refused(what: &str, reply: &EngineReply) -> io::Error {
    io::Error::other(format!("the container engine {what}: {}", reply.message()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// An engine that has two containers of the owner `gone`, of which somebody else is removing the second.
    fn engine() -> EngineAddress {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).unwrap() == 0 {
                        break;
                    }
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let one =
                    |name: &str| json!({ "Id": name, "Names": [format!("/{name}")], "Labels": { "whose": "gone" } });
                let (status, body) = match head.split_once(" HTTP").unwrap().0 {
                    line if line.starts_with("GET /containers") => ("200 OK", json!([one("first"), one("second")])),
                    line if line.starts_with("GET /volumes") => ("200 OK", json!({ "Volumes": [] })),
                    line if line.contains("/second") => ("409 Conflict", json!({ "message": "already in progress" })),
                    _ => ("200 OK", json!({})),
                };
                let body = body.to_string();
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                stream.write_all((head + &body).as_bytes()).unwrap();
            }
        });
        EngineAddress::Tcp("127.0.0.1".into(), port)
    }

    #[test]
    fn what_somebody_else_is_removing_is_no_failure_and_not_counted() {
        let removed = remove_left(&engine(), "whose", |owner| owner == "gone").unwrap();
        let removed: Vec<&str> = removed.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(removed, ["first"]);
    }
}
