//! Why a server is not ready: the likeliest mistake, in a beginner's words.

use std::net::SocketAddr;
use std::time::Duration;

use super::ready::Probe;
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
        Probe::Answered(line) => format!("it answers on port {port}, but with `{line}`"),
    };
    Failure::learner(message).actual(actual).by_time()
}

/// The TCP ports that the process group of `leader` listens on, as `/proc` tells; empty where there is none.
fn listening_ports(leader: u32) -> Vec<u16> {
    let sockets = sockets_of_group(leader);
    let mut ports: Vec<u16> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| table.lines().skip(1).filter_map(listening).collect::<Vec<_>>())
        .filter(|(inode, _)| sockets.contains(inode))
        .map(|(_, port)| port)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The inode and port of a line of `/proc/net/tcp` whose socket listens (state 0A; proc(5)).
fn listening(line: &str) -> Option<(u64, u16)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    if *fields.get(3)? != "0A" {
        return None;
    }
    let port = u16::from_str_radix(fields.get(1)?.rsplit(':').next()?, 16).ok()?;
    Some((fields.get(9)?.parse().ok()?, port))
}

fn sockets_of_group(leader: u32) -> Vec<u64> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|&process| group_of(process) == Some(leader))
        .flat_map(sockets_of)
        .collect()
}

/// The process group of `process`: the third field behind the name in `/proc/PID/stat`.
fn group_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit(')').next()?.split_ascii_whitespace().nth(2)?.parse().ok()
}

fn sockets_of(process: u32) -> Vec<u64> {
    let Ok(handles) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    handles
        .flatten()
        .filter_map(|handle| std::fs::read_link(handle.path()).ok())
        .filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .collect()
}
