//! Free ports for servers, outside the range from which the system takes ports for outgoing connections.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use lab_check::{CheckResult, Failure};

/// Below Linux's and macOS's ephemeral ranges: a burst of connections cannot take a port between our look and
/// the server's bind.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that was free a moment ago and that no other check of this run is given.
pub(super) fn free() -> CheckResult<u16> {
    // Two runs side by side start their search at different places.
    let offset = (std::process::id() % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + ((u32::from(offset) * 97 + u32::from(step)) % u32::from(COUNT)) as u16;
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(Failure::Ours("no free port between 20000 and 32000".into()))
}

/// Whether somebody could listen on `port` now.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
