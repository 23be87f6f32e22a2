//! What a check is given: its own server processes, tenants of services, folders and random data.

mod pace;
mod random;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::balancer::Balancer;
use crate::keepsake::Keepsake;
use crate::program::ProgramBuilder;
use crate::server::{App, Container, Ending, Keeper, ServerBuilder};
use crate::services::Services;
use crate::suite::channel::Events;
use lab_check::service::{ServiceHost, Tenant};
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure, Ours, RecordedStream};
use lab_http::{Request, Response};
use lab_protocol::{RunClock, SuiteConfig, Target};
use lab_proxy::Proxy;
use lab_sandbox::{Network, Room, Sandbox};

use random::Random;

/// What a folder of a check holds at most where servers are isolated, in bytes.
const ROOM: u64 = 1 << 30;

/// Where the folders of a check go.
#[derive(Debug, Default)]
enum FolderPlace {
    /// It has none yet.
    #[default]
    Unknown,
    /// Into the run's, where each is bounded by itself, if at all.
    Scratch,
    /// Into a place of the check's own, which bounds them together.
    Bounded(Room),
}

/// A folder of a check, which is removed once nothing is in its place any more.
#[derive(Debug)]
struct Folder {
    _room: Option<Room>,
    folder: TempDir,
}

/// What all checks of one run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub config: SuiteConfig,
    /// The run's, which every transcript and every event is timed by.
    pub clock: RunClock,
    /// Where what happens in a check is told while it runs.
    pub events: Option<Events>,
    /// What the server runs in, if not as a program of this machine.
    pub container: Option<Container>,
    pub services: Arc<Services>,
    /// What is put back when somebody removes it.
    pub keepsake: Arc<Keepsake>,
}

/// What one check works with. Nothing in it is seen by any other check.
#[derive(Debug)]
pub struct Lab {
    shared: Arc<Shared>,
    transcript: Transcript,
    /// The client that its requests are of.
    agent: &'static str,
    random: Random,
    /// One for each of the run's services, in their order.
    tenants: Vec<OnceCell<Box<dyn Tenant>>>,
    folders: Mutex<Vec<Folder>>,
    /// Where its folders are. It goes after them.
    place: Mutex<FolderPlace>,
    /// The network of the check's servers, once there is one.
    network: Mutex<Option<Network>>,
    endings: Arc<Mutex<Vec<Ending>>>,
    log_readers: Arc<Mutex<Vec<JoinHandle<()>>>>,
    /// Where the servers go that the check lets go, if somebody wants to look at them.
    keeper: Option<Keeper>,
}

impl Lab {
    /// What the check called `check` works with: all that happens is told as it happens.
    pub(crate) fn of_check(shared: Arc<Shared>, check: &'static str) -> Self {
        let transcript = match shared.events.clone() {
            Some(events) => Transcript::followed(shared.clock, move |entry| events.send_transcript(check, entry)),
            None => Transcript::new(shared.clock),
        };
        Self::with(shared, check, transcript)
    }

    /// The same for a check whose servers are to stand when it is over, and whose last requests are to be repeated by
    /// hand.
    pub(crate) fn of_held_check(shared: Arc<Shared>, check: &'static str) -> Self {
        let lab = Self::of_check(shared, check);
        lab.transcript.keep_commands();
        Self { keeper: Some(Keeper::default()), ..lab }
    }

    /// What a server is started with that belongs to no check.
    pub(crate) fn new(shared: Arc<Shared>, purpose: &str) -> Self {
        let transcript = Transcript::new(shared.clock);
        Self::with(shared, purpose, transcript)
    }

    fn with(shared: Arc<Shared>, purpose: &str, transcript: Transcript) -> Self {
        Self {
            agent: random::agent(shared.config.seed, purpose),
            random: Random::new(shared.config.seed, purpose),
            transcript,
            tenants: shared.services.iter().map(|_| OnceCell::new()).collect(),
            folders: Mutex::default(),
            place: Mutex::default(),
            network: Mutex::default(),
            endings: Arc::default(),
            log_readers: Arc::default(),
            keeper: None,
            shared,
        }
    }

