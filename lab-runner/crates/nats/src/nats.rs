//! One check's own NATS.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure, Ours as _};
use lab_instance::Signal;
use lab_proxy::{Counted, Failpoints, Proxy, Upstream};
use tokio::sync::{OnceCell, OwnedSemaphorePermit};

use super::broker::{Address, Broker};
use super::brokers::Brokers;
use super::state::{self, Consumer, Stream};
use super::subscription::Subscription;

/// One check's own NATS, and the proxy through which the server under test reaches it.
///
/// What is asked through this type is asked as administrator and around the proxy.
///
/// ```
/// # use lab_nats::LabNats as _;
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
/// let nats = lab.nats().await?;
/// app.post("/orders/7/ticket").await?.expect_status(202)?;
/// nats.kill().await?;
/// nats.start_again().await?;
/// expect_that(nats.streams().await?.iter().any(|stream| stream.messages == 1), "the job is still there")?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Nats {
    url: String,
    proxy: Proxy,
    passed: Counted,
    transcript: Transcript,
    server: Server,
    client: OnceCell<async_nats::Client>,
    /// Whether the check has killed it, and not started it again.
    killed: AtomicBool,
}

/// Whose server it is.
#[derive(Debug)]
enum Server {
    Own(Broker),
    /// The run's, with the streams that were there before.
    Lent {
        address: Address,
        before: Vec<String>,
        turn: Mutex<Option<OwnedSemaphorePermit>>,
    },
}

impl Nats {
    /// Starts a server, or waits until the run's is free. A check gets its own from [`crate::LabNats::nats`].
    ///
    /// # Errors
    /// Ours, if there is none.
    pub async fn create(brokers: &Brokers, transcript: Transcript) -> CheckResult<Self> {
        let server = match brokers.program() {
            Some(program) => Server::Own(Broker::start(program).await?),
            None => {
                let (address, turn) = brokers.lend().await?;
                let streams = state::streams(&address.connect().await?).await?;
                let before = streams.into_iter().map(|stream| stream.name).collect();
                Server::Lent { address, before, turn: Mutex::new(Some(turn)) }
            }
        };
        let address = server.address();
        let upstream = Upstream::Tcp(address.host.clone(), address.port);
        let passed = Counted::default();
        let protocol = Arc::new(passed.clone());
        let proxy = Proxy::start("NATS", upstream, protocol, Failpoints::default(), transcript.clone());
        let proxy = proxy.ours("opening a port for the proxy of NATS")?;
        let url = address.url(&proxy.address().to_string());
        let killed = AtomicBool::new(false);
        Ok(Self { url, proxy, passed, transcript, server, client: OnceCell::new(), killed })
    }

    /// The URL that the server under test is given, with a user who may do everything.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The proxy that it leads through.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Where the server itself listens, for a second way to it ([`lab_kit::Lab::proxy`]).
    ///
    /// [`lab_kit::Lab::proxy`]: https://docs.rs/lab-kit
    ///
    /// # Errors
    /// Ours, if its host's name cannot be resolved.
    pub async fn upstream(&self) -> CheckResult<SocketAddr> {
        let address = self.server.address();
        let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await;
        found.ours("looking up NATS")?.next().ok_or_else(|| Failure::Ours("NATS has no address".into()))
    }

    /// A client of the administrator's, around the proxy. It connects again by itself when the server was killed and
    /// started again.
    ///
    /// # Errors
    /// Ours, if the server cannot be reached.
    pub async fn client(&self) -> CheckResult<&async_nats::Client> {
        self.client.get_or_try_init(|| self.server.address().connect()).await
    }

    /// All streams, by their names.
    ///
    /// ```
    /// # async fn example(nats: &lab_nats::Nats) -> lab_kit::CheckResult<()> {
    /// let stored: u64 = nats.streams().await?.iter().map(|stream| stream.messages).sum();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if the server does not answer.
    pub async fn streams(&self) -> CheckResult<Vec<Stream>> {
        state::streams(self.client().await?).await
    }

