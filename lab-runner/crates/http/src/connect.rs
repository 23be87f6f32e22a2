//! Connecting to a server whose queue of new connections is full, and from an address of one's choice.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use lab_check::network::socket;
use lab_sandbox::Network;
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// How long the first try lasts; each later one lasts twice as long.
const FIRST_TRY: Duration = Duration::from_millis(100);

/// Connects, trying again until `until`. A listener drops what finds its queue full (Python's standard servers have
/// room for 5), and the system by itself asks again only after 1, 3 and 7 seconds: longer than there is no room.
pub(super) async fn connect_with_retry(
    network: &Network,
    source: Option<IpAddr>,
    address: SocketAddr,
    until: Instant,
) -> Result<io::Result<TcpStream>, Elapsed> {
    let mut lasts = FIRST_TRY;
    loop {
        let end = until.min(Instant::now() + lasts);
        match timeout_at(end, connect(network, source, address)).await {
            Err(_) if end < until => lasts *= 2,
            done => return done,
        }
    }
}

async fn connect(network: &Network, source: Option<IpAddr>, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket(network, address)?;
    if let Some(source) = source {
        socket.bind(SocketAddr::from((source, 0)))?;
    }
    socket.connect(address).await
}
