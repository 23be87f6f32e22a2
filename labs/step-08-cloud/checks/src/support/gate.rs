//! A way to the database that lets a server read and go on, until it writes a new row: that and all behind it waits.

use std::net::SocketAddr;
use std::sync::Arc;

use lab_kit::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// How the gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Everything passes.
    Open,
    /// Everything passes up to the next new row.
    Waiting,
    /// Nothing passes from the server to the database.
    Shut,
}

/// The gate, which ends when it is dropped.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    task: AbortHandle,
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
        let state = Arc::new(watch::channel(State::Open).0);
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, upstream, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, state, task: task.abort_handle() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shuts at the next `insert` that somebody sends. A driver sends the text of a statement once for each connection.
    pub fn shut_at_insert(&self) {
        self.state.send_replace(State::Waiting);
    }

    /// Shuts now.
    pub fn shut(&self) {
        self.state.send_replace(State::Shut);
    }

    /// Lets everything through, also what has waited.
    pub fn open(&self) {
        self.state.send_replace(State::Open);
    }

    /// Whether it is shut.
    pub fn is_shut(&self) -> bool {
        *self.state.borrow() == State::Shut
    }
}

async fn forward(client: TcpStream, upstream: SocketAddr, state: Arc<watch::Sender<State>>) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    let mut watched = state.subscribe();
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        let bytes = &buffer[..count];
        let inserts = bytes.windows(11).any(|part| part.eq_ignore_ascii_case(b"insert into"));
        state.send_if_modified(|state| {
            let shuts = *state == State::Waiting && inserts;
            if shuts {
                *state = State::Shut;
            }
            shuts
        });
        if watched.wait_for(|state| *state != State::Shut).await.is_err() || to_server.write_all(bytes).await.is_err() {
            break;
        }
    }
    back.abort();
}
