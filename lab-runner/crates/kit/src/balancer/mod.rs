//! A load balancer as simple as they come, so that it hides no mistake of the servers behind it.
//!
//! It asks every instance whether it is ready, gives each connection to the next one that is, and retries nothing.

mod forward;
mod probe;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::server::App;
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure};
use lab_http::{Peer, Request};
use lab_sandbox::Network;

/// A load balancer in front of several instances of the server under test. Made by [`crate::Lab::balancer`]; it ends
/// when it is dropped.
///
/// A connection goes whole to one instance, the next one in turn among those whose last answer to the probe was 200.
/// A request that an instance fails to answer is not tried on another: its client gets 502, or 503 where no instance
/// is ready, and [`Balancer::failures`] says why.
///
/// ```
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab) -> CheckResult<()> {
/// let app = lab.start().await?;
/// let balancer = lab.balancer("/readyz").await?;
/// balancer.add(&app);
/// balancer.until_ready(1, Duration::from_secs(5)).await?;
/// balancer.get("/events").await?.expect_status(200)?;
/// expect_that(balancer.failures().is_empty(), "every request reached an instance")?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: AbortHandle,
}

/// What the listener, the probes and the check look at.
#[derive(Debug)]
struct Shared {
    probe: String,
    instances: Mutex<Vec<Instance>>,
    turn: AtomicUsize,
    failures: Mutex<Vec<String>>,
    /// The client that the check's requests are of.
    agent: &'static str,
    transcript: Transcript,
    /// The network that the instances are in.
    network: Network,
}

#[derive(Debug)]
struct Instance {
    address: SocketAddr,
    /// When it last said that it is ready; `None` if its last answer was another.
    ready_at: Option<Instant>,
    prober: AbortHandle,
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.prober.abort();
    }
}

