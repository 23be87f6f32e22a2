//! What is asked of the container engine.

use std::io;
use std::time::Duration;

use lab_container_engine::{EngineAddress, EngineReply, EngineRequest, Removed};
use lab_sandbox::{ContainerOwner, Volume};
use serde_json::Value;

use crate::image;

/// An engine on a busy machine takes seconds for a container.
const PATIENCE: Duration = Duration::from_secs(60);

/// The engine.
#[derive(Debug)]
pub(crate) struct Engine(EngineAddress);

/// A container, which is removed when this is dropped, unless it was let go of.
#[derive(Debug)]
pub(crate) struct Container<'a> {
    engine: &'a Engine,
    pub id: String,
    kept: bool,
}

impl Engine {
    /// The one at `address`, as `DOCKER_HOST` has it.
    pub fn at(address: &str) -> io::Result<Self> {
        EngineAddress::parse(address).map(Self).ok_or_else(|| io::Error::other("the engine's address cannot be used"))
    }

    /// Makes a container by `settings` from the image that holds `links`, which is made if it is not there.
    pub fn create(&self, settings: &Value, links: &image::Links) -> io::Result<Container<'_>> {
        let request = || EngineRequest::new("POST", "/containers/create").json(settings.clone());
        let mut answer = self.call(&request())?;
        if answer.status == 404 {
            self.make_image(links)?;
            answer = self.call(&request())?;
        }
        let id = expect(answer, 201, "makes no container")?["Id"].as_str().unwrap_or_default().to_owned();
        Ok(Container { engine: self, id, kept: false })
    }

    fn make_image(&self, links: &image::Links) -> io::Result<()> {
        let name = image::name(links);
        let (repository, tag) = name.rsplit_once(':').unwrap_or((&name, "latest"));
        let request = EngineRequest::new("POST", "/images/create");
        let request = request.query(&[("fromSrc", "-"), ("repo", repository), ("tag", tag)]);
        expect(self.call(&request.tar(image::archive(links)))?, 200, "makes no image").map(drop)
    }

    fn call(&self, request: &EngineRequest) -> io::Result<EngineReply> {
        request.ask(&self.0, PATIENCE)
    }

    /// Removes what runs that were killed have left, and tells how that was called. One that is never started is left behind by
    /// whoever is killed at that moment; all others go by themselves.
    pub fn sweep(&self) -> io::Result<Vec<Removed>> {
        lab_container_engine::remove_left(&self.0, ContainerOwner::LABEL, ContainerOwner::is_gone)
    }

    fn remove(&self, id: &str) {
        let request = EngineRequest::new("DELETE", format!("/containers/{id}"));
        // One that goes by itself at this moment is no failure.
        let _ = self.call(&request.query(&[("force", "1"), ("v", "1")]));
    }
}

impl Container<'_> {
    /// Starts it.
    pub fn start(&self) -> io::Result<()> {
        let request = EngineRequest::new("POST", format!("/containers/{}/start", self.id));
        expect(self.engine.call(&request)?, 204, "starts no container").map(drop)
    }

    /// The volume that it has.
    pub fn volume(&self) -> io::Result<Option<Volume>> {
        let request = EngineRequest::new("GET", format!("/containers/{}/json", self.id));
        let facts = expect(self.engine.call(&request)?, 200, "tells nothing of a container")?;
        let found = facts["Mounts"].as_array().into_iter().flatten().find(|mount| mount["Type"] == "volume");
        let text = |name: &str| found.and_then(|mount| Some(mount[name].as_str()?.to_owned()));
        Ok(text("Name").zip(text("Source")).map(|(name, place)| Volume { name, place: place.into() }))
    }

    /// Why it does not run, if it does not.
    pub fn ended(&self) -> Option<String> {
        let request = EngineRequest::new("GET", format!("/containers/{}/json", self.id));
        let answer = self.engine.call(&request).ok()?;
        let state = &answer.body["State"];
        let runs = answer.status == 200 && state["Running"] == true;
        (!runs).then(|| format!("the container has ended at once: {}", state["Error"].as_str().unwrap_or_default()))
    }

    /// From now on it goes by itself: the engine removes what has ended.
    pub fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.engine.remove(&self.id);
        }
    }
}

fn expect(reply: EngineReply, status: u16, what: &str) -> io::Result<Value> {
    if reply.status == status {
        return Ok(reply.body);
    }
    Err(io::Error::other(format!("the engine {what}: {}", reply.message())))
}
