//! A service's program as a process of one check's own: in a folder that goes with the check, as a user who may do nothing
//! else where we are root, killed, stopped and started again as the check likes. Drivers use it where the program is on
//! this machine; the runner starts the services that a run shares by itself.

mod folder;
mod platform;
mod process;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

pub use folder::Folder;
pub use lab_process::Signal;
pub use process::{Instance, Program};

/// `count` different ports of 127.0.0.1 that nobody listens on at the moment.
///
/// # Errors
/// The system has none, or this process has too many files open.
pub fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    // All are held until the last is chosen, or one could be chosen twice.
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind(any)).collect::<io::Result<_>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
