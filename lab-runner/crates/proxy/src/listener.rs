//! Accepts connections, on a port that can be closed and opened again without being lost.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use lab_sandbox::Network;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::connection::{self, Context};
use super::faults::Faults;
use super::room;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long to wait when no connection can be accepted, which is when this process is out of file descriptors.
const BREATH: Duration = Duration::from_millis(10);

/// How the port changes.
pub(super) enum Change {
    /// It is closed; the sockets keep it from being given to anyone else.
    Refuse(Vec<TcpSocket>),
    /// It is opened again, in each network.
    Listen(Vec<TcpListener>),
    /// It is opened in one network more.
    Also(TcpListener),
}

/// A listener whose port a second socket of ours may hold while nobody listens.
pub(super) fn bind(network: &Network, address: SocketAddr) -> io::Result<TcpListener> {
    reserve(network, address)?.listen(BACKLOG)
}

/// Holds a port without listening on it: connections are refused.
pub(super) fn reserve(network: &Network, address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = lab_check::network::socket(network, address)?;
    // Lets a second socket bind the port, but only one of ours: nobody else can take it away.
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Serves until the proxy is dropped. The tasks of all connections end with this one.
pub(super) async fn run(
    first: TcpListener,
    mut changes: mpsc::UnboundedReceiver<Change>,
    faults: watch::Receiver<Faults>,
    context: Arc<Context>,
) {
    let mut listeners = vec![first];
    let mut reserved = Vec::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Some(Change::Refuse(sockets)) => {
                    reserved = sockets;
                    listeners.clear();
                }
                Some(Change::Listen(opened)) => {
                    listeners = opened;
                    reserved.clear();
                }
                Some(Change::Also(opened)) => listeners.push(opened),
                None => break,
            },
            accepted = accept(&listeners) => match accepted {
                Ok(client) => match room::take() {
                    Some(place) => {
                        let connection = connection::run(client, Arc::clone(&context), faults.clone());
                        connections.spawn(async move {
                            connection.await;
                            drop(place);
                        });
                    }
                    None => connection::turn_away(&client, &context),
                },
                Err(_) => tokio::time::sleep(BREATH).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(reserved);
}

/// The next connection to any of `listeners`.
async fn accept(listeners: &[TcpListener]) -> io::Result<TcpStream> {
    poll_fn(|context| {
        let next = listeners.iter().map(|listener| listener.poll_accept(context)).find(Poll::is_ready);
        next.map_or(Poll::Pending, |ready| ready.map_ok(|(client, _)| client))
    })
    .await
}
