//! Takes connections and gives each to one instance.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Shared;
use lab_check::network::connect;
use lab_sandbox::Network;

/// Serves until its task is ended, and all connections with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(forward(client, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Chooses an instance when the client's first bytes are there, not before: a connection that waits says nothing yet.
async fn forward(mut client: TcpStream, shared: Arc<Shared>) {
    let mut first = vec![0; 16 * 1024];
    let Ok(count @ 1..) = client.read(&mut first).await else { return };
    let Some((address, ready_at)) = shared.next() else {
        shared.failed("no instance was ready".to_owned());
        refuse(client, "503 Service Unavailable", "no instance is ready").await;
        return;
    };
    if let Err(problem) = exchange(&mut client, &first[..count], &shared.network, address).await {
        let port = address.port();
        let ago = Instant::now().duration_since(ready_at).as_millis();
        shared.failed(format!("the instance on port {port} {problem}; {ago} ms before that it had said it was ready"));
        refuse(client, "502 Bad Gateway", &format!("the instance {problem}")).await;
    }
}

/// Carries bytes both ways until the instance ends the connection, or the client does. An error means that the client
/// got nothing.
async fn exchange(client: &mut TcpStream, first: &[u8], network: &Network, address: SocketAddr) -> Result<(), String> {
    let mut instance = connect(network, address).await.map_err(|error| format!("refused the connection ({error})"))?;
    let silent = "closed the connection without a response";
    instance.write_all(first).await.map_err(|_| silent.to_owned())?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_instance, mut to_instance) = instance.split();
    let answer = async {
        let mut chunk = vec![0; 16 * 1024];
        match from_instance.read(&mut chunk).await {
            Ok(count @ 1..) => {
                if to_client.write_all(&chunk[..count]).await.is_ok() {
                    let _ = copy(&mut from_instance, &mut to_client).await;
                }
                Ok(())
            }
            Ok(0) => Err(silent.to_owned()),
            Err(error) => Err(format!("broke the connection before its response ({error})")),
        }
    };
    let request = async {
        // A client that has said all may still wait for its answer.
        let _ = copy(&mut from_client, &mut to_instance).await;
        let _ = to_instance.shutdown().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        answered = answer => answered,
        () = request => Ok(()),
    }
}

async fn refuse(mut client: TcpStream, status: &str, why: &str) {
    let body = format!("the load balancer: {why}\n");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = client.write_all(answer.as_bytes()).await;
    let _ = client.shutdown().await;
}
