//! Containers for one use, with the image's own settings: what the kept ones are compared with.

use std::time::Duration;

use lab_container_engine::{EngineReply, EngineRequest};
use serde_json::json;

use super::engine::ContainerEngine;
use super::image::{self, PresentImage, RetryPolicy};
use super::{attach, remove, spec};
use crate::cache::Cache;
use crate::error::ProviderError;
use crate::progress::ProgressSender;
use crate::registry::ServiceId;
use crate::secret::Secret;

/// No container takes longer to answer.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Starts containers of one service, each for one use.
#[derive(Debug)]
pub struct FreshContainers {
    service: ServiceId,
    engine: ContainerEngine,
    image: PresentImage,
}

/// A container that is removed with its owner.
#[derive(Debug)]
pub struct FreshContainer {
    engine: ContainerEngine,
    id: String,
    /// The administrator's URL.
    pub url: String,
}

impl FreshContainers {
    /// Containers of `service`; its image is pulled now if it is not there.
    ///
    /// # Errors
    /// No engine answers, or there is no image.
    pub fn of(service: ServiceId) -> Result<Self, ProviderError> {
        let engine = ContainerEngine::find()?;
        let (progress, _unheard) = ProgressSender::channel();
        let image = image::get(service, &engine, &Cache::locate()?, RetryPolicy::Retry, &progress)?;
        Ok(Self { service, engine, image })
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> ServiceId {
        self.service
    }

    /// Starts one, and waits until it answers.
    ///
    /// # Errors
    /// It cannot be started, or does not answer in time.
    pub fn start(&self) -> Result<FreshContainer, ProviderError> {
        let password = Secret::random();
        let format = &self.service.description().url;
        let settings = (spec::of(self.service)?.credentials)(password.expose());
        let env: Vec<String> = settings.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let port = format!("{}/tcp", format.port);
        let create = EngineRequest::new("POST", "/containers/create").json(json!({
            "Image": self.image.id,
            "Env": env,
            "Cmd": (!settings.args.is_empty()).then_some(settings.args),
            "ExposedPorts": { port.as_str(): {} },
            "HostConfig": { "PortBindings": { port.as_str(): [{ "HostIp": "127.0.0.1", "HostPort": "" }] } },
        }));
        let created = done(self.engine.call(&create)?, "create")?;
        let id = created.body["Id"].as_str().unwrap_or_default().to_owned();
        let mut container = FreshContainer { engine: self.engine.clone(), id, url: String::new() };
        let begin = EngineRequest::new("POST", format!("/containers/{}/start", container.id));
        done(self.engine.call(&begin)?, "start")?;
        let address = attach(self.service, &self.engine, &container.id, &password, START_TIMEOUT)?;
        container.url = format.administrator_url(&address, Some(password.expose()));
        Ok(container)
    }
}

fn done(answer: EngineReply, what: &str) -> Result<EngineReply, ProviderError> {
    if answer.succeeded() {
        return Ok(answer);
    }
    Err(ProviderError::new(format!("the container engine cannot {what} a container: {}", answer.message())))
}

impl Drop for FreshContainer {
    fn drop(&mut self) {
        let _ = remove::one(&self.engine, &self.id);
    }
}
