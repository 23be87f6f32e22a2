//! Why a server is not ready: the likeliest mistake, in a beginner's words.

use std::net::SocketAddr;
use std::time::Duration;

use super::ready::Probe;
use crate::platform::listening_ports;
use lab_check::Failure;

/// The failure of a server that runs but did not become ready in time. Nobody can look into a server without a group.
pub(super) fn not_ready(group: Option<u32>, address: SocketAddr, within: Duration, last: &Probe) -> Failure {
    let port = address.port();
    let message = format!("the server was not ready within {} s", within.as_secs_f32());
    let actual = match last {
        Probe::Ready => return Failure::learner(message).by_time(),
        Probe::Refused => match group.map(listening_ports).unwrap_or_default().as_slice() {
            [] if group.is_none() => {
                format!("it is running, but does not accept connections on {address}, which HOST and PORT name")
            }
            [] => format!("it is running, but does not listen on any port; PORT was {port}"),
            ports if ports.contains(&port) => {
                format!(
                    "it listens on port {port} by now, but {} was refused: it started too late, or does not listen on HOST",
                    address.ip()
                )
            }
            [other] => format!("it listens on port {other}, but PORT was {port}: read PORT from the environment"),
            others => format!("it listens on ports {others:?}, but not on {port}, as PORT says"),
        },
        Probe::Silent => format!("it accepts connections on port {port}, but sends no response"),
        Probe::Closed => format!("it accepts connections on port {port}, but closes them without a response"),
        Probe::Malformed(wrong) => format!("it answers on port {port}, but {wrong}"),
        Probe::Answered(line) => format!("it answers on port {port}, but with `{line}`"),
    };
    Failure::learner(message).actual(actual).by_time()
}
