//! A running server, as a check sees it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::keeper::Keeper;
use super::log::Stream;
use super::process::{LaunchSpec, Process};
use super::start_line::StartLine;
use super::{port, ready};
use crate::launch::Exit;
use crate::tool::Tool;
use lab_check::transcript::{Mark, Transcript};
use lab_check::{CheckResult, Failure, Ours as _};
use lab_http::{Connection, Peer, Request};
use lab_process::Signal;
use lab_protocol::{Readiness, SuiteConfig};
use lab_sandbox::Network;
use tokio::net::TcpSocket;
use tokio::process::Command;

/// How often a port that somebody else took in the meantime is exchanged for another.
const PORT_TRIES: usize = 3;
/// How long a server that is ending may take to do so.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A running server. Dropping it ends its whole process group.
#[derive(Debug)]
pub struct App {
    address: SocketAddr,
    by_hand: StartLine,
    agent: &'static str,
    transcript: Transcript,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Launched(Box<Launched>),
    Attached,
}

/// A server of our own, and what it takes to start it again.
#[derive(Debug)]
pub(super) struct Launched {
    process: Process,
    spec: LaunchSpec,
    readiness: Readiness,
    limit: Duration,
}

impl Launched {
    pub(super) fn is_running(&mut self) -> bool {
        self.process.stands()
    }

    pub(super) fn started(&self) -> std::time::Instant {
        self.process.started()
    }

    /// Whether it goes on running at `address`: one that has just closed a connection because it panics has not ended yet.
    async fn goes_on(&mut self, address: SocketAddr) -> bool {
        // Whether it answers is for the learner to see.
        let _ = ready::wait(&mut self.process, address, &self.readiness, LAST_WORDS).await;
        self.is_running()
    }
}

/// A server that a check lets go ends, unless somebody wants to look at it.
impl Drop for App {
    fn drop(&mut self) {
        if let Origin::Launched(launched) = std::mem::replace(&mut self.origin, Origin::Attached) {
            let keeper = launched.spec.keeper.clone();
            keeper.keep(self.address, launched);
        }
    }
}

impl App {
    /// The servers that `keeper` holds. Where none is left, the one that was started last is started again as it was,
    /// on its old port if that is free.
    ///
    /// # Errors
    /// The learner's failure if it does not become ready again.
    pub(crate) async fn kept(keeper: &Keeper, config: &SuiteConfig) -> CheckResult<(Vec<Self>, bool)> {
        let again = |(address, launched): (SocketAddr, Box<Launched>)| Self {
            address,
            by_hand: StartLine::default(),
            agent: launched.spec.agent,
            transcript: launched.spec.transcript.clone(),
            origin: Origin::Launched(launched),
        };
        let mut standing = Vec::new();
        for (address, mut launched) in keeper.take_standing() {
            if launched.goes_on(address).await {
                standing.push(again((address, launched)));
            }
        }
        if !standing.is_empty() {
            return Ok((standing, false));
        }
        let Some((spec, port)) = keeper.last() else { return Ok((standing, false)) };
        let spec = LaunchSpec { port: Some(port), ..spec };
        Ok((vec![Self::launch(spec, StartLine::default(), config, true).await?], true))
    }