    /// All consumers of all streams.
    ///
    /// ```
    /// # async fn example(nats: &lab_nats::Nats) -> lab_kit::CheckResult<()> {
    /// let in_hand: u64 = nats.consumers().await?.iter().map(|consumer| consumer.in_hand).sum();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if the server does not answer.
    pub async fn consumers(&self) -> CheckResult<Vec<Consumer>> {
        state::consumers(self.client().await?).await
    }

    /// Publishes a message as administrator; it has reached the server then.
    ///
    /// # Errors
    /// Ours, if the server does not answer.
    pub async fn publish(&self, subject: &str, payload: impl Into<Vec<u8>>) -> CheckResult {
        let client = self.client().await?;
        let payload: Vec<u8> = payload.into();
        client.publish(subject.to_owned(), payload.into()).await.ours("publishing to NATS")?;
        state::settle(client).await
    }

    /// Listens to `subject` from now on. The subscription outlives a kill and a new start of the server, but hears nothing
    /// of what is said in between.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(nats: &lab_nats::Nats) -> CheckResult<()> {
    /// let mut dead = nats.subscribe("jobs.dead").await?;
    /// let letter = dead.next(Duration::from_secs(5)).await;
    /// expect_that(letter.is_some(), "a job that fails again and again ends as a dead letter")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if the server does not answer.
    pub async fn subscribe(&self, subject: &str) -> CheckResult<Subscription> {
        let client = self.client().await?;
        let subscriber = client.subscribe(subject.to_owned()).await.ours("subscribing at NATS")?;
        // It counts from when the server knows of it.
        state::settle(client).await?;
        Ok(Subscription::new(subscriber))
    }

    /// Kills the server with no warning. Whoever was connected is cut off, and new connections are refused until it is
    /// started again.
    ///
    /// # Errors
    /// Not applicable, where the server is not this check's own.
    pub async fn kill(&self) -> CheckResult {
        let broker = self.own()?;
        self.killed.store(true, Ordering::SeqCst);
        self.proxy.refuse();
        broker.kill().await?;
        self.transcript.note("NATS: killed by the check");
        Ok(())
    }

    /// Starts the server again, on the files that it had when it was killed.
    ///
    /// # Errors
    /// Not applicable, where the server is not this check's own.
    pub async fn start_again(&self) -> CheckResult {
        self.own()?.start_again().await?;
        self.transcript.note("NATS: started again by the check, on the same files");
        self.killed.store(false, Ordering::SeqCst);
        self.proxy.restore();
        Ok(())
    }

    /// Stops the server's process: it is there, and says nothing, until [`Self::resume`].
    ///
    /// # Errors
    /// Not applicable, where the server is not this check's own.
    pub fn pause(&self) -> CheckResult {
        self.own()?.signal(Signal::STOP)
    }

    /// Has the server's process go on.
    ///
    /// # Errors
    /// Not applicable, where the server is not this check's own.
    pub fn resume(&self) -> CheckResult {
        self.own()?.signal(Signal::CONT)
    }

    fn own(&self) -> CheckResult<&Broker> {
        match &self.server {
            Server::Own(broker) => Ok(broker),
            Server::Lent { .. } => Err(Failure::not_applicable(
                "it kills NATS, and this one was not started for the check: its program is not on this machine",
            )),
        }
    }

    pub(super) fn service_error(&self) -> Option<String> {
        if self.killed.load(Ordering::SeqCst) {
            return None;
        }
        match &self.server {
            Server::Own(broker) => broker.broke(),
            Server::Lent { .. } => self.passed.unreachable(),
        }
    }

    /// Ends the check's use of it.
    pub(super) async fn give_back(&self) {
        self.proxy.shut();
        match &self.server {
            Server::Own(broker) => {
                let _ = broker.kill().await;
            }
            Server::Lent { address, before, turn } => {
                let _ = empty(address, before).await;
                turn.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        }
    }
}

impl Server {
    fn address(&self) -> &Address {
        match self {
            Self::Own(broker) => broker.address(),
            Self::Lent { address, .. } => address,
        }
    }
}

/// Removes the streams that were not there before.
async fn empty(address: &Address, before: &[String]) -> CheckResult {
    let client = address.connect().await?;
    for stream in state::streams(&client).await? {
        if !before.contains(&stream.name) {
            state::delete(&client, &stream.name).await?;
        }
    }
    Ok(())
}
