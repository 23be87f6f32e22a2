//! The services of one run, and the threads that look after them.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use super::chain::{self, Found};
use super::instance::Running;
use super::native;
use super::problem::ServicesError;
use super::tell::Tell;
use super::{Choice, Kind, Service, Wanted};

/// Services that answer. Dropping it stops those that were started for this run alone; containers are kept warm.
#[derive(Debug)]
pub struct Ready {
    /// Postgres, if it was wanted.
    pub postgres: Option<Service>,
    /// Redis, if it was wanted.
    pub redis: Option<Service>,
    keepers: Vec<Keeper>,
}

/// A thread that started a service and stays with it.
#[derive(Debug)]
struct Keeper {
    kind: Kind,
    running: Option<Running>,
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

impl Ready {
    /// Stops what was started for this run alone, and waits for it.
    pub async fn shutdown(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Whether every private server still runs. Servers of others are the suite's to ask.
    pub fn alive(&mut self) -> bool {
        self.dead().is_none()
    }

    /// The private server that has ended by itself, if one has.
    #[must_use]
    pub fn dead(&self) -> Option<Kind> {
        let ended = |keeper: &&Keeper| keeper.running.as_ref().is_some_and(|running| running.ended().is_some());
        self.keepers.iter().find(ended).map(|keeper| keeper.kind)
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        // All are told before the first is waited for: they stop side by side.
        self.keepers.iter_mut().for_each(|keeper| drop(keeper.stop.take()));
    }
}

pub(super) async fn start(
    choice: Choice,
    wanted: Wanted,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<Ready, ServicesError> {
    let (tell, mut told) = Tell::channel();
    let begin = |kind: Kind, wanted: bool| wanted.then(|| begin(kind, choice, tell.clone()));
    let postgres = begin(Kind::Postgres, wanted.postgres);
    let redis = begin(Kind::Redis, wanted.redis);
    drop(tell);
    let listen = async {
        while let Some(text) = told.recv().await {
            progress(text);
        }
    };
    // Each thread lets go of its sender when it has an answer: then there is nothing more to listen to.
    let ((), postgres, redis) = tokio::join!(listen, finish(postgres), finish(redis));
    // Both are looked at before either error is returned, so that neither thread is left behind.
    let (postgres, redis) = (postgres?, redis?);
    let mut ready = Ready { postgres: None, redis: None, keepers: Vec::new() };
    for (place, started) in [(&mut ready.postgres, postgres), (&mut ready.redis, redis)] {
        if let Some((service, keeper)) = started {
            *place = Some(service);
            ready.keepers.push(keeper);
        }
    }
    Ok(ready)
}

type Answer = Result<(Service, Option<Running>), ServicesError>;

fn begin(kind: Kind, choice: Choice, tell: Tell) -> (Keeper, oneshot::Receiver<Answer>) {
    let (stop, stopped) = mpsc::channel();
    let (answer, answered) = oneshot::channel();
    let name = format!("service {}", kind.name().to_lowercase());
    let thread = thread::Builder::new().name(name).spawn(move || keep(kind, choice, tell, answer, &stopped)).ok();
    (Keeper { kind, running: None, stop: Some(stop), thread }, answered)
}

/// What a keeper does: finds the service, says so, and stays until it is told to stop.
fn keep(kind: Kind, choice: Choice, tell: Tell, answer: oneshot::Sender<Answer>, stopped: &mpsc::Receiver<()>) {
    let found = chain::find(kind, choice, &tell);
    drop(tell);
    match found {
        Ok(Found { service, instance, lease }) => {
            let running = instance.as_ref().map(|instance| instance.running.clone());
            if answer.send(Ok((service, running))).is_ok() {
                if instance.is_some() {
                    native::sweep(kind);
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

async fn finish(
    begun: Option<(Keeper, oneshot::Receiver<Answer>)>,
) -> Result<Option<(Service, Keeper)>, ServicesError> {
    let Some((mut keeper, answered)) = begun else { return Ok(None) };
    let (service, running) = answered.await.unwrap_or(Err(ServicesError::Lost { kind: keeper.kind }))?;
    keeper.running = running;
    Ok(Some((service, keeper)))
}
