//! The socket to the runner: one line of configuration in, events out, and its end means that nobody listens. What the
//! runner says later answers what the suite has asked.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream as StdUnixStream;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::replacements::Replacements;
use lab_protocol::{Envelope, Event, RunClock, SuiteConfig, TranscriptEntry};

/// How many lines are written together at most.
const MOST_TOGETHER: usize = 64;

/// Sends events. Clones send on the same channel.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    nonce: String,
    clock: RunClock,
    queue: UnboundedSender<String>,
}

impl Events {
    /// Queues `event`; a runner that is gone is noticed elsewhere.
    pub fn send(&self, mut event: Event) {
        if let Event::CheckFinished(report) = &mut event {
            report.transcript.clear();
        }
        let check = event.check().map(str::to_owned);
        self.queue(Envelope { nonce: self.nonce.clone(), at: self.clock.now(), check, event });
    }

    /// Queues what has just happened in `check`.
    pub fn send_transcript(&self, check: &str, entry: &TranscriptEntry) {
        let event = Event::Transcript { entry: entry.clone() };
        let at = self.clock.at(entry.at_us);
        self.queue(Envelope { nonce: self.nonce.clone(), at, check: Some(check.to_owned()), event });
    }

    fn queue(&self, envelope: Envelope) {
        if let Ok(mut line) = serde_json::to_string(&envelope) {
            line.push('\n');
            let _ = self.queue.send(line);
        }
    }
}

/// Both directions of the channel.
pub(super) struct Channel {
    pub config: SuiteConfig,
    pub clock: RunClock,
    pub events: Events,
    pub replacements: Replacements,
    pub hangup: Hangup,
    pub writer: JoinHandle<()>,
}

/// Tells when the runner is gone.
pub(super) struct Hangup {
    reader: BufReader<OwnedReadHalf>,
    replacements: Replacements,
}

impl Hangup {
    /// Returns once the runner has closed its end or died. What it says until then is passed on.
    pub async fn wait(&mut self) {
        let mut line = String::new();
        while matches!(self.reader.read_line(&mut line).await, Ok(1..)) {
            // A line that is not understood is a newer runner's.
            if let Ok(message) = serde_json::from_str(&line) {
                self.replacements.answer(message);
            }
            line.clear();
        }
    }
}

/// Takes standard input for the socket it is and reads the configuration from it.
pub(super) async fn open() -> io::Result<Channel> {
    let handle = io::stdin().as_fd().try_clone_to_owned()?;
    let socket = StdUnixStream::from(handle);
    socket.set_nonblocking(true)?;
    let (read, write) = UnixStream::from_std(socket)?.into_split();
    let mut reader = BufReader::new(read);
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    let config: SuiteConfig = serde_json::from_str(&line).map_err(io::Error::other)?;
    let clock = RunClock::continued_from(config.sent_at);
    let (queue, lines) = unbounded_channel();
    let writer = tokio::spawn(write_all(write, lines));
    let events = Events { nonce: config.nonce.clone(), clock, queue };
    let replacements = Replacements::new(events.clone());
    let hangup = Hangup { reader, replacements: replacements.clone() };
    Ok(Channel { config, clock, events, replacements, hangup, writer })
}

async fn write_all(mut socket: OwnedWriteHalf, mut lines: UnboundedReceiver<String>) {
    // What came while the last lines were written goes together: no line waits, and a busy suite writes rarely.
    let mut batch = Vec::new();
    while lines.recv_many(&mut batch, MOST_TOGETHER).await > 0 {
        if socket.write_all(batch.concat().as_bytes()).await.is_err() {
            return;
        }
        batch.clear();
    }
}
