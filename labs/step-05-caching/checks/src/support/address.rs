//! Attempts from another address of this machine: all of 127.0.0.0/8 is its own, where the system gives it.

use std::net::{Ipv4Addr, SocketAddr};

use lab_kit::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The status of `POST /sessions` from `source`, with a card that nobody has. `None` where this machine has no such
/// address, as with macOS.
pub async fn attempt_from(lab: &Lab, app: &App, source: Ipv4Addr) -> CheckResult<Option<u16>> {
    let socket = app.socket()?;
    if socket.bind(SocketAddr::from((source, 0))).is_err() {
        return Ok(None);
    }
    let body = json!({ "card": lab.word() }).to_string();
    let head = format!(
        "POST /sessions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        app.address(),
        body.len()
    );
    let ask = async {
        let mut stream = socket.connect(app.address()).await?;
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(65_536).read_to_end(&mut answer).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    // never fails alone: `rate_limit` fails a server that answers no attempt
    let unanswered = |why: String| Failure::learner(format!("POST /sessions from {source} has no answer: {why}"));
    let answer = match tokio::time::timeout(PATIENCE, ask).await {
        Ok(answer) => answer.map_err(|error| unanswered(error.to_string()))?,
        Err(_) => return Err(unanswered(format!("none within {} s", PATIENCE.as_secs())).by_time()),
    };
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.map(Some).ok_or_else(|| unanswered("what came is no HTTP".into()).actual(answer))
}
