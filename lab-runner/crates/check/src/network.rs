//! Sockets that reach a server, in whatever network it is.

use std::io;
use std::net::SocketAddr;

use lab_sandbox::Network;
use tokio::net::{TcpSocket, TcpStream};

/// A socket for a connection to or from `address`, in `network`.
///
/// # Errors
/// The process has too many files open, or the network has ended.
pub fn socket(network: &Network, address: SocketAddr) -> io::Result<TcpSocket> {
    match address {
        SocketAddr::V4(_) if network.is_alone() => Ok(TcpSocket::from_std_stream(network.socket()?.into())),
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }
}

/// Connects to `address` in `network`.
///
/// # Errors
/// Nobody listens there, or the system says why else not.
pub async fn connect(network: &Network, address: SocketAddr) -> io::Result<TcpStream> {
    socket(network, address)?.connect(address).await
}
