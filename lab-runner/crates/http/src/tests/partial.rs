//! Answers that are read in parts.

use futures::TryStreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{connect, message, read_head, server};
use std::time::Duration;

const SSE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn events_are_read_while_the_body_goes_on() {
    let server = server(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(SSE.as_bytes()).await.unwrap();
        // An event that is cut in two chunks, and one that shares its chunk with the next.
        for chunk in ["7\r\ndata: o\r\n", "4\r\nne\n\n\r\n", "14\r\ndata: two\n\ndata: thr\r\n"] {
            stream.write_all(chunk.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // It stays open for as long as the client does.
        let _ = stream.read(&mut [0]).await;
    })
    .await;
    let mut connection = connect(&server).await;
    connection.within(Duration::from_millis(300)).send("GET / HTTP/1.1\r\nHost: lab\r\n\r\n").await.unwrap();
    let mut events = connection.streamed_response().await.unwrap();
    assert_eq!(events.head().header("content-type"), Some("text/event-stream"));
    assert_eq!(&events.read_until(b"\n\n").await.unwrap()[..], b"data: one\n\n");
    assert_eq!(&events.read_until(b"\n\n").await.unwrap()[..], b"data: two\n\n");
    assert_eq!(&events.next().await.unwrap().unwrap()[..], b"data: thr");
    assert_eq!(message(events.next().await), "no more of the body within 300 ms");
}

#[tokio::test]
async fn a_body_of_each_framing_ends_where_it_ends() {
    for (answer, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello rest", "hello"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
        ("HTTP/1.1 200 OK\r\n\r\nhello", "hello"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", ""),
    ] {
        let server = server(move |mut stream| async move {
            read_head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let mut connection = connect(&server).await;
        connection.send("GET / HTTP/1.1\r\nHost: lab\r\n\r\n").await.unwrap();
        let pieces: Vec<_> = connection.streamed_response().await.unwrap().into_stream().try_collect().await.unwrap();
        assert_eq!(String::from_utf8(pieces.concat()).unwrap(), body, "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_no_whole_body() {
    for (answer, wrong) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "4 bytes of its body are missing"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "its last chunk, of size 0, is missing",
        ),
    ] {
        let server = server(move |mut stream| async move {
            read_head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let mut connection = connect(&server).await;
        connection.send("GET / HTTP/1.1\r\nHost: lab\r\n\r\n").await.unwrap();
        let mut answer = connection.streamed_response().await.unwrap();
        assert_eq!(&answer.next().await.unwrap().unwrap()[..], b"hello");
        assert!(message(answer.next().await).ends_with(wrong));
    }
}

#[tokio::test]
async fn bytes_are_read_up_to_a_mark_and_the_rest_is_kept() {
    let server = server(|mut stream| async move {
        stream.write_all(b"one\r\ntwo\r\nthree").await.unwrap();
    })
    .await;
    let mut connection = connect(&server).await;
    assert_eq!(&connection.read_until("\r\n").await.unwrap()[..], b"one\r\n");
    assert_eq!(&connection.read_exact(3).await.unwrap()[..], b"two");
    assert_eq!(&connection.read_until("\r\n").await.unwrap()[..], b"\r\n");
    assert_eq!(message(connection.read_until("\r\n").await), "the connection ended after 5 bytes, before `\\r\\n`");
}

#[tokio::test]
async fn after_a_switch_of_protocols_the_connection_is_another_clients() {
    let server = server(|mut stream| async move {
        read_head(&mut stream).await;
        // The first frame comes right behind the head.
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\nhi ").await.unwrap();
        let mut word = [0; 4];
        stream.read_exact(&mut word).await.unwrap();
        stream.write_all(&word).await.unwrap();
    })
    .await;
    let mut connection = connect(&server).await;
    connection.send("GET / HTTP/1.1\r\nHost: lab\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n").await.unwrap();
    connection.next_answer().await.unwrap().expect_status(101).unwrap();
    let mut stream = connection.into_stream().unwrap();
    stream.write_all(b"lab!").await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "hi lab!");
}
