//! What goes out, and answers that come before everything is out.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lab_not_tried::not_tried;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{answering, connect, read_head, request, server};
use crate::{Peer, Request};

/// A server that keeps what it reads, up to the end of the head and of a body of `body` bytes.
async fn keeping(body: usize) -> (Peer, Arc<Mutex<String>>) {
    let kept = Arc::new(Mutex::new(String::new()));
    let keep = Arc::clone(&kept);
    let peer = server(move |mut stream| {
        let keep = Arc::clone(&keep);
        async move {
            let mut bytes = read_head(&mut stream).await;
            let mut rest = vec![0; body];
            stream.read_exact(&mut rest).await.unwrap();
            bytes.extend(rest);
            *keep.lock().unwrap() = String::from_utf8(bytes).unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    })
    .await;
    (peer, kept)
}

async fn sent(body: usize, build: impl FnOnce(Request) -> Request, method: &str, target: &str) -> String {
    let (peer, kept) = keeping(body).await;
    let host = format!("Host: {}\r\n", peer.address);
    build(Request::new(peer, method, target)).await.unwrap();
    let text = kept.lock().unwrap().clone();
    text.replace(&host, "")
}

#[tokio::test]
async fn a_request_comes_from_the_address_that_it_names() {
    let source = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    // macOS gives itself 127.0.0.1 and no other.
    if let Err(error) = std::net::TcpListener::bind((source, 0)) {
        return not_tried("addresses", &format!("this machine gives itself no {source}: {error}"));
    }
    let peer = server(|mut stream| async move {
        read_head(&mut stream).await;
        let answer = format!("HTTP/1.0 200 OK\r\n\r\n{}", stream.peer_addr().unwrap().ip());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let answer = Request::new(peer.clone(), "GET", "/").from_address(source).await.unwrap();
    assert_eq!(answer.text(), "127.0.0.2");
    let answer = Request::new(peer, "GET", "/").await.unwrap();
    assert_eq!(answer.text(), "127.0.0.1");
}

#[tokio::test]
async fn a_plain_request_says_who_it_is_and_closes() {
    let text = sent(0, |request| request, "GET", "/a/../b?x=%").await;
    assert_eq!(text, "GET /a/../b?x=% HTTP/1.1\r\nUser-Agent: lab\r\nConnection: close\r\n\r\n");
}

#[tokio::test]
async fn a_body_brings_its_length_and_type() {
    let build =
        |request: Request| request.json(&serde_json::json!({"a": "ü"})).bearer("t").cookie("a", 1).cookie("b", 2);
    let text = sent(10, build, "POST", "/").await;
    assert!(text.contains("\r\nContent-Type: application/json\r\nContent-Length: 10\r\n"), "{text}");
    assert!(text.ends_with("\r\nAuthorization: Bearer t\r\nCookie: a=1; b=2\r\n\r\n{\"a\":\"ü\"}"), "{text}");
    let text = sent(0, |request| request, "POST", "/").await;
    assert!(text.contains("\r\nContent-Length: 0\r\n"), "{text}");
    let text = sent(3, |request| request.raw_body("abc"), "PUT", "/").await;
    assert!(!text.contains("Content-Type") && text.ends_with("Content-Length: 3\r\n\r\nabc"), "{text}");
}

#[tokio::test]
async fn a_given_header_takes_the_place_of_the_usual_one() {
    let build = |request: Request| {
        request
            .json(&serde_json::json!({}))
            .header("content-type", "application/merge-patch+json")
            .header("host", "other")
            .without_header("user-agent")
    };
    let text = sent(2, build, "PATCH", "/").await;
    assert_eq!(
        text,
        "PATCH / HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\ncontent-type: \
         application/merge-patch+json\r\nhost: other\r\n\r\n{}"
    );
}

#[tokio::test]
async fn queries_and_forms_are_encoded() {
    let text = sent(0, |request| request.query("q", "50 %&ü").query("n", 1), "GET", "/events?a=b").await;
    assert!(text.starts_with("GET /events?a=b&q=50%20%25%26%C3%BC&n=1 HTTP/1.1\r\n"), "{text}");
    let text = sent(9, |request| request.form(&[("a b", "c&d")]), "POST", "/").await;
    let expected = "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na+b=c%26d";
    assert!(text.ends_with(expected), "{text}");
}

#[tokio::test]
async fn an_early_413_is_read_although_the_body_is_not() {
    for closes in [true, false] {
        let peer = server(move |mut stream| async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nlong").await.unwrap();
            if !closes {
                std::future::pending::<()>().await;
            }
        })
        .await;
        let body = vec![b'x'; 16 << 20];
        let response = request(&peer, "POST").body(&body, "text/plain").await.unwrap();
        assert_eq!((response.status(), response.body()), (413, b"long".as_slice()));
        let mut connection = connect(&peer).await;
        connection.send("POST / HTTP/1.1\r\nContent-Length: 16777216\r\n\r\n").await.unwrap();
        connection.send(&body).await.unwrap();
        assert_eq!(connection.response().await.unwrap().status(), 413);
    }
}

#[tokio::test]
async fn an_echo_that_answers_while_it_reads_does_not_deadlock() {
    let peer = server(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n").await.unwrap();
        let mut buffer = vec![0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            if stream.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    })
    .await;
    let body = vec![b'x'; 8_000_000];
    request(&peer, "POST").body(&body, "text/plain").await.unwrap().expect_body(&body).unwrap();
}

#[tokio::test]
async fn a_server_that_pauses_after_an_interim_answer_gets_the_whole_body() {
    let peer = server(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let mut body = vec![0; 16 << 20];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    })
    .await;
    let mut connection = connect(&peer).await;
    connection.send("POST / HTTP/1.1\r\n\r\n").await.unwrap();
    // Sending gives up waiting after a second and goes on while the answer is awaited.
    connection.send(vec![0; 16 << 20]).await.unwrap();
    assert_eq!(connection.response().await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_half_closed_connection_is_still_read() {
    let peer = server(|mut stream| async move {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{}", all.len()).as_bytes()).await.unwrap();
    })
    .await;
    let mut connection = connect(&peer).await;
    connection.send("GET /").await.unwrap();
    connection.finish_writing().await.unwrap();
    connection.response().await.unwrap().expect_body("5").unwrap();
}

#[tokio::test]
async fn requests_over_one_connection_do_not_ask_for_a_close() {
    let peer =
        answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb").await;
    let mut connection = connect(&peer).await;
    request(&peer, "GET").over(&mut connection).await.unwrap().expect_body("a").unwrap();
    request(&peer, "GET").over(&mut connection).await.unwrap().expect_body("b").unwrap();
}

#[tokio::test]
async fn prepared_requests_are_connected_and_silent() {
    let peer = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let prepared = request(&peer, "GET").prepare().await.unwrap();
    assert!(peer.transcript.entries().is_empty());
    assert_eq!(prepared.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn elapsed_is_the_servers_time() {
    let peer = server(|mut stream| async move {
        read_head(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        stream.write_all(b"ok").await.unwrap();
    })
    .await;
    let elapsed = request(&peer, "GET").await.unwrap().elapsed();
    assert!(elapsed >= Duration::from_millis(55) && elapsed < Duration::from_millis(1_000), "{elapsed:?}");
}
