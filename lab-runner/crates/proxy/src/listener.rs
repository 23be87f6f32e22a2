//! Accepts connections, on a port that can be closed and opened again without being lost.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::connection::{self, Context};
use super::faults::Faults;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long to wait when no connection can be accepted, which is when this process is out of file descriptors.
const BREATH: Duration = Duration::from_millis(10);

/// How the port changes.
pub(super) enum Change {
    /// It is closed; the socket keeps it from being given to anyone else.
    Refuse(TcpSocket),
    /// It is opened again.
    Listen(TcpListener),
}

/// A listener whose port a second socket of ours may hold while nobody listens.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    reserve(address)?.listen(BACKLOG)
}

/// Holds a port without listening on it: connections are refused.
pub(super) fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Lets a second socket bind the port, but only one of ours: nobody else can take it away.
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Serves until the proxy is dropped. The tasks of all connections end with this one.
pub(super) async fn run(
    listener: TcpListener,
    mut changes: mpsc::UnboundedReceiver<Change>,
    faults: watch::Receiver<Faults>,
    context: Arc<Context>,
) {
    let mut listener = Some(listener);
    let mut reserved = None;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Some(Change::Refuse(socket)) => {
                    reserved = Some(socket);
                    listener = None;
                }
                Some(Change::Listen(opened)) => {
                    listener = Some(opened);
                    reserved = None;
                }
                None => break,
            },
            accepted = accept(listener.as_ref()) => match accepted {
                Ok(client) => {
                    connections.spawn(connection::run(client, Arc::clone(&context), faults.clone()));
                }
                Err(_) => tokio::time::sleep(BREATH).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(reserved);
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<tokio::net::TcpStream> {
    match listener {
        Some(listener) => Ok(listener.accept().await?.0),
        None => std::future::pending().await,
    }
}