impl Balancer {
    /// Listens on a free port of 127.0.0.1, with no instance yet.
    pub(crate) async fn start(
        probe: &str,
        agent: &'static str,
        transcript: Transcript,
        network: Network,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            probe: probe.to_owned(),
            instances: Mutex::default(),
            turn: AtomicUsize::new(0),
            failures: Mutex::default(),
            agent,
            transcript,
            network,
        });
        let listener = tokio::spawn(forward::serve(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { address, shared, listener })
    }

    /// Puts an instance behind the balancer. It gets connections as soon as it says that it is ready.
    ///
    /// ```
    /// # fn example(balancer: &lab_kit::Balancer, app: &lab_kit::App) {
    /// balancer.add(app);
    /// # }
    /// ```
    pub fn add(&self, app: &App) {
        self.add_address(app.address());
    }

    /// Takes an instance away: it gets no further connection, and is no longer asked.
    ///
    /// ```
    /// # fn example(balancer: &lab_kit::Balancer, app: &lab_kit::App) {
    /// balancer.remove(app);
    /// # }
    /// ```
    pub fn remove(&self, app: &App) {
        self.shared.instances().retain(|instance| instance.address != app.address());
    }

    /// Waits until this many instances are ready.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(balancer: &lab_kit::Balancer) -> CheckResult<()> {
    /// balancer.until_ready(2, Duration::from_secs(10)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if they are fewer when `within` is over.
    pub async fn until_ready(&self, count: usize, within: Duration) -> CheckResult {
        let deadline = Instant::now() + within;
        while self.ready() < count {
            if Instant::now() > deadline {
                let probe = &self.shared.probe;
                return Err(Failure::learner(format!(
                    "after {within:?}, {} of {count} instances return 200 for `GET {probe}`",
                    self.ready()
                ))
                .by_time());
            }
            sleep(probe::PAUSE).await;
        }
        Ok(())
    }

    /// Waits until `app` says once more that it is ready. Whoever ends it right then leaves the balancer in error for as
    /// long as can be.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(balancer: &lab_kit::Balancer, app: &mut App) -> CheckResult<()> {
    /// balancer.until_asked(app, Duration::from_secs(5)).await?;
    /// app.terminate()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it does not when `within` is over.
    pub async fn until_asked(&self, app: &App, within: Duration) -> CheckResult {
        let began = Instant::now();
        let said = || {
            let instances = self.shared.instances();
            let instance = instances.iter().find(|instance| instance.address == app.address());
            instance.and_then(|instance| instance.ready_at).is_some_and(|at| at > began)
        };
        while !said() {
            if began.elapsed() > within {
                let probe = &self.shared.probe;
                return Err(Failure::learner(format!("for {within:?}, no `GET {probe}` got 200")).by_time());
            }
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Asks `app` nothing more, and takes it to be what it said last: a balancer that asks seldom. Until
    /// [`Balancer::ask_again`].
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(balancer: &lab_kit::Balancer, app: &mut App) -> CheckResult<()> {
    /// balancer.stop_asking(app);
    /// app.terminate()?;
    /// balancer.get("/events").await?.expect_status(200)?; // perhaps from `app`, which is to answer for a while
    /// balancer.ask_again(app);
    /// # Ok(()) }
    /// ```
    pub fn stop_asking(&self, app: &App) {
        self.stop_asking_at(app.address());
    }

    fn stop_asking_at(&self, address: SocketAddr) {
        for instance in self.shared.instances().iter().filter(|instance| instance.address == address) {
            instance.prober.abort();
        }
    }

    /// Asks `app` as before, at once.
    ///
    /// ```
    /// # fn example(balancer: &lab_kit::Balancer, app: &lab_kit::App) {
    /// balancer.stop_asking(app);
    /// balancer.ask_again(app);
    /// # }
    /// ```
    pub fn ask_again(&self, app: &App) {
        self.ask_again_at(app.address());
    }

    fn ask_again_at(&self, address: SocketAddr) {
        for instance in self.shared.instances().iter_mut().filter(|instance| instance.address == address) {
            instance.prober.abort();
            instance.prober = tokio::spawn(probe::watch(Arc::clone(&self.shared), address)).abort_handle();
        }
    }

    /// How many instances are ready now.
    ///
    /// ```
    /// # fn example(balancer: &lab_kit::Balancer) {
    /// let left = balancer.ready();
    /// # }
    /// ```
    pub fn ready(&self) -> usize {
        self.shared.instances().iter().filter(|instance| instance.ready_at.is_some()).count()
    }

    /// What went wrong with connections so far, in the order it happened.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # fn example(balancer: &lab_kit::Balancer) -> CheckResult<()> {
    /// expect_that(balancer.failures().is_empty(), "every request reached an instance")?;
    /// # Ok(()) }
    /// ```
    pub fn failures(&self) -> Vec<String> {
        self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A GET request to whichever instance is next, sent when it is awaited.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(balancer: &lab_kit::Balancer) -> CheckResult<()> {
    /// balancer.get("/events").await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    pub fn get(&self, path: impl AsRef<str>) -> Request {
        self.request("GET", path)
    }

    /// A request with any method to whichever instance is next, sent when it is awaited.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(balancer: &lab_kit::Balancer) -> CheckResult<()> {
    /// balancer.request("POST", "/events").json(&json!({"title": "Concert"})).await?.expect_status(201)?;
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: &str, path: impl AsRef<str>) -> Request {
        // Nobody can start this balancer by hand: whoever wants to see the same asks it where it is.
        let transcript = self.shared.transcript.clone();
        let network = Network::of_this_machine();
        let agent = self.shared.agent;
        let peer = Peer { address: self.address, network, agent, transcript, by_hand: String::new() };
        Request::new(peer, method, path.as_ref())
    }

    fn add_address(&self, address: SocketAddr) {
        let prober = tokio::spawn(probe::watch(Arc::clone(&self.shared), address)).abort_handle();
        self.shared.instances().push(Instance { address, ready_at: None, prober });
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.listener.abort();
        self.shared.instances().clear();
    }
}

impl Shared {
    /// The next instance that is ready, and when it last said so.
    fn next(&self) -> Option<(SocketAddr, Instant)> {
        let instances = self.instances();
        let ready: Vec<_> =
            instances.iter().filter_map(|instance| Some((instance.address, instance.ready_at?))).collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (!ready.is_empty()).then(|| ready[turn % ready.len()])
    }

    /// Takes down what an instance answered.
    fn learned(&self, address: SocketAddr, ready: bool) {
        for instance in self.instances().iter_mut().filter(|instance| instance.address == address) {
            if instance.ready_at.is_some() != ready {
                let word = if ready { "ready" } else { "no longer ready" };
                self.transcript.note(format!("the balancer: the instance on port {} is {word}", address.port()));
            }
            instance.ready_at = ready.then(Instant::now);
        }
    }

    fn failed(&self, what: String) {
        self.transcript.note(format!("the balancer: {what}"));
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn instances(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
