//! One connection through the proxy: two lanes, one task, faults looked up before every byte that leaves.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::faults::{Faults, Link};
use super::lane::Lane;
use super::protocol::{Output, Protocol, Session};
use super::room;
use super::upstream::{Stream, Upstream, UpstreamStream};
use lab_check::transcript::Transcript;

/// How long the service may take to accept a connection. It stands on this machine or near it.
const CONNECT: Duration = Duration::from_secs(10);
/// The most that is read at once.
const CHUNK: usize = 16 * 1024;

/// What all connections of a proxy share.
pub(super) struct Context {
    pub service: Arc<str>,
    pub upstream: Upstream,
    pub protocol: Arc<dyn Protocol>,
    pub transcript: Transcript,
    /// Whether a connection was one too many, which is told once.
    pub turned_away: AtomicBool,
}

/// How a connection goes on.
#[derive(Clone, Copy)]
enum Next {
    /// It does.
    On,
    /// Both sides have said all they had to say.
    Close,
    /// A fault: the client sees a reset, not an orderly end.
    Reset,
}

/// Serves one client from its first byte to its last.
pub(super) async fn run(client: TcpStream, context: Arc<Context>, mut faults: watch::Receiver<Faults>) {
    let _ = client.set_nodelay(true);
    let made_after = faults.borrow_and_update().cuts;
    // A stopped service accepts and says nothing. Connecting to the real one now would start its clock.
    let open = faults.wait_for(|now| now.end(made_after) || now.link == Link::Open).await;
    let Ok(now) = open.map(|now| *now) else { return };
    if now.end(made_after) {
        return reset(&client);
    }
    let upstream = match timeout(CONNECT, context.upstream.connect()).await {
        Ok(Ok(upstream)) => upstream,
        Ok(Err(error)) => return unreachable(&context, &error.to_string()),
        Err(_) => return unreachable(&context, "no connection within 10 s"),
    };
    let mut session = context.protocol.session();
    let mut to_server = Lane::default();
    to_server.push(session.greeting(), Instant::now());
    let relay = Relay {
        client,
        upstream,
        session,
        faults,
        made_after,
        to_server,
        to_client: Lane::default(),
        ending: None,
        delayed: false,
    };
    relay.run().await;
}

fn unreachable(context: &Context, reason: &str) {
    context.transcript.note(format!("{}: the grader's own connection to it failed: {reason}", context.service));
    context.protocol.unreachable(reason);
}

/// Ends the connection of `client` at once: the server holds more of them than there is room for.
pub(super) fn turn_away(client: &TcpStream, context: &Context) {
    reset(client);
    if !context.turned_away.swap(true, Ordering::Relaxed) {
        let most = room::most();
        context.transcript.note(format!("{}: {most} connections are open, and more are not accepted", context.service));
    }
}

/// Has the socket's end reach the client as a reset, not as an orderly end.
fn reset(client: &TcpStream) {
    let _ = client.set_zero_linger();
}

struct Relay {
    client: TcpStream,
    upstream: UpstreamStream,
    session: Box<dyn Session>,
    faults: watch::Receiver<Faults>,
    made_after: u64,
    to_server: Lane,
    to_client: Lane,
    /// How it is to end, once what it holds is delivered. Nothing more is read.
    ending: Option<Next>,
    delayed: bool,
}

impl Relay {
    async fn run(mut self) {
        let mut buffer = vec![0; CHUNK];
        loop {
            match self.step(&mut buffer).await {
                Ok(Next::On) => {}
                Ok(Next::Close) => return,
                Ok(Next::Reset) => return reset(&self.client),
                // One side is gone, and so the other is let go.
                Err(_) => return,
            }
        }
    }

    async fn step(&mut self, buffer: &mut [u8]) -> io::Result<Next> {
        let now = *self.faults.borrow_and_update();
        if now.end(self.made_after) {
            return Ok(Next::Reset);
        }
        if let Some(end) = self.ending
            && self.to_server.is_empty()
            && self.to_client.is_empty()
        {
            return Ok(end);
        }
        self.notice_delay(now.delay);
        let flows = now.flow(self.made_after);
        if flows && self.to_server.take_end() {
            self.upstream.finish_writing()?;
        }
        if flows && self.to_client.is_finished() && self.to_client.is_empty() {
            return Ok(Next::Close);
        }
        let reading = self.ending.is_none();
        tokio::select! {
            biased;
            changed = self.faults.changed() => if changed.is_err() { return Ok(Next::Close) },
            writable = ready(&self.upstream, &self.to_server), if flows && !self.to_server.is_empty() => {
                let sent = writable
                    .and_then(|()| deliver(&self.faults, self.made_after, &self.upstream, &mut self.to_server));
                if sent.is_err() {
                    // The service has hung up. Its last words may still be under way, and they say why.
                    self.to_server.abandon();
                }
            }
            writable = ready(&self.client, &self.to_client), if flows && !self.to_client.is_empty() => {
                writable?;
                deliver(&self.faults, self.made_after, &self.client, &mut self.to_client)?;
            }
            readable = self.client.until_readable(),
                if reading && !self.to_server.is_finished() && self.to_server.has_room() =>
            {
                readable?;
                self.read_client(buffer)?;
            }
            readable = self.upstream.until_readable(),
                if reading && !self.to_client.is_finished() && self.to_client.has_room() =>
            {
                readable?;
                self.read_server(buffer)?;
            }
        }
        Ok(Next::On)
    }

    fn read_client(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        match not_yet(self.client.read_now(buffer))? {
            None => {}
            Some(0) => self.to_server.finish(),
            Some(count) => {
                let mut output = Output::default();
                self.session.client(&buffer[..count], &mut output);
                self.take(output);
            }
        }
        Ok(())
    }

    fn read_server(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        match not_yet(self.upstream.read_now(buffer))? {
            None => {}
            Some(0) => self.to_client.finish(),
            Some(count) => {
                let mut output = Output::default();
                self.session.server(&buffer[..count], &mut output);
                self.take(output);
            }
        }
        Ok(())
    }

    fn take(&mut self, output: Output) {
        let now = Instant::now();
        let late = now + self.faults.borrow().delay;
        self.to_server.push(output.to_server, now);
        self.to_client.push(output.to_client, late);
        match (output.end, output.close) {
            (true, _) => self.ending = Some(Next::Reset),
            (false, true) => self.ending = Some(Next::Close),
            (false, false) => {}
        }
    }

    /// What is under way comes at once when a delay ends.
    fn notice_delay(&mut self, delay: Duration) {
        if self.delayed && delay.is_zero() {
            self.to_client.hurry(Instant::now());
        }
        self.delayed = !delay.is_zero();
    }
}

/// Waits until the first bytes of `lane` are due and `stream` takes some.
async fn ready(stream: &impl Stream, lane: &Lane) -> io::Result<()> {
    // A timer rounds up to its next millisecond even where the moment is over: that would slow down every message.
    if let Some(due) = lane.due()
        && due > Instant::now()
    {
        sleep_until(due).await;
    }
    stream.until_writable().await
}

/// Writes while holding the faults: once `cut` or `stop` has returned, not one byte leaves any more.
fn deliver(faults: &watch::Receiver<Faults>, made_after: u64, stream: &impl Stream, lane: &mut Lane) -> io::Result<()> {
    let now = faults.borrow();
    if now.flow(made_after)
        && let Some(count) = not_yet(stream.write_now(lane.front()))?
    {
        lane.sent(count);
    }
    Ok(())
}

/// "Would block" as nothing: readiness may be stale.
fn not_yet(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}