    /// Starts the server with its own process and port on this check's own tenants of the lab's services, and waits
    /// until it is ready. A second call starts a second instance beside the first, on the same data.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let app = lab.start().await?;
    /// app.get("/health").await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if the server exits or does not become ready in the time its manifest gives.
    pub async fn start(&self) -> CheckResult<App> {
        self.server().start().await
    }

    /// Describes a server that differs from the usual one: other variables, other arguments.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let app = lab.server().env("HEADER_TIMEOUT_MS", "300").start().await?;
    /// # Ok(()) }
    /// ```
    pub fn server(&self) -> ServerBuilder<'_> {
        ServerBuilder::new(self)
    }

    /// Describes a run of the program, for labs that grade one which is run and ends, and no server: their lab.toml has
    /// `[program]`.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let done = lab.program().args(["sort", "--unique"]).input("b\na\nb\n").run().await?;
    /// done.expect_code(0)?.expect_output("a\nb\n")?;
    /// # Ok(()) }
    /// ```
    pub fn program(&self) -> ProgramBuilder<'_> {
        ProgramBuilder::new(self)
    }

    /// A load balancer for several instances of the server, which asks each for `probe` to learn whether it is ready.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let (one, two) = (lab.start().await?, lab.start().await?);
    /// let balancer = lab.balancer("/readyz").await?;
    /// balancer.add(&one);
    /// balancer.add(&two);
    /// balancer.until_ready(2, Duration::from_secs(5)).await?;
    /// balancer.get("/events").await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if no port can be had.
    pub async fn balancer(&self, probe: &str) -> CheckResult<Balancer> {
        Balancer::start(probe, self.agent, self.transcript.clone(), self.network()?)
            .await
            .ours("opening a port for the load balancer")
    }

    /// A proxy of the check's own in front of `upstream`, which forwards every byte and makes faults where a check wants
    /// them: for a server that the check itself plays. `name` stands for the other side in the transcript.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let payments = tokio::net::TcpListener::bind("127.0.0.1:0").await.ours("playing the payment service")?;
    /// let address = payments.local_addr().ours("playing the payment service")?;
    /// let proxy = lab.proxy("the payment service", address)?;
    /// let app = lab.server().env("PAYMENTS_URL", &format!("http://{}", proxy.address())).start().await?;
    /// proxy.delay(Duration::from_secs(3));
    /// app.post("/orders").json(&json!({"seats": 1})).await?.expect_status_in(&[503, 504])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if no port can be had.
    pub fn proxy(&self, name: &str, upstream: SocketAddr) -> CheckResult<Proxy> {
        let proxy = Proxy::plain(name, upstream, self.transcript.clone()).ours("opening a port for a proxy")?;
        proxy.open_in(&self.network()?).ours("opening a proxy's port in the servers' network")?;
        Ok(proxy)
    }

    /// Records in the transcript what a client of the check's own says and hears on `stream`.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let stream = app.socket()?.connect(app.address()).await.ours("connecting to the server")?;
    /// let stream = lab.recorded(stream); // for any client that works on a stream
    /// # Ok(()) }
    /// ```
    pub fn recorded<S>(&self, stream: S) -> RecordedStream<S> {
        RecordedStream::new(stream, self.transcript.clone())
    }

    /// A fresh, empty folder that is removed after the check.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let files = lab.folder()?;
    /// let app = lab.server().env("FILES_DIR", &files.display().to_string()).start().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be made.
    pub fn folder(&self) -> CheckResult<PathBuf> {
        let SuiteConfig { sandbox, scratch, .. } = self.config();
        let place = self.place_of_folders()?;
        let folder = TempDir::new_in(place.as_deref().unwrap_or(scratch)).ours("making a folder for the check")?;
        let room = sandbox.bound_folder(folder.path(), ROOM).ours("making room for the check's files")?;
        let path = folder.path().to_owned();
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).push(Folder { _room: room, folder });
        Ok(path)
    }

    /// Where the check's folders go, where they are bounded together.
    fn place_of_folders(&self) -> CheckResult<Option<PathBuf>> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*place, FolderPlace::Unknown) {
            let sandbox = &self.config().sandbox;
            // Whoever else has work on this thread does it on another meanwhile.
            let made = match sandbox.is_slow() {
                true => tokio::task::block_in_place(|| sandbox.room(ROOM)),
                false => sandbox.room(ROOM),
            };
            *place = match made.ours("making room for the check's files")? {
                Some(room) => FolderPlace::Bounded(room),
                None => FolderPlace::Scratch,
            };
        }
        Ok(match &*place {
            FolderPlace::Bounded(room) => Some(room.place().to_owned()),
            FolderPlace::Unknown | FolderPlace::Scratch => None,
        })
    }

    /// The folder that was made last, if there is one.
    pub(crate) fn last_folder(&self) -> Option<PathBuf> {
        let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.last().map(|last| last.folder.path().to_owned())
    }

    /// The folder with the submission's own files.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let workflows = lab.tree()?.join(".github/workflows");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Not applicable, where only a program or a URL is graded.
    pub fn tree(&self) -> CheckResult<&Path> {
        let tree = self.shared.config.tree.as_deref();
        tree.ok_or_else(|| {
            Failure::not_applicable("it reads the submission's files, but only a running program is being graded")
        })
    }

    /// The text of one of the submission's files.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let dockerfile = lab.file("Dockerfile")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it is absent or no text; not applicable, where only a program or a URL is graded.
    pub fn file(&self, path: &str) -> CheckResult<String> {
        let full = self.tree()?.join(path);
        std::fs::read_to_string(full).map_err(|error| {
            Failure::learner(format!("the file `{path}` cannot be read: {error}")).expected("a text file at that path")
        })
    }

    /// Whether checks were asked for by name, and not the whole suite. For a check that takes minutes and is not worth
    /// them every time.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// if !lab.is_named() {
    ///     return Err(Failure::not_applicable("it takes minutes: ask for it by name"));
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn is_named(&self) -> bool {
        !self.shared.config.checks.is_empty()
    }

    /// Adds a line to the transcript.
    ///
    /// ```
    /// # fn example(lab: &lab_kit::Lab) {
    /// lab.note("from here on the database is away");
    /// # }
    /// ```
    pub fn note(&self, text: impl Into<String>) {
        self.transcript.note(text);
    }

    /// Sends all requests at the same moment: every connection stands before the first byte is sent. The answers
    /// come in the order of the requests.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let answers = lab.burst((0..50).map(|_| app.post("/orders").json(&json!({"seats": 1})))).await?;
    /// let sold = answers.iter().filter(|answer| answer.status() == 201).count();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The first failure among the requests, in their order.
    pub async fn burst(&self, requests: impl IntoIterator<Item = Request>) -> CheckResult<Vec<Response>> {
        lab_http::burst(requests).await
    }

    /// Gives back what the check used. Its servers are gone by now: each ends with the check that started it.
    pub(crate) async fn release(&self) {
        for tenant in self.made() {
            tenant.release().await;
        }
    }

    /// What went wrong with a service itself while the check's servers used it.
    pub(crate) fn service_error(&self) -> Option<String> {
        self.made().find_map(Tenant::service_error)
    }

    /// What was used up of a service that others use too.
    pub(crate) fn shortage(&self) -> Option<String> {
        self.made().find_map(Tenant::shortage)
    }

    /// The check's tenants of all services that the run has, with the services' names.
    pub(crate) async fn tenants(&self) -> CheckResult<Vec<(&str, &dyn Tenant)>> {
        let mut tenants = Vec::new();
        for running in self.shared.services.iter() {
            tenants.push((running.name(), self.tenant(running.name()).await?));
        }
        Ok(tenants)
    }

    fn made(&self) -> impl Iterator<Item = &dyn Tenant> {
        self.tenants.iter().filter_map(OnceCell::get).map(Box::as_ref)
    }

    /// Takes back what was done to the paths to services; tells to which.
    pub(crate) fn restore_services(&self) -> Vec<String> {
        let made = self.shared.services.iter().zip(self.tenants.iter().map(OnceCell::get));
        let disturbed = made.filter(|(_, tenant)| tenant.is_some_and(|tenant| tenant.restore()));
        disturbed.map(|(running, _)| running.title().to_owned()).collect()
    }

    pub(crate) fn keeper(&self) -> Option<&Keeper> {
        self.keeper.as_ref()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn container(&self) -> Option<&Container> {
        self.shared.container.as_ref()
    }

    /// The network of the check's servers: one of its own, if they are isolated, in which they meet its proxies.
    pub(crate) fn network(&self) -> CheckResult<Network> {
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = &*network {
            return Ok(network.clone());
        }
        let is_ours = self.shared.container.is_none() && matches!(self.shared.config.target, Target::Launch { .. });
        let sandbox = &self.shared.config.sandbox;
        let made = match is_ours {
            // Whoever else has work on this thread does it on another meanwhile.
            true if sandbox.is_slow() => tokio::task::block_in_place(|| sandbox.network()),
            true => sandbox.network(),
            false => Ok(Network::of_this_machine()),
        };
        let made = made.ours("making a network for the check's servers")?;
        Ok(network.insert(made).clone())
    }

    /// The check's folders, as the user of isolated servers may write them.
    pub(crate) fn folders_for_servers(&self) -> CheckResult<Vec<PathBuf>> {
        self.folders_for(&self.shared.config.sandbox)
    }

    /// The check's folders, as the user of programs in `sandbox` may write them.
    pub(crate) fn folders_for(&self, sandbox: &Sandbox) -> CheckResult<Vec<PathBuf>> {
        let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let folders: Vec<PathBuf> = folders.iter().map(|each| each.folder.path().to_owned()).collect();
        for folder in &folders {
            sandbox.give(folder).ours("giving the server a folder")?;
        }
        Ok(folders)
    }

    /// Whoever has removed the program or a folder of ours, the submission is started all the same.
    pub(crate) fn put_back_what_is_gone(&self) -> CheckResult {
        match self.shared.keepsake.restore() {
            Ok(None) => Ok(()),
            Ok(Some(told)) => {
                self.transcript.note(format!("{told}, and was put back"));
                Ok(())
            }
            Err(gone) => Err(Failure::Ours(gone)),
        }
    }

    pub(crate) fn config(&self) -> &SuiteConfig {
        &self.shared.config
    }

    pub(crate) fn agent(&self) -> &'static str {
        self.agent
    }

    pub(crate) fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    pub(crate) fn log_readers(&self) -> Arc<Mutex<Vec<JoinHandle<()>>>> {
        Arc::clone(&self.log_readers)
    }

    /// Waits until everything that the check's servers wrote has been read. They are gone by now; a process that one
    /// left behind may hold its streams open, so there is a limit.
    pub(crate) async fn drain_logs(&self) {
        const LONGEST: Duration = Duration::from_secs(1);
        let readers = std::mem::take(&mut *self.log_readers.lock().unwrap_or_else(PoisonError::into_inner));
        let _ = timeout(LONGEST, futures::future::join_all(readers)).await;
    }

    pub(crate) fn endings(&self) -> Arc<Mutex<Vec<Ending>>> {
        Arc::clone(&self.endings)
    }

    /// A check that needs more than HTTP says nothing of a server that somebody else started.
    pub(crate) fn not_attached(&self, what: &str) -> CheckResult {
        if matches!(self.shared.config.target, Target::Attached { .. }) {
            return Err(Failure::not_applicable(format!("it {what}, which --url does not allow")));
        }
        Ok(())
    }
}

impl ServiceHost for Lab {
    fn tenant<'a>(&'a self, name: &'a str) -> BoxFuture<'a, CheckResult<&'a dyn Tenant>> {
        Box::pin(async move {
            let mut services = self.shared.services.iter().zip(&self.tenants);
            let Some((running, tenant)) = services.find(|(running, _)| running.name() == name) else {
                self.not_attached("looks behind the server")?;
                let how = "its lab.toml names it under `services`, and its `main` registers the driver";
                return Err(Failure::Ours(format!("the check uses {name}, which its suite does not have: {how}")));
            };
            self.not_attached(&format!("looks into {}", running.title()))?;
            let make = || async {
                let tenant = running.service().tenant(self.transcript.clone()).await?;
                tenant.open_in(&self.network()?).ours("opening a proxy's port in the servers' network")?;
                Ok(tenant)
            };
            Ok(tenant.get_or_try_init(make).await?.as_ref())
        })
    }
}