    /// The variables that it was started with, if it was started by the grader.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        match &self.origin {
            Origin::Launched(launched) => launched.spec.env.clone(),
            Origin::Attached => BTreeMap::new(),
        }
    }

    pub(super) async fn launch(
        spec: LaunchSpec,
        by_hand: StartLine,
        config: &SuiteConfig,
        waits: bool,
    ) -> CheckResult<Self> {
        let limit = Duration::from_millis(config.start_limit_ms);
        let readiness = config.readiness.clone().ok_or_else(no_server)?;
        let (address, process) = begin(&spec, waits.then_some((&readiness, limit))).await?;
        let (agent, transcript) = (spec.agent, spec.transcript.clone());
        Ok(Self {
            address,
            by_hand,
            agent,
            transcript,
            origin: Origin::Launched(Box::new(Launched { process, spec, readiness, limit })),
        })
    }

    pub(super) async fn attach(url: &str, agent: &'static str, transcript: Transcript) -> CheckResult<Self> {
        let wrong = |what: &str| Failure::Ours(format!("--url {url}: {what}"));
        let parsed = url::Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if parsed.scheme() != "http" {
            return Err(wrong("only http:// can be graded; do not put TLS in front"));
        }
        let host = parsed.host_str().ok_or_else(|| wrong("it does not name a host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = parsed.port_or_known_default().unwrap_or(80);
        let address = tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| wrong(&error.to_string()))?
            .next()
            .ok_or_else(|| wrong("its host cannot be resolved"))?;
        Ok(Self { address, by_hand: StartLine::default(), agent, transcript, origin: Origin::Attached })
    }

    /// A GET request, sent when it is awaited.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// app.get("/health").await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    pub fn get(&self, path: impl AsRef<str>) -> Request {
        self.request("GET", path)
    }

    /// A HEAD request, sent when it is awaited.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// app.head("/").await?.expect_empty_body()?;
    /// # Ok(()) }
    /// ```
    pub fn head(&self, path: impl AsRef<str>) -> Request {
        self.request("HEAD", path)
    }

    /// A POST request, sent when it is awaited.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// app.post("/events").json(&json!({"title": "Concert"})).await?.expect_status(201)?;
    /// # Ok(()) }
    /// ```
    pub fn post(&self, path: impl AsRef<str>) -> Request {
        self.request("POST", path)
    }

    /// A PUT request, sent when it is awaited.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// app.put("/files/a").body("hello", "text/plain").await?.expect_status(201)?;
    /// # Ok(()) }
    /// ```
    pub fn put(&self, path: impl AsRef<str>) -> Request {
        self.request("PUT", path)
    }

    /// A PATCH request, sent when it is awaited.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// app.patch("/events/1").json(&json!({"title": "Opera"})).await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    pub fn patch(&self, path: impl AsRef<str>) -> Request {
        self.request("PATCH", path)
    }

    /// A DELETE request, sent when it is awaited.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// app.delete("/files/a").await?.expect_status_in(&[200, 202, 204])?;
    /// # Ok(()) }
    /// ```
    pub fn delete(&self, path: impl AsRef<str>) -> Request {
        self.request("DELETE", path)
    }

    /// An OPTIONS request, sent when it is awaited.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// app.options("/events").header("Origin", "https://shop.example").await?;
    /// # Ok(()) }
    /// ```
    pub fn options(&self, path: impl AsRef<str>) -> Request {
        self.request("OPTIONS", path)
    }

    /// A request with any method, sent when it is awaited. The path goes out as it is given.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// app.request("BREW", "/pot").await?.expect_status(501)?;
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: &str, path: impl AsRef<str>) -> Request {
        Request::new(self.peer(), method, path.as_ref())
    }

    /// A raw TCP connection.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let mut connection = app.connect().await?;
    /// connection.send("GET / HTTP/1.1\r\nHost: lab\r\n\r\n").await?;
    /// connection.response().await?.expect_status(200)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if nothing listens any more.
    pub async fn connect(&self) -> CheckResult<Connection> {
        Connection::open(self.peer()).await
    }

    /// A program of this machine that is a client of this server, such as `git`: it runs in the server's network, so that it
    /// reaches the server where it listens.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # use lab_kit::ToolRun;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let mut curl = tokio::process::Command::new("curl");
    /// curl.arg(format!("http://{}/health", app.address()));
    /// let ToolRun::Ended { output, .. } = app.client(curl).run().await? else {
    ///     return Err(Failure::learner("the answer has no end"));
    /// };
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn client(&self, command: Command) -> Tool {
        Tool::client_of(self.address, self.network(), command)
    }

    /// A socket to connect to it with, for clients of a check's own: an isolated server is reached only by sockets of its
    /// network.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let stream = app.socket()?.connect(app.address()).await.ours("connecting to the server")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if there are too many files open.
    pub fn socket(&self) -> CheckResult<TcpSocket> {
        lab_check::network::socket(&self.network(), self.address).ours("making a socket")
    }

    /// Whether requests can reach it from this address of the machine: see [`Request::from_address`].
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # fn example(app: &App) -> CheckResult<()> {
    /// if !app.has_address(std::net::Ipv4Addr::new(127, 0, 0, 2))? {
    ///     return Err(Failure::not_applicable("this machine has only one address of its own, 127.0.0.1"));
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if there are too many files open.
    pub fn has_address(&self, source: impl Into<IpAddr>) -> CheckResult<bool> {
        Ok(self.socket()?.bind(SocketAddr::from((source.into(), 0))).is_ok())
    }

    /// Where it listens.
    ///
    /// ```
    /// # fn example(app: &lab_kit::App) {
    /// let host = app.address().to_string();
    /// # }
    /// ```
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on.
    ///
    /// ```
    /// # fn example(app: &lab_kit::App) {
    /// assert_ne!(app.port(), 0);
    /// # }
    /// ```
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The lines it wrote so far, from standard output and standard error.
    ///
    /// ```
    /// # fn example(app: &lab_kit::App) {
    /// let leaked = app.log().iter().any(|line| line.contains("secret"));
    /// # }
    /// ```
    pub fn log(&self) -> Vec<String> {
        match &self.origin {
            Origin::Launched(launched) => launched.process.log.lines(),
            Origin::Attached => Vec::new(),
        }
    }

    /// The lines it wrote so far to standard output alone, without those on standard error.
    ///
    /// ```
    /// # fn example(app: &lab_kit::App) {
    /// let json = app.output().iter().all(|line| line.starts_with('{'));
    /// # }
    /// ```
    pub fn output(&self) -> Vec<String> {
        match &self.origin {
            Origin::Launched(launched) => launched.process.log.lines_of(Stream::Output),
            Origin::Attached => Vec::new(),
        }
    }

    /// Its process id.
    ///
    /// ```
    /// # fn example(app: &lab_kit::App) -> lab_kit::CheckResult<()> {
    /// let id = app.process_id()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Not applicable, if it was not started by the grader.
    pub fn process_id(&self) -> CheckResult<u32> {
        match &self.origin {
            Origin::Launched(launched) => Ok(launched.process.id()),
            Origin::Attached => Err(not_ours()),
        }
    }

    /// Waits until it answers its readiness request; for a server started `without_waiting`.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let mut app = lab.server().without_waiting().start().await?;
    /// app.ready(Duration::from_secs(10)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it ends, or is not ready when `within` is over.
    pub async fn ready(&mut self, within: Duration) -> CheckResult {
        match &mut self.origin {
            Origin::Launched(launched) => {
                ready::wait(&mut launched.process, self.address, &launched.readiness, within).await
            }
            Origin::Attached => Ok(()),
        }
    }

    /// Ends it as an operator does, with SIGTERM and after five seconds SIGKILL, and starts it anew on the same
    /// data and another port.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let mut app = lab.start().await?;
    /// app.restart().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it does not become ready again; not applicable with `--url`.
    pub async fn restart(&mut self) -> CheckResult {
        let Origin::Launched(launched) = &mut self.origin else { return Err(not_ours()) };
        let Launched { process, spec, readiness, limit } = &mut **launched;
        spec.transcript.mark("restarting the server", Mark::Signalled { port: self.address.port() });
        process.signal(Signal::TERM)?;
        process.wait(Duration::from_secs(5)).await?;
        process.kill().await?;
        let (address, fresh) = begin(spec, Some((readiness, *limit))).await?;
        *process = fresh;
        self.address = address;
        Ok(())
    }

    /// Sends SIGTERM.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &mut App) -> CheckResult<()> {
    /// app.terminate()?;
    /// expect_equal("the exit code", &app.exited(Duration::from_secs(10)).await?.code, &Some(0))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Not applicable with `--url`.
    pub fn terminate(&mut self) -> CheckResult {
        self.signal(Signal::TERM, "SIGTERM")
    }

    /// Sends SIGINT, as Ctrl-C does.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &mut App) -> CheckResult<()> {
    /// app.interrupt()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Not applicable with `--url`.
    pub fn interrupt(&mut self) -> CheckResult {
        self.signal(Signal::INT, "SIGINT")
    }

    /// Kills its process group with SIGKILL and waits until it is gone.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &mut App) -> CheckResult<()> {
    /// app.kill().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Not applicable with `--url`.
    pub async fn kill(&mut self) -> CheckResult {
        let Origin::Launched(launched) = &mut self.origin else { return Err(not_ours()) };
        let Launched { process, spec, .. } = &mut **launched;
        spec.transcript.mark("killing the server with SIGKILL", Mark::Signalled { port: self.address.port() });
        process.kill().await
    }

    /// Waits for its end.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &mut App) -> CheckResult<()> {
    /// let exit = app.exited(Duration::from_secs(10)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it still runs when `within` is over; not applicable with `--url`.
    pub async fn exited(&mut self, within: Duration) -> CheckResult<Exit> {
        let Origin::Launched(launched) = &mut self.origin else { return Err(not_ours()) };
        let process = &mut launched.process;
        let ended = process.wait(within).await?;
        if process.never_was() {
            return Err(process.not_made());
        }
        process.asked_to_end();
        ended.ok_or_else(|| {
            Failure::learner(format!("the server is still running after {within:?}"))
                .expected("the process ends")
                .by_time()
        })
    }

    /// Waits for its end, however long that takes.
    pub(crate) async fn ended(&mut self) -> CheckResult<Exit> {
        loop {
            let Origin::Launched(launched) = &mut self.origin else { return Err(not_ours()) };
            let process = &mut launched.process;
            if let Some(exit) = process.wait(Duration::from_secs(60)).await? {
                return Ok(exit);
            }
        }
    }

    /// Whether its process still runs. A server that was not started by the grader is taken to run.
    ///
    /// ```
    /// # fn example(app: &mut lab_kit::App) {
    /// assert!(app.is_running());
    /// # }
    /// ```
    pub fn is_running(&mut self) -> bool {
        match &mut self.origin {
            Origin::Launched(launched) => launched.process.ended().is_none(),
            Origin::Attached => true,
        }
    }

    fn signal(&mut self, signal: Signal, name: &str) -> CheckResult {
        let Origin::Launched(launched) = &mut self.origin else { return Err(not_ours()) };
        let Launched { process, spec, .. } = &mut **launched;
        spec.transcript.mark(format!("sent {name} to the server"), Mark::Signalled { port: self.address.port() });
        process.signal(signal)
    }

    fn peer(&self) -> Peer {
        Peer {
            address: self.address,
            network: self.network(),
            agent: self.agent,
            transcript: self.transcript.clone(),
            by_hand: self.by_hand.written(),
        }
    }

    /// The client that requests to it are of, as `User-Agent` names it.
    ///
    /// ```
    /// # async fn example(app: &lab_kit::App) -> lab_kit::CheckResult<()> {
    /// app.get("/agent").await?.expect_body(app.agent())?;
    /// # Ok(()) }
    /// ```
    pub fn agent(&self) -> &'static str {
        self.agent
    }

    /// The network that it is in: this machine's, unless servers are isolated.
    ///
    /// ```
    /// # fn example(app: &lab_kit::App) {
    /// let isolated = app.network().is_alone();
    /// # }
    /// ```
    pub fn network(&self) -> Network {
        match &self.origin {
            Origin::Launched(launched) => launched.spec.network.clone(),
            Origin::Attached => Network::of_this_machine(),
        }
    }
}

/// Starts the process on a free port and waits until it is ready, if that is wanted.
async fn begin(spec: &LaunchSpec, waits: Option<(&Readiness, Duration)>) -> CheckResult<(SocketAddr, Process)> {
    let mut tries = PORT_TRIES;
    loop {
        tries -= 1;
        let port = match spec.port {
            Some(port) if port::is_free(port) => port,
            _ => port::free()?,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        spec.keeper.starting(spec, port);
        let mut process = Process::start(spec, port)?;
        let Some((readiness, limit)) = waits else { return Ok((address, process)) };
        match ready::wait(&mut process, address, readiness, limit).await {
            Ok(()) => return Ok((address, process)),
            // It ended and somebody else holds the port: it lost a race that is none of its making.
            Err(_) if tries > 0 && process.ended().is_some() && !port::is_free(port) => process.asked_to_end(),
            Err(failure) => {
                process.asked_to_end();
                return Err(failure);
            }
        }
    }
}

/// A suite's author asks for what the manifest does not have.
fn no_server() -> Failure {
    Failure::Ours("the check starts a server, but its lab.toml has no `[server]`".into())
}

fn not_ours() -> Failure {
    Failure::not_applicable("it stops or signals the server, which --url does not allow")
}
