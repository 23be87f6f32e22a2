//! A TCP proxy that records what passes and makes faults, one for each check and service.
//!
//! Every answer a learner's server gets from Postgres or Redis comes through here. So a check counts statements and
//! cuts, delays or stops a service in the same way wherever the service comes from, and disturbs no neighbour.
//! Everything that passes is recorded. Where a protocol's session does not understand a stream, the connection ends: what
//! nobody can read would be a way around whatever a check counts.

mod connection;
mod counted;
mod failpoints;
mod faults;
mod lane;
mod listener;
mod plain;
mod protocol;
mod room;
#[cfg(test)]
mod tests;
mod upstream;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use lab_check::transcript::{Mark, Transcript};
use lab_sandbox::Network;

pub use counted::Counted;
pub use failpoints::{Failpoint, Failpoints, Moment};
use faults::{Faults, Link};
pub use plain::{PlainDriver, PlainTenant};
pub use protocol::{Output, Protocol, Session};
pub use upstream::Upstream;

/// The connection path between one check's server and one service. It ends when it is dropped.
///
/// ```
/// # use lab_postgres::LabPostgres as _;
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
/// let db = lab.postgres().await?;
/// db.proxy().cut();
/// app.get("/events").await?.expect_status(503)?;
/// db.proxy().restore();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Proxy {
    service: Arc<str>,
    address: SocketAddr,
    faults: watch::Sender<Faults>,
    listeners: mpsc::UnboundedSender<listener::Change>,
    /// Where it has its port.
    networks: Mutex<Vec<Network>>,
    failpoints: Failpoints,
    transcript: Transcript,
    task: AbortHandle,
}

impl Proxy {
    /// A proxy that understands nothing and forwards everything, for services without a module of their own.
    /// `service` names the other side in the transcript.
    ///
    /// ```
    /// # async fn example(lab: &lab_kit::Lab) -> std::io::Result<()> {
    /// use lab_proxy::Proxy;
    /// use lab_check::transcript::Transcript;
    ///
    /// let upstream = "127.0.0.1:9000".parse().expect("an address");
    /// let proxy = Proxy::plain("the payment service", upstream, Transcript::default())?;
    /// let url = format!("http://{}", proxy.address());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// No port can be had.
    pub fn plain(service: impl Into<Arc<str>>, upstream: SocketAddr, transcript: Transcript) -> io::Result<Self> {
        let upstream = Upstream::Tcp(upstream.ip().to_string(), upstream.port());
        Self::start(service, upstream, Arc::new(plain::PlainProtocol), Failpoints::default(), transcript)
    }

