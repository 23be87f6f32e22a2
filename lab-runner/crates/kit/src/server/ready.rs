//! Waits until a server answers its readiness request, and says what is wrong when it does not.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use super::diagnose;
use super::process::Process;
use lab_check::network::connect;
use lab_check::transcript::show_bytes;
use lab_check::{CheckResult, Failure};
use lab_protocol::Readiness;
use lab_sandbox::Network;

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// One answer to the readiness request may take this long before it is asked again.
const ONE_TRY: Duration = Duration::from_secs(2);

/// What one readiness request came to.
#[derive(Debug)]
pub(super) enum Probe {
    /// The status that means ready.
    Ready,
    /// Nothing listens on the port.
    Refused,
    /// A connection, but no HTTP answer in time.
    Silent,
    /// A connection that was closed without an answer.
    Closed,
    /// An answer that means not ready: its first line.
    Answered(String),
    /// Bytes that are no answer: what is wrong with them, as a sentence.
    Malformed(String),
}

/// Waits until `readiness` is answered on `address`, for `within` at most.
pub(super) async fn wait(
    process: &mut Process,
    address: SocketAddr,
    readiness: &Readiness,
    within: Duration,
) -> CheckResult {
    let deadline = Instant::now() + within;
    let mut pause = FIRST_PAUSE;
    let mut last = Probe::Silent;
    loop {
        if let Some(exit) = process.ended() {
            process.drain_log().await;
            if process.engine_failed(exit).await {
                let said = process.log.lines().join(" / ");
                return Err(Failure::Ours(format!("the container engine could not start a container: {said}")));
            }
            if process.never_was() {
                return Err(process.not_made());
            }
            let failure = Failure::learner(format!("the server exited before it was ready: {exit}"));
            return Err(failure.expected(expectation(readiness)));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(ONE_TRY.min(left), probe(process.network(), address, readiness)).await {
            Ok(Probe::Ready) => {
                process.is_ready(address.port());
                return Ok(());
            }
            Ok(probe) => last = probe,
            // What the deadline cut short says less than what came before.
            Err(_) if left < ONE_TRY => {}
            Err(_) => last = Probe::Silent,
        }
        if Instant::now() + pause >= deadline {
            return Err(diagnose::not_ready(process.group(), address, within, &last).expected(expectation(readiness)));
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn expectation(readiness: &Readiness) -> String {
    format!("`GET {}` on the port in PORT returns status {}", readiness.path, readiness.status)
}

async fn probe(network: &Network, address: SocketAddr, readiness: &Readiness) -> Probe {
    let Ok(mut stream) = connect(network, address).await else { return Probe::Refused };
    let head = format!("GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n", readiness.path);
    if stream.write_all(head.as_bytes()).await.is_err() {
        return Probe::Closed;
    }
    let mut answer = Vec::new();
    let mut chunk = [0; 512];
    while !answer.contains(&b'\n') && answer.len() < 4_096 {
        match stream.read(&mut chunk).await {
            Ok(count @ 1..) => answer.extend_from_slice(&chunk[..count]),
            Ok(0) | Err(_) => break,
        }
    }
    if answer.is_empty() {
        return Probe::Closed;
    }
    if status(&answer) == Some(readiness.status) {
        // A server that is reset in the middle of its answer may write an error that frightens the learner.
        let _ = timeout(Duration::from_millis(200), stream.read_to_end(&mut answer)).await;
        return Probe::Ready;
    }
    match lab_http::wrong_beginning(&answer) {
        Some(wrong) => Probe::Malformed(wrong),
        None => {
            Probe::Answered(show_bytes(&answer).lines().next().unwrap_or_default().trim_end_matches("\\r").to_owned())
        }
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&byte| byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}
