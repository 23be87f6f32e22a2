//! A way to the database that reads along what a server says there, by Postgres's protocol, and holds it up from a statement
//! on: that and all behind it waits (PostgreSQL manual, 55.7 Message Formats).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lab_kit::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A longer message is none of a driver's.
const LONGEST: usize = 64 << 20;

/// How the gate stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Everything passes.
    Open,
    /// Everything passes up to the next time that this statement is to be run.
    Waiting(String),
    /// Nothing passes from the server to the database.
    Shut,
}

/// The gate, which ends when it is dropped.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    inner: Arc<Inner>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Inner {
    state: watch::Sender<State>,
    /// The statements that were run, in the order in which they first were, and how often.
    seen: Mutex<Vec<(String, usize)>>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gate {
    /// An open one before `upstream`.
    pub async fn before(upstream: SocketAddr) -> CheckResult<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.ours("opening a port for a gate")?;
        let address = listener.local_addr().ours("opening a port for a gate")?;
        let inner = Arc::new(Inner { state: watch::channel(State::Open).0, seen: Mutex::default() });
        let shared = Arc::clone(&inner);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, upstream, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, inner, task: task.abort_handle() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shuts the next time that `statement` is to be run.
    pub fn shut_at(&self, statement: &str) {
        self.inner.state.send_replace(State::Waiting(statement.to_owned()));
    }

    /// Shuts now.
    pub fn shut(&self) {
        self.inner.state.send_replace(State::Shut);
    }

    /// Lets everything through, also what has waited.
    pub fn open(&self) {
        self.inner.state.send_replace(State::Open);
    }

    /// Whether it is shut.
    pub fn is_shut(&self) -> bool {
        *self.inner.state.borrow() == State::Shut
    }

    /// Counts anew.
    pub fn forget(&self) {
        self.inner.seen().clear();
    }

    /// The statements that were run since it counts, in the order in which they first were, and how often.
    pub fn statements(&self) -> Vec<(String, usize)> {
        self.inner.seen().clone()
    }

    /// How many statements were run since it counts.
    pub fn count(&self) -> usize {
        self.inner.seen().iter().map(|(_, count)| count).sum()
    }
}

impl Inner {
    fn seen(&self) -> MutexGuard<'_, Vec<(String, usize)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A statement is to be run.
    fn meet(&self, statement: &str) {
        let mut seen = self.seen();
        match seen.iter_mut().find(|(known, _)| known == statement) {
            Some((_, count)) => *count += 1,
            None => seen.push((statement.to_owned(), 1)),
        }
        self.state.send_if_modified(|state| {
            let shuts = matches!(state, State::Waiting(awaited) if awaited == statement);
            if shuts {
                *state = State::Shut;
            }
            shuts
        });
    }
}

async fn forward(client: TcpStream, upstream: SocketAddr, inner: Arc<Inner>) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    // A message is written when it is there.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    let mut watched = inner.state.subscribe();
    let (mut prepared, mut begun) = (HashMap::new(), false);
    while let Ok(message) = next(&mut from_client, begun).await {
        if begun {
            if let Some(statement) = run_by(&message, &mut prepared) {
                inner.meet(&statement);
            }
        } else {
            // What comes before, asks for encryption, which the database of a check has not.
            begun = message.get(4..6) == Some(&[0, 3]);
        }
        if watched.wait_for(|state| *state != State::Shut).await.is_err()
            || to_server.write_all(&message).await.is_err()
        {
            break;
        }
    }
    back.abort();
}

/// The next message. The first one of a connection has no letter.
async fn next(client: &mut OwnedReadHalf, has_letter: bool) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; if has_letter { 5 } else { 4 }];
    client.read_exact(&mut message).await?;
    let length = message.last_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length)) as usize;
    if !(4..LONGEST).contains(&length) {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let start = message.len();
    message.resize(start + length - 4, 0);
    client.read_exact(&mut message[start..]).await?;
    Ok(message)
}

/// The statement that a message has the database run: `Query` has its text, and `Bind` the name by which `Parse` has
/// prepared it.
fn run_by(message: &[u8], prepared: &mut HashMap<Vec<u8>, String>) -> Option<String> {
    let (letter, mut texts) = (message[0], message[5..].split(|byte| *byte == 0));
    let (first, second) = (texts.next()?, texts.next().unwrap_or_default());
    match letter {
        b'Q' => Some(shape(first)),
        b'P' => {
            prepared.insert(first.to_vec(), shape(second));
            None
        }
        b'B' => prepared.get(second).cloned(),
        _ => None,
    }
}

/// A statement without what differs from one time to the next: its numbers, its quoted texts, its spaces.
fn shape(statement: &[u8]) -> String {
    let (mut shape, mut quoted) = (String::new(), false);
    for character in String::from_utf8_lossy(statement).chars() {
        match character {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '0'..='9' if shape.ends_with('#') => {}
            '0'..='9' => shape.push('#'),
            _ if character.is_whitespace() && shape.ends_with(' ') => {}
            _ if character.is_whitespace() => shape.push(' '),
            _ => shape.extend(character.to_lowercase()),
        }
    }
    shape.trim().to_owned()
}
