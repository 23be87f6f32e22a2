//! The container engine: what there is to ask before and after `lab-containers` takes milliseconds this way.

use std::env;
use std::io::{self, Read as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lab_container_engine::{EngineAddress, EngineAnswer, EngineReply, EngineRequest, Removed};
use lab_sandbox::ContainerOwner;

use crate::error::ProviderError;

/// An engine that answers does so in milliseconds; one that removes a container may take seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// One that does not answer to a ping within this is not used.
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// For how long one that was silent is not waited for again: each service asks for the engine.
const SILENCE: Duration = Duration::from_secs(30);

/// The engine that was silent last, and when.
static SILENT: Mutex<Option<(EngineAddress, Instant)>> = Mutex::new(None);

/// A container engine that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContainerEngine {
    address: EngineAddress,
    /// What it calls itself and its version, such as `Docker/28.1 (linux)`.
    pub(crate) version: String,
}

impl ContainerEngine {
    /// The engine that `DOCKER_HOST` names, or the one on this machine.
    pub(crate) fn find() -> Result<Self, ProviderError> {
        match env::var("DOCKER_HOST").ok().filter(|value| !value.is_empty()) {
            Some(named) => Self::named(&named),
            None => Self::in_usual_place(),
        }
    }

    fn named(named: &str) -> Result<Self, ProviderError> {
        let address = EngineAddress::parse(named).ok_or_else(|| {
            ProviderError::new(format!("DOCKER_HOST={named} cannot be used"))
                .hint("it can be unix:///path/to/socket or tcp://host:port without TLS")
        })?;
        Self::ping(address).map_err(|error| {
            ProviderError::new(format!("no container engine answers at DOCKER_HOST={named}: {error}"))
                .hint("start the engine, or unset DOCKER_HOST")
        })
    }

    fn in_usual_place() -> Result<Self, ProviderError> {
        let mut refused = None;
        for socket in lab_container_engine::usual_sockets() {
            match Self::ping(EngineAddress::Socket(socket.clone())) {
                Ok(engine) => return Ok(engine),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => refused = refused.or(Some((socket.display().to_string(), error))),
            }
        }
        Err(match refused {
            None => ProviderError::new(
                "no container engine: DOCKER_HOST is not set, and there is no socket in the usual places",
            )
            .hint("install Docker or Podman"),
            Some((socket, error)) if error.kind() == io::ErrorKind::PermissionDenied => ProviderError::new(format!(
                "you may not use the container engine at {socket}"
            ))
            .hint(
                "add yourself to the group that owns the socket (`sudo usermod -aG docker $USER`, then log in again)",
            ),
            Some((socket, error)) => {
                ProviderError::new(format!("the container engine at {socket} does not answer: {error}"))
                    .hint("start the engine")
            }
        })
    }

    fn ping(address: EngineAddress) -> io::Result<Self> {
        let mut silent = SILENT.lock().unwrap_or_else(PoisonError::into_inner);
        if silent.as_ref().is_some_and(|(one, since)| *one == address && since.elapsed() < SILENCE) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"));
        }
        let answer = EngineRequest::new("GET", "/_ping").send(&address, PING_TIMEOUT).inspect_err(|error| {
            if error.kind() == io::ErrorKind::TimedOut {
                *silent = Some((address.clone(), Instant::now()));
            }
        })?;
        if answer.status != 200 {
            return Err(io::Error::other(format!("it answered with HTTP {}", answer.status)));
        }
        Ok(Self { version: answer.server.unwrap_or_else(|| "a container engine".to_owned()), address })
    }

    /// What others are given as `DOCKER_HOST`.
    pub(crate) fn docker_host(&self) -> String {
        self.address.to_string()
    }

    /// Where a published port is found: on this machine, unless the engine runs on another.
    pub(super) fn host(&self) -> &str {
        match &self.address {
            EngineAddress::Tcp(host, _) if host != "localhost" => host,
            _ => "127.0.0.1",
        }
    }

    /// Whether the engine runs on another machine.
    pub(super) fn is_remote(&self) -> bool {
        self.host() != "127.0.0.1"
    }

    /// Whether it puts its containers into one control group of version 1, beside all other processes.
    pub(super) fn weighs_containers_as_one(&self) -> bool {
        let facts = self.call(&EngineRequest::new("GET", "/info")).map(|answer| answer.body).unwrap_or_default();
        facts["CgroupDriver"] == "cgroupfs" && facts["CgroupVersion"] == "1"
    }

    /// Asks for JSON.
    pub(super) fn call(&self, request: &EngineRequest) -> Result<EngineReply, ProviderError> {
        let reply = request.ask(&self.address, ANSWER_TIMEOUT);
        reply.map_err(|error| ProviderError::io("talk to the container engine", &error))
    }

    /// Removes what submissions ran in whose graders were killed.
    pub(crate) fn remove_sandboxes(&self) -> Result<Vec<Removed>, ProviderError> {
        let removed = lab_container_engine::remove_left(&self.address, ContainerOwner::LABEL, ContainerOwner::is_gone);
        removed.map_err(|error| ProviderError::io("remove what submissions ran in", &error))
    }

    /// Asks for what is no JSON or has no end yet. Reads fail after `timeout` without a byte.
    pub(super) fn stream(&self, request: &EngineRequest, timeout: Duration) -> io::Result<EngineAnswer> {
        request.send(&self.address, timeout)
    }

    /// What the engine knows of the container `name`.
    pub(super) fn inspect(&self, name: &str) -> Result<EngineReply, ProviderError> {
        self.call(&EngineRequest::new("GET", format!("/containers/{name}/json")))
    }

    /// The last lines that the container `name` wrote.
    pub(super) fn log(&self, name: &str) -> io::Result<String> {
        let request = EngineRequest::new("GET", format!("/containers/{name}/logs"));
        let request = request.query(&[("stdout", "1"), ("stderr", "1"), ("tail", "8")]);
        let mut body = self.stream(&request, ANSWER_TIMEOUT)?.body;
        let mut text = String::new();
        // Both streams in one: before each piece stand its stream in one byte, three zeros, and its length in four.
        let mut head = [0; 8];
        while body.read_exact(&mut head).is_ok() {
            let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            let mut piece = Vec::new();
            body.by_ref().take(length.into()).read_to_end(&mut piece)?;
            text.push_str(&String::from_utf8_lossy(&piece));
        }
        Ok(text)
    }
}