    /// Listens on a free port of 127.0.0.1. Must be called within a runtime.
    pub fn start(
        service: impl Into<Arc<str>>,
        upstream: Upstream,
        protocol: Arc<dyn Protocol>,
        failpoints: Failpoints,
        transcript: Transcript,
    ) -> io::Result<Self> {
        let network = Network::of_this_machine();
        let first = listener::bind(&network, SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = first.local_addr()?;
        let (faults, watched) = watch::channel(Faults::default());
        let (listeners, changes) = mpsc::unbounded_channel();
        let service: Arc<str> = service.into();
        let context = connection::Context {
            service: Arc::clone(&service),
            upstream,
            protocol,
            transcript: transcript.clone(),
            turned_away: AtomicBool::new(false),
        };
        let task = tokio::spawn(listener::run(first, changes, watched, Arc::new(context))).abort_handle();
        let networks = Mutex::new(vec![network]);
        Ok(Self { service, address, faults, listeners, networks, failpoints, transcript, task })
    }

    /// Listens in `network` as well, at the same address, for servers that reach nothing else. Before any fault is made.
    ///
    /// # Errors
    /// Its port is taken there, or the process has too many files open.
    pub fn open_in(&self, network: &Network) -> io::Result<()> {
        if network.is_alone() {
            let opened = listener::bind(network, self.address)?;
            self.networks().push(network.clone());
            let _ = self.listeners.send(listener::Change::Also(opened));
        }
        Ok(())
    }

    fn networks(&self) -> MutexGuard<'_, Vec<Network>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its port in each network, by `open`.
    fn each<T>(&self, open: impl Fn(&Network, SocketAddr) -> io::Result<T>) -> io::Result<Vec<T>> {
        self.networks().iter().map(|network| open(network, self.address)).collect()
    }

    /// Where the learner's server connects to.
    ///
    /// ```
    /// # fn example(proxy: &lab_proxy::Proxy) {
    /// let url = format!("redis://{}", proxy.address());
    /// # }
    /// ```
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets every connection, and closes each new one as soon as it is made: the service's host is up and the
    /// service answers nobody.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// lab.redis().await?.proxy().cut();
    /// # Ok(()) }
    /// ```
    pub fn cut(&self) {
        self.ensure_listening();
        self.set("its connections are cut, and new ones are closed at once", |faults| faults.cut(Link::Cut));
    }

    /// Resets every connection and refuses new ones: the service is not running. Many drivers treat a refused
    /// connection otherwise than one that is made and closed, for instance by trying again.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// lab.postgres().await?.proxy().refuse();
    /// let app = lab.server().without_waiting().start().await?; // started before its database
    /// lab.postgres().await?.proxy().restore();
    /// # Ok(()) }
    /// ```
    pub fn refuse(&self) {
        // The port stays ours, bound by a socket that does not listen.
        match self.each(listener::reserve) {
            Ok(reserved) => {
                let _ = self.listeners.send(listener::Change::Refuse(reserved));
                self.set("its connections are cut, and new ones are refused", |faults| faults.cut(Link::Refused));
            }
            Err(_) => self.cut(),
        }
    }

    /// Forwards nothing more in either direction. Connections stay open and new ones are accepted; what they send
    /// is kept until [`Proxy::restore`], as on a network that lost its way.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab, app: &lab_kit::App) -> lab_kit::CheckResult<()> {
    /// lab.postgres().await?.proxy().stop();
    /// app.get("/events").await?.expect_status(503)?; // within its own time-out, not ours
    /// # Ok(()) }
    /// ```
    pub fn stop(&self) {
        self.ensure_listening();
        self.set("it no longer answers", |faults| faults.link = Link::Stopped);
    }

    /// Holds each answer back for `time`. A large answer is late once, not once for each of its packets.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.redis().await?.proxy().delay(Duration::from_millis(50));
    /// # Ok(()) }
    /// ```
    pub fn delay(&self, time: Duration) {
        self.set(&format!("its answers are delayed by {} ms", time.as_millis()), |faults| faults.delay = time);
    }

    /// Ends every fault and disarms every failpoint. What a stop held back is delivered.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let proxy = lab.postgres().await?.proxy();
    /// proxy.stop();
    /// proxy.restore();
    /// # Ok(()) }
    /// ```
    pub fn restore(&self) {
        self.failpoints.disarm();
        self.ensure_listening();
        let mark = Mark::Restored { service: self.service.to_string() };
        self.transcript.mark(format!("{}: it is reachable again", self.service), mark);
        self.faults.send_modify(|faults| {
            faults.link = Link::Open;
            faults.delay = Duration::ZERO;
        });
    }

    /// Arms a failpoint: the first statement or command that holds `text` (letter case does not matter) never arrives;
    /// its connection is reset in its place.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let failpoint = lab.postgres().await?.proxy().cut_at("insert into order_lines");
    /// app.post("/events/1/orders").json(&json!({"seats": 1})).await?.expect_status_in(&[500, 503])?;
    /// expect_that(failpoint.was_triggered(), "the order never wrote its lines")?;
    /// # Ok(()) }
    /// ```
    pub fn cut_at(&self, text: &str) -> Failpoint {
        self.transcript.note(format!("{}: the next `{text}` is to be cut off before it arrives", self.service));
        self.failpoints.arm(text, Moment::Arrival)
    }

    /// Arms a failpoint: the first statement or command that holds `text` (letter case does not matter) is carried out,
    /// but its connection is reset before the answer is delivered. The server cannot know what became of it.
    ///
    /// Redis commands are not paired with their answers, so this works for Postgres only.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let failpoint = lab.postgres().await?.proxy().lose_answer_to("commit");
    /// app.post("/transfers").json(&json!({"cents": 100})).await?.expect_status_in(&[201, 500, 503])?;
    /// # Ok(()) }
    /// ```
    pub fn lose_answer_to(&self, text: &str) -> Failpoint {
        self.transcript.note(format!("{}: the answer to the next `{text}` is to be lost", self.service));
        self.failpoints.arm(text, Moment::Answer)
    }

    /// Closes the port and every connection. Dropping does the same.
    pub fn shut(&self) {
        self.task.abort();
    }

    /// Takes every fault back, if there is one. Tells whether there was.
    pub fn restore_if_disturbed(&self) -> bool {
        let faults = *self.faults.borrow();
        let disturbed = faults.link != Link::Open || !faults.delay.is_zero() || self.failpoints.is_armed();
        if disturbed {
            self.restore();
        }
        disturbed
    }

    fn set(&self, what: &str, change: impl FnOnce(&mut Faults)) {
        let mark = Mark::Fault { service: self.service.to_string() };
        self.transcript.mark(format!("{}: {what}", self.service), mark);
        self.faults.send_modify(change);
    }

    /// Opens the port again before anything is said to be restored, so that no connection is refused after it.
    fn ensure_listening(&self) {
        if self.faults.borrow().link != Link::Refused {
            return;
        }
        match self.each(listener::bind) {
            Ok(opened) => {
                let _ = self.listeners.send(listener::Change::Listen(opened));
            }
            Err(error) => self.transcript.note(format!("{}: its port cannot be opened again: {error}", self.service)),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
