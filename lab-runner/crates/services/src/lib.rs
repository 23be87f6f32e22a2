//! Services: the servers that labs need, such as databases, and where they come from.
//!
//! Services are an open set. One is added by a module that implements [`ServiceDefinition`] and ends with
//! [`register!`]; whoever lists, validates, starts or reports services iterates over [`ServiceId::all`] and knows none by
//! name. Each is provided by the first [`Provider`] that works (DESIGN.md, "Services: the provider chain").

mod account;
mod cache;
mod command;
mod connection;
mod containers;
mod definition;
mod doctor;
mod down;
mod embedded;
mod environment;
mod error;
mod external;
mod fix;
mod instance;
mod loopback;
mod machine;
mod native;
mod packages;
mod platform;
mod pool;
mod process_identity;
mod program;
mod progress;
mod provider;
mod registry;
mod running;
#[cfg(feature = "schema")]
mod schema;
mod search;
mod secret;
mod slot;
mod url;
mod version;

mod nats;
mod nginx;
mod postgres;
mod redis;
mod s3;

use std::thread;

use tokio::sync::oneshot;

use progress::ProgressSender;

pub use connection::{Connection, ProbeReply};
pub use containers::{ContainerImage, ContainerSettings, FreshContainer, FreshContainers};
pub use definition::{Description, ServiceDefinition};
pub use doctor::{DoctorReport, Examination, Finding, LabNeeds, State};
pub use down::DownReport;
pub use embedded::{Platform, Wheel};
pub use error::{ProviderError, ServicesError};
#[doc(hidden)]
pub use inventory;
pub use loopback::reach_loopback;
pub use machine::Fact;
pub use pool::ServicePool;
pub use program::{Launch, Preparation, Prepared, Program, ProgramSearch, ServiceProgram, StopSignals};
pub use provider::{Endpoint, Provider, ProviderChoice};
pub use registry::{Registration, ServiceId};
pub use running::{Endpoints, RunningServices, start};
pub use secret::Secret;
pub use url::{Address, Administrator, UrlFormat};
pub use version::Version;

/// The program that private instances of `service` run: the one on this machine, else the one in the user's cache,
/// downloaded now if it is not there. For whoever starts instances of their own, such as a driver's tests.
///
/// # Errors
/// The machine has none, and none can be downloaded.
pub fn program(service: ServiceId) -> Result<Program, ProviderError> {
    search::find(service).or_else(|_| {
        let (progress, _unheard) = ProgressSender::channel();
        embedded::get(service, &cache::Cache::locate()?, &progress)
    })
}

/// Where a container engine answers, as `DOCKER_HOST` has it.
///
/// # Errors
/// None does, and why.
pub fn container_engine() -> Result<String, ProviderError> {
    containers::ContainerEngine::find().map(|engine| engine.docker_host())
}

/// Removes the containers and instances that were kept warm and that no run uses now; with `all`, the cache as well.
///
/// # Errors
/// There is no cache to look in. What could not be removed is in the report.
pub async fn down(all: bool) -> Result<DownReport, ProviderError> {
    on_own_thread(move || down::down(all))
        .await
        .unwrap_or_else(|| Err(ProviderError::new("internal error: the cleanup ended early")))
}

/// Tries every provider and looks at the machine, as `examination` says. `consent` is asked before anything is installed
/// outside the cache. `None` if the examination panicked.
pub async fn doctor(
    examination: Examination,
    consent: impl Fn(&str) -> bool + Send + 'static,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Option<DoctorReport> {
    let (sender, mut receiver) = ProgressSender::channel();
    let listen = async {
        while let Some(text) = receiver.recv().await {
            progress(text);
        }
    };
    let (report, ()) = tokio::join!(on_own_thread(move || doctor::examine(examination, &consent, &sender)), listen);
    report
}

/// Runs `work` on a thread of its own, which lives as long as the servers that it starts; `None` if it panics.
async fn on_own_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = oneshot::channel();
    thread::Builder::new().name("services".to_owned()).spawn(move || done.send(work()).ok()).ok()?;
    result.await.ok()
}
