//! The attacker's web server, which gives out a key of theirs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lab_kit::prelude::*;
use lab_kit::proxy::Proxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// It runs until it is dropped.
pub struct KeyServer {
    // An isolated server reaches no other port of this machine.
    proxy: Proxy,
    asked: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl KeyServer {
    /// A server that answers every request with `body`.
    pub async fn start(lab: &Lab, body: &str) -> CheckResult<Self> {
        let listener =
            TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.ours("playing a server of keys")?;
        let address = listener.local_addr().ours("playing a server of keys")?;
        let asked = Arc::new(AtomicBool::new(false));
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let task = tokio::spawn(serve(listener, answer, Arc::clone(&asked)));
        Ok(Self { proxy: lab.proxy("the attacker's server", address)?, asked, task })
    }

    /// Where it has a file of this name.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.proxy.address())
    }

    /// Whether anybody has asked it for anything.
    pub fn was_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, answer: String, asked: Arc<AtomicBool>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        asked.store(true, Ordering::SeqCst);
        // The request fits into one read, and whoever leaves early has had their answer.
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}
