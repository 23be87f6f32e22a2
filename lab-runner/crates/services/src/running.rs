//! The services of one run, and the threads that look after them.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use lab_protocol::ServiceEndpoint;
use tokio::sync::oneshot;

use crate::error::ServicesError;
use crate::instance::ServerProcess;
use crate::progress::ProgressSender;
use crate::provider::{self, Endpoint, Provided, ProviderChoice};
use crate::registry::ServiceId;
use crate::{native, packages};

/// Where each of several services answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<ServiceId, Endpoint>);

impl Endpoints {
    /// Where `service` answers, if it is among them.
    #[must_use]
    pub fn get(&self, service: ServiceId) -> Option<&Endpoint> {
        self.0.get(&service)
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ServiceId, &Endpoint)> {
        self.0.iter().map(|(service, endpoint)| (*service, endpoint))
    }

    /// What a suite is told of them, by id.
    #[must_use]
    pub fn for_suite(&self) -> BTreeMap<String, ServiceEndpoint> {
        let for_suite = |endpoint: &Endpoint| ServiceEndpoint {
            url: endpoint.url.clone(),
            ours: endpoint.is_ours(),
            program: endpoint.program.clone(),
        };
        self.iter().map(|(service, endpoint)| (service.id().to_owned(), for_suite(endpoint))).collect()
    }
}

impl IntoIterator for Endpoints {
    type Item = (ServiceId, Endpoint);
    type IntoIter = std::collections::btree_map::IntoIter<ServiceId, Endpoint>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(ServiceId, Endpoint)> for Endpoints {
    fn from_iter<T: IntoIterator<Item = (ServiceId, Endpoint)>>(all: T) -> Self {
        Self(all.into_iter().collect())
    }
}

/// Services that answer. Dropping it stops those that were started for this run alone; containers are kept warm.
#[derive(Debug)]
pub struct RunningServices {
    /// Where they answer.
    pub endpoints: Endpoints,
    keepers: Vec<Keeper>,
}

/// A thread that started a service and stays with it: the kernel ends a child when the *thread* that started it ends,
/// so whoever starts a server has to live as long as it.
#[derive(Debug)]
struct Keeper {
    service: ServiceId,
    process: Option<ServerProcess>,
    /// Dropped to have the thread stop the service and end.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl RunningServices {
    /// Stops what was started for this run alone, and waits for it.
    pub async fn shutdown(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Stops the server of `service` alone, if it is among them, and waits for it.
    pub(crate) async fn stop(&mut self, service: ServiceId) {
        self.endpoints.0.remove(&service);
        if let Some(at) = self.keepers.iter().position(|keeper| keeper.service == service) {
            let keeper = self.keepers.swap_remove(at);
            let _ = tokio::task::spawn_blocking(move || drop(keeper)).await;
        }
    }

    /// The private server that has ended by itself, if one has. Servers of others are the suite's to ask.
    #[must_use]
    pub fn dead(&self) -> Option<ServiceId> {
        let ended = |keeper: &&Keeper| keeper.process.as_ref().is_some_and(|process| process.ended().is_some());
        self.keepers.iter().find(ended).map(|keeper| keeper.service)
    }
}

impl Drop for RunningServices {
    fn drop(&mut self) {
        // All are told before the first is waited for: they stop side by side.
        self.keepers.iter_mut().for_each(|keeper| drop(keeper.stop.take()));
    }
}

/// Finds or starts all of `services` side by side, and hands what takes long to `progress`.
///
/// # Errors
/// No provider of the `choice` could serve one of them: never the submission's fault.
pub async fn start(
    choice: ProviderChoice,
    services: &[ServiceId],
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<RunningServices, ServicesError> {
    let (sender, mut receiver) = ProgressSender::channel();
    let begun: Vec<_> = services.iter().map(|service| begin(*service, choice, sender.clone())).collect();
    drop(sender);
    // Each thread lets go of its sender when it has an answer: then there is nothing more to listen to.
    while let Some(text) = receiver.recv().await {
        progress(text);
    }
    // All are waited for before an error is returned, so that no thread is left behind.
    let mut results = Vec::new();
    for (keeper, answer) in begun {
        results.push(finish(keeper, answer).await);
    }
    let missing: Vec<ServiceId> = results.iter().filter_map(|result| nothing_works(result.as_ref().err()?)).collect();
    let (mut endpoints, mut keepers) = (BTreeMap::new(), Vec::new());
    for result in results {
        let (endpoint, keeper) = result.map_err(|error| with_one_remedy(error, &missing))?;
        endpoints.insert(keeper.service, endpoint);
        keepers.push(keeper);
    }
    Ok(RunningServices { endpoints: Endpoints(endpoints), keepers })
}

fn nothing_works(error: &ServicesError) -> Option<ServiceId> {
    match error {
        ServicesError::NoneWorks { service, .. } => Some(*service),
        _ => None,
    }
}

/// One command that helps for all that are missing, in place of one command after the other.
fn with_one_remedy(error: ServicesError, missing: &[ServiceId]) -> ServicesError {
    match error {
        ServicesError::NoneWorks { service, attempts, .. } if missing.len() > 1 => {
            ServicesError::NoneWorks { service, attempts, remedy: packages::remedy(missing) }
        }
        other => other,
    }
}

type Answer = Result<(Endpoint, Option<ServerProcess>), ServicesError>;

fn begin(service: ServiceId, choice: ProviderChoice, progress: ProgressSender) -> (Keeper, oneshot::Receiver<Answer>) {
    let (stop, stopped) = mpsc::channel();
    let (answer, answered) = oneshot::channel();
    let name = format!("service {}", service.id());
    let work = move || keep(service, choice, progress, answer, &stopped);
    let thread = thread::Builder::new().name(name).spawn(work).ok();
    (Keeper { service, process: None, stop: Some(stop), thread }, answered)
}

/// What a keeper does: finds the service, says so, and stays until it is told to stop.
fn keep(
    service: ServiceId,
    choice: ProviderChoice,
    progress: ProgressSender,
    answer: oneshot::Sender<Answer>,
    stopped: &mpsc::Receiver<()>,
) {
    let provided = provider::provide(service, choice, &progress);
    drop(progress);
    match provided {
        Ok(Provided { endpoint, instance, lease }) => {
            let process = instance.as_ref().map(|instance| instance.process.clone());
            if answer.send(Ok((endpoint, process))).is_ok() {
                if instance.is_some() {
                    native::sweep_stale(service);
                }
                // An error means that the sender is gone, which is how stopping is said.
                let _ = stopped.recv();
            }
            if let Some(instance) = instance {
                instance.stop();
            }
            drop(lease);
        }
        Err(error) => {
            let _ = answer.send(Err(error));
        }
    }
}

async fn finish(mut keeper: Keeper, answered: oneshot::Receiver<Answer>) -> Result<(Endpoint, Keeper), ServicesError> {
    let (endpoint, process) = answered.await.unwrap_or(Err(ServicesError::Lost { service: keeper.service }))?;
    keeper.process = process;
    Ok((endpoint, keeper))
}
