//! The client against small servers that answer whatever a test wants.

mod bodies;
mod expectations;
mod framing;
mod partial;
mod pieces;
mod reproduce;
mod sending;
mod troubles;

use std::future::Future;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Connection, Peer, Request, Response};
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure};
use lab_protocol::Explanation;

/// A server that treats each connection as `serve` says.
async fn server<F, Fut>(serve: F) -> Peer
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    Peer {
        address,
        network: lab_sandbox::Network::default(),
        agent: "lab",
        transcript: Transcript::default(),
        by_hand: "cargo run".to_owned(),
    }
}

/// A server that reads a request's head, says `answer` and closes.
async fn answering(answer: impl AsRef<[u8]>) -> Peer {
    let answer = answer.as_ref().to_vec();
    server(move |mut stream| {
        let answer = answer.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(&answer).await.unwrap();
        }
    })
    .await
}

/// A server that reads a request's head, says `answer` and keeps the connection open.
async fn lingering(answer: &'static str) -> Peer {
    server(move |mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await
}

/// Reads up to the empty line that ends a head.
async fn read_head(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    head
}

/// What a GET on its own connection gets for `answer`.
async fn get(answer: impl AsRef<[u8]>) -> CheckResult<Response> {
    request(&answering(answer).await, "GET").await
}

fn request(peer: &Peer, method: &str) -> Request {
    Request::new(peer.clone(), method, "/")
}

async fn connect(peer: &Peer) -> Connection {
    Connection::open(peer.clone()).await.unwrap()
}

/// The explanation of what must be the learner's failure.
fn explained<T: std::fmt::Debug>(result: CheckResult<T>) -> Explanation {
    match result {
        Err(Failure::Learner(explanation)) => *explanation,
        other => panic!("expected a learner's failure, got {other:?}"),
    }
}

/// The message of what must be the learner's failure.
fn message<T: std::fmt::Debug>(result: CheckResult<T>) -> String {
    explained(result).message
}
