//! The balancer in front of servers that behave and misbehave.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// Long enough on the slowest machine; no test waits it out unless it fails.
const SOON: Duration = Duration::from_secs(20);

/// A server that answers the probe as it is told, and every other request with its name, or not at all.
struct Server {
    address: SocketAddr,
    ready: Arc<AtomicBool>,
    task: AbortHandle,
}

async fn server(name: &'static str, answers: bool) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let ready = Arc::new(AtomicBool::new(true));
    let says = Arc::clone(&ready);
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1_024];
            let count = stream.read(&mut head).await.unwrap_or(0);
            let probed = head[..count].starts_with(b"GET /ready ");
            let (status, body) = match (probed, says.load(Ordering::SeqCst)) {
                (true, false) => (503, ""),
                (true, true) => (200, ""),
                (false, _) if !answers => continue,
                (false, _) => (200, name),
            };
            let answer =
                format!("HTTP/1.1 {status} Word\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Server { address, ready, task: task.abort_handle() }
}

async fn balancer(servers: &[&Server]) -> Balancer {
    let balancer = Balancer::start("/ready", "lab", Transcript::default(), Network::default()).await.unwrap();
    for server in servers {
        balancer.add_address(server.address);
    }
    balancer.until_ready(servers.len(), SOON).await.unwrap();
    balancer
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn instances_take_turns() {
    let (one, two) = (server("one", true).await, server("two", true).await);
    let balancer = balancer(&[&one, &two]).await;
    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(balancer.get("/").await.unwrap().expect_status(200).unwrap().text());
    }
    names.sort();
    assert_eq!(names, ["one", "one", "two", "two"]);
    assert!(balancer.failures().is_empty());
}

#[tokio::test]
async fn an_instance_that_is_not_ready_gets_nothing() {
    let (one, two) = (server("one", true).await, server("two", true).await);
    let balancer = balancer(&[&one, &two]).await;
    one.ready.store(false, Ordering::SeqCst);
    until("one is no longer ready", || balancer.ready() == 1).await;
    for _ in 0..4 {
        assert_eq!(balancer.get("/").await.unwrap().text(), "two");
    }
    two.ready.store(false, Ordering::SeqCst);
    until("none is ready", || balancer.ready() == 0).await;
    assert_eq!(balancer.get("/").await.unwrap().status(), 503);
    assert_eq!(balancer.failures(), ["no instance was ready"]);
}

#[tokio::test]
async fn an_instance_that_does_not_answer_is_reported_and_no_other_is_tried() {
    let (mute, other) = (server("mute", false).await, server("other", true).await);
    let balancer = balancer(&[&mute, &other]).await;
    let mut statuses = vec![balancer.get("/").await.unwrap().status(), balancer.get("/").await.unwrap().status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 502]);
    assert!(balancer.failures()[0].contains("closed the connection without a response"), "{:?}", balancer.failures());
}

#[tokio::test]
async fn an_instance_that_is_gone_is_no_longer_ready() {
    let gone = server("gone", true).await;
    let balancer = balancer(&[&gone]).await;
    gone.task.abort();
    until("it is no longer ready", || balancer.ready() == 0).await;
}

#[tokio::test]
async fn an_instance_that_is_not_asked_is_what_it_said_last() {
    let (one, two) = (server("one", true).await, server("two", true).await);
    let balancer = balancer(&[&one, &two]).await;
    balancer.stop_asking_at(one.address);
    one.ready.store(false, Ordering::SeqCst);
    sleep(probe::PAUSE * 5).await;
    let mut names = [balancer.get("/").await.unwrap().text(), balancer.get("/").await.unwrap().text()];
    names.sort();
    assert_eq!(names, ["one", "two"]);
    balancer.ask_again_at(one.address);
    until("one is no longer ready", || balancer.ready() == 1).await;
}

#[tokio::test]
async fn a_large_body_passes_whole() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut received = Vec::new();
            let mut chunk = [0; 4_096];
            while !received.starts_with(b"GET") && received.iter().filter(|byte| **byte == b'x').count() < 200_000 {
                let Ok(count @ 1..) = stream.read(&mut chunk).await else { break };
                received.extend_from_slice(&chunk[..count]);
            }
            let body = "y".repeat(if received.starts_with(b"GET") { 0 } else { 300_000 });
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    let balancer = Balancer::start("/ready", "lab", Transcript::default(), Network::default()).await.unwrap();
    balancer.add_address(address);
    balancer.until_ready(1, SOON).await.unwrap();
    let answer = balancer.request("POST", "/").body("x".repeat(200_000), "text/plain").await.unwrap();
    assert_eq!(answer.body().len(), 300_000);
    echo.abort();
}
