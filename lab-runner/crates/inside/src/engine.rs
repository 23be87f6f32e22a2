//! What is asked of the container engine.

use std::io::{self, Read as _};
use std::time::Duration;

use lab_container_engine::{EngineAddress, EngineRequest};
use lab_sandbox::ContainerOwner;
use serde_json::{Value, json};

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
        let id = answer.expect(201, "makes no container")?["Id"].as_str().unwrap_or_default().to_owned();
        Ok(Container { engine: self, id, kept: false })
    }

    fn make_image(&self, links: &image::Links) -> io::Result<()> {
        let name = image::name(links);
        let (repository, tag) = name.rsplit_once(':').unwrap_or((&name, "latest"));
        let request = EngineRequest::new("POST", "/images/create");
        let request = request.query(&[("fromSrc", "-"), ("repo", repository), ("tag", tag)]);
        self.call(&request.tar(image::archive(links)))?.expect(200, "makes no image").map(drop)
    }

    fn call(&self, request: &EngineRequest) -> io::Result<Answer> {
        let mut answer = request.send(&self.0, PATIENCE)?;
        let mut bytes = Vec::new();
        answer.body.read_to_end(&mut bytes)?;
        Ok(Answer { status: answer.status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// Removes what is labelled as ours and whose owner, as its label has it, `is_gone`, and tells what that was. One that is
    /// never started is left behind by whoever is killed at that moment; all others go by themselves.
    pub fn sweep(&self, is_gone: impl Fn(&str) -> bool) -> io::Result<Vec<String>> {
        let filters = json!({ "label": [ContainerOwner::LABEL] }).to_string();
        let request = EngineRequest::new("GET", "/containers/json").query(&[("all", "1"), ("filters", &filters)]);
        let listed = self.call(&request)?.expect(200, "lists no containers")?;
        let left = listed
            .as_array()
            .into_iter()
            .flatten()
            .filter(|found| found["Labels"][ContainerOwner::LABEL].as_str().is_some_and(&is_gone));
        let ids: Vec<String> = left.filter_map(|found| found["Id"].as_str().map(str::to_owned)).collect();
        ids.iter().for_each(|id| self.remove(id));
        Ok(ids)
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
        self.engine.call(&request)?.expect(204, "starts no container").map(drop)
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

struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn expect(self, status: u16, what: &str) -> io::Result<Value> {
        if self.status == status {
            return Ok(self.body);
        }
        let said = self.body["message"].as_str().map_or_else(|| format!("HTTP {}", self.status), str::to_owned);
        Err(io::Error::other(format!("the engine {what}: {said}")))
    }
}
