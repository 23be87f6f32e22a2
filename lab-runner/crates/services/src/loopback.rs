//! Whether this machine can reach itself: everything here speaks on 127.0.0.1, and without it waits in vain.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use crate::error::ProviderError;

/// How long a connection to ourselves may take, which is a matter of microseconds.
const LIMIT: Duration = Duration::from_secs(1);

/// Connects to a port of this machine's own.
///
/// # Errors
/// It cannot: its loopback interface is down, or a sandbox allows no network at all.
pub fn reach_loopback() -> Result<(), ProviderError> {
    let connected = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| TcpStream::connect_timeout(&listener.local_addr()?, LIMIT));
    connected.map(drop).map_err(|error| {
        ProviderError::new(format!("127.0.0.1 cannot be reached on this machine: {error}"))
            .hint("is the loopback interface down? `ip link set lo up` brings it up; a sandbox without any network has none")
            .specific()
    })
}
