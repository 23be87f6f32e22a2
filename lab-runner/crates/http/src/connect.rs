//! Connecting to a server whose queue of new connections is full.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lab_check::network::connect;
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
    address: SocketAddr,
    until: Instant,
) -> Result<io::Result<TcpStream>, Elapsed> {
    let mut lasts = FIRST_TRY;
    loop {
        let end = until.min(Instant::now() + lasts);
        match timeout_at(end, connect(network, address)).await {
            Err(_) if end < until => lasts *= 2,
            done => return done,
        }
    }
}
