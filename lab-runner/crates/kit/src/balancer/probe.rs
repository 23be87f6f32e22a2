//! Asks an instance again and again whether it is ready.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use super::Shared;
use lab_check::network::connect;
use lab_sandbox::Network;

/// From one answer to the next question.
pub(super) const PAUSE: Duration = Duration::from_millis(20);
/// An instance that says nothing for this long is not ready.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Goes on until its task is ended.
pub(super) async fn watch(shared: Arc<Shared>, address: SocketAddr) {
    loop {
        let ready = timeout(TIMEOUT, ask(&shared.network, address, &shared.probe)).await;
        shared.learned(address, matches!(ready, Ok(Ok(true))));
        sleep(PAUSE).await;
    }
}

async fn ask(network: &Network, address: SocketAddr, path: &str) -> std::io::Result<bool> {
    let mut stream = connect(network, address).await?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4_096).read_to_end(&mut answer).await?;
    let mut words = answer.split(|byte| *byte == b' ');
    Ok(words.next().is_some_and(|version| version.starts_with(b"HTTP/1.")) && words.next() == Some(b"200"))
}
