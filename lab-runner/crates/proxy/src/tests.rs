//! The faults, seen from a client of a plain echo service.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Proxy;
use lab_check::transcript::Transcript;

/// Long enough on the slowest machine; no test waits it out unless it fails.
const SOON: Duration = Duration::from_secs(10);
/// How long silence has to last to be believed.
const SILENCE: Duration = Duration::from_millis(100);

async fn echo_service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

async fn proxy() -> Proxy {
    Proxy::plain("echo", echo_service().await, Transcript::default()).unwrap()
}

async fn client(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

async fn echoes(stream: &mut TcpStream, text: &str) -> bool {
    if stream.write_all(text.as_bytes()).await.is_err() {
        return false;
    }
    let mut answer = vec![0; text.len()];
    matches!(timeout(SOON, stream.read_exact(&mut answer)).await, Ok(Ok(_))) && answer == text.as_bytes()
}

async fn ends(stream: &mut TcpStream) -> bool {
    matches!(timeout(SOON, stream.read(&mut [0])).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn bytes_pass_unchanged_in_both_directions() {
    let proxy = proxy().await;
    let mut stream = client(&proxy).await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let send = async {
        write.write_all(&bytes).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let receive = read.read_to_end(&mut answer);
    let (_, received) = timeout(SOON, async { tokio::join!(send, receive) }).await.unwrap();
    received.unwrap();
    assert!(answer == bytes);
}

#[tokio::test]
async fn a_cut_ends_connections_and_closes_new_ones_until_it_is_restored() {
    let proxy = proxy().await;
    let mut before = client(&proxy).await;
    assert!(echoes(&mut before, "hello").await);
    proxy.cut();
    let error = timeout(SOON, before.read(&mut [0])).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let mut during = client(&proxy).await;
    assert!(ends(&mut during).await);
    proxy.restore();
    assert!(echoes(&mut client(&proxy).await, "again").await);
}

#[tokio::test]
async fn a_cut_that_is_restored_at_once_still_ends_what_was_connected() {
    let proxy = proxy().await;
    let mut before = client(&proxy).await;
    assert!(echoes(&mut before, "hello").await);
    proxy.cut();
    proxy.restore();
    assert!(ends(&mut before).await);
}

#[tokio::test]
async fn a_refusing_proxy_keeps_its_port_and_listens_on_it_again() {
    let proxy = proxy().await;
    let mut before = client(&proxy).await;
    assert!(echoes(&mut before, "hello").await);
    for _ in 0..3 {
        proxy.refuse();
        assert!(ends(&mut before).await);
        let refused = || async { TcpStream::connect(proxy.address()).await.map_err(|e| e.kind()).err() };
        let deadline = Instant::now() + SOON;
        while refused().await != Some(ErrorKind::ConnectionRefused) {
            assert!(Instant::now() < deadline, "the port was never closed");
        }
        assert!(TcpListener::bind(proxy.address()).await.is_err(), "the port could be taken away");
        proxy.restore();
        before = client(&proxy).await;
        assert!(echoes(&mut before, "again").await);
    }
}

#[tokio::test]
async fn a_stopped_proxy_says_nothing_and_delivers_later_what_it_held() {
    let proxy = proxy().await;
    let mut old = client(&proxy).await;
    assert!(echoes(&mut old, "hello").await);
    proxy.stop();
    let mut new = client(&proxy).await;
    for stream in [&mut old, &mut new] {
        stream.write_all(b"late").await.unwrap();
        assert!(timeout(SILENCE, stream.read(&mut [0])).await.is_err(), "something passed");
    }
    proxy.restore();
    for stream in [&mut old, &mut new] {
        let mut answer = [0; 4];
        timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&answer, b"late");
    }
}

#[tokio::test]
async fn a_cut_also_ends_what_was_stopped() {
    let proxy = proxy().await;
    let mut old = client(&proxy).await;
    assert!(echoes(&mut old, "hello").await);
    proxy.stop();
    let mut new = client(&proxy).await;
    proxy.cut();
    assert!(ends(&mut old).await);
    assert!(ends(&mut new).await);
}

#[tokio::test]
async fn a_delay_holds_an_answer_back_once_and_not_for_each_packet() {
    let proxy = proxy().await;
    let mut stream = client(&proxy).await;
    assert!(echoes(&mut stream, "quick").await);
    proxy.delay(Duration::from_millis(100));
    let began = Instant::now();
    assert!(echoes(&mut stream, &"x".repeat(200_000)).await);
    assert!(began.elapsed() >= Duration::from_millis(100));
    // A dozen packets, each late by itself, would take longer than a second.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_answer_under_way_comes_at_once_when_its_delay_ends() {
    let proxy = proxy().await;
    let mut stream = client(&proxy).await;
    proxy.delay(SOON * 2);
    stream.write_all(b"late").await.unwrap();
    assert!(timeout(SILENCE, stream.read(&mut [0])).await.is_err());
    proxy.restore();
    let mut answer = [0; 4];
    timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
}

#[tokio::test]
async fn after_a_stop_not_one_byte_leaves() {
    let proxy = proxy().await;
    for _ in 0..50 {
        let mut stream = client(&proxy).await;
        assert!(echoes(&mut stream, "hello").await);
        proxy.stop();
        stream.write_all(b"x").await.unwrap();
        assert!(timeout(Duration::from_millis(5), stream.read(&mut [0])).await.is_err());
        proxy.restore();
    }
}

#[tokio::test]
async fn dropping_the_proxy_closes_the_port_and_every_connection() {
    let proxy = proxy().await;
    let address = proxy.address();
    let mut stream = client(&proxy).await;
    assert!(echoes(&mut stream, "hello").await);
    drop(proxy);
    assert!(ends(&mut stream).await);
    let deadline = Instant::now() + SOON;
    while TcpStream::connect(address).await.is_ok() {
        assert!(Instant::now() < deadline, "the port is still open");
    }
}

#[tokio::test]
async fn a_service_out_of_reach_closes_the_clients_connection() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxy = Proxy::plain("echo", gone, Transcript::default()).unwrap();
    assert!(ends(&mut client(&proxy).await).await);
}
