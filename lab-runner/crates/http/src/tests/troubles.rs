//! What a learner reads when no whole answer comes.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::{answering, connect, explained, get, lingering, message, read_head, request, server};
use crate::Peer;
use lab_check::transcript::Transcript;
use lab_protocol::Happening;

const SHORT: Duration = Duration::from_millis(150);

#[tokio::test]
async fn nobody_listens() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let peer = Peer {
        address,
        network: lab_sandbox::Network::default(),
        agent: "lab",
        transcript: Transcript::default(),
        by_hand: String::new(),
    };
    let explanation = explained(request(&peer, "GET").await);
    assert_eq!(explanation.message, format!("nothing listens on {address}: is the server still running?"));
    assert!(explanation.sent.unwrap().starts_with("GET / HTTP/1.1\\r\n"));
    assert_eq!(explanation.received.as_deref(), Some("nothing"));
    assert_eq!(explanation.reproduce, Some(format!("curl -i http://{address}/")));
}

#[tokio::test]
async fn a_close_is_told_with_how_far_the_answer_had_come() {
    let cases = [
        ("", "the server closed the connection before it sent a response"),
        (
            "HTTP/1.1 200 OK\r\nContent-",
            "the server closed the connection in the middle of the response's head: 25 bytes arrived, but not the empty \
             line that ends a head",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
            "the server closed the connection after 5 of the 10 bytes that Content-Length announces",
        ),
    ];
    for (answer, expected) in cases {
        let explanation = explained(get(answer).await);
        assert_eq!(explanation.message, expected);
        let received = explanation.received.unwrap();
        assert_eq!(received, if answer.is_empty() { "nothing".into() } else { answer.replace('\r', "\\r") });
    }
}

#[tokio::test]
async fn a_time_out_is_told_with_how_far_the_answer_had_come() {
    let cases = [
        ("", "no response within 150 ms"),
        (
            "HTTP/1.1 200 OK\r\n",
            "no complete response within 150 ms: 17 bytes arrived, but not the empty line that ends a head",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
            "no complete response within 150 ms: Content-Length announces 6 bytes, but 5 arrived",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nhello",
            "no complete response within 150 ms: the head has neither Content-Length nor Transfer-Encoding, so the body \
             lasts until the server closes the connection, and it did not",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "no complete response within 150 ms: the chunked body has 5 bytes so far, but its last chunk, of size 0, or \
             what follows it is missing",
        ),
    ];
    for (answer, expected) in cases {
        assert_eq!(message(request(&lingering(answer).await, "GET").within(SHORT).await), expected);
    }
}

#[tokio::test]
async fn a_reset_is_explained() {
    let peer = server(|stream| async move {
        // Closing with unread bytes in the socket makes the system send a reset.
        stream.readable().await.unwrap();
        drop(stream);
    })
    .await;
    let explanation = explained(request(&peer, "GET").await);
    assert_eq!(explanation.message, "the server reset the connection before it sent a response");
    assert!(explanation.because.unwrap().contains("RFC 9112 §9.6"));
}

#[tokio::test]
async fn a_reset_behind_a_whole_answer_does_not_matter() {
    let peer = server(|mut stream| async move {
        stream.readable().await.unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    assert_eq!(request(&peer, "GET").await.unwrap().status(), 413);
}

#[tokio::test]
async fn expectations_on_the_connection_itself() {
    let peer = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore").await;
    let mut connection = connect(&peer).await;
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    connection.response().await.unwrap();
    let failed = message(connection.expect_closed(SHORT).await);
    assert_eq!(failed, "the server sent more bytes instead of closing the connection: `more`");
    let failed = message(connection.expect_nothing_more().await);
    assert_eq!(failed, "the server sent more bytes after its response was complete: `more`");
    assert!(explained::<()>(Err(connection.failure("odd"))).received.unwrap().ends_with("\n\\r\nokmore"));
    assert_eq!(message(connection.expect_open().await), "the server sent bytes that belong to no response: `more`");
    assert_eq!(connection.read_until_closed(SHORT).await.unwrap(), b"more");
    let failed = message(connection.expect_silence(SHORT).await);
    assert_eq!(failed, "the server closed the connection; it should have kept it open");
    connection.expect_closed(SHORT).await.unwrap();
    let failed = message(connection.response().await);
    assert_eq!(failed, "the server closed the connection before it sent a response (after one response on it)");
}

#[tokio::test]
async fn an_answer_that_comes_too_early_is_called_one() {
    let mut connection = connect(&answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await).await;
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let failed = message(connection.expect_silence(Duration::from_secs(5)).await);
    let expected = "the server sent a response although no complete request was waiting for one: `HTTP/1.1 200 OK";
    assert!(failed.starts_with(expected), "{failed}");
}

#[tokio::test]
async fn a_length_in_letters_is_told_by_what_comes_behind_the_body() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ncaf\u{e9}s";
    let expected = "Content-Length announces 5 bytes, but the body has more: `s` comes behind them; a length counts bytes, and \
                    some letters take two or more";
    let failed = message(get(answer).await.unwrap().expect_body("caf\u{e9}s"));
    assert_eq!(failed, expected);
    let mut connection = connect(&answering(answer).await).await;
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let response = connection.response().await.unwrap();
    assert_eq!(message(response.expect_body("caf\u{e9}s")), expected);
    // What is left over begins the next answer, and is told as such.
    let failed = message(connection.response().await);
    assert!(failed.contains("it begins with `s`; the response before it on this connection was complete"), "{failed}");
    // A body that is shorter than it should be, with nothing behind it, ends too early.
    let failed = message(get("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ncaf").await.unwrap().expect_body("cafe"));
    assert_eq!(failed, "the body ends too early: expected 4 bytes, got 3 bytes");
}

#[tokio::test]
async fn the_rest_of_a_body_is_not_taken_for_a_broken_status_line_alone() {
    let peer = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello\r\nHTTP/1.1 200 OK\r\n\r\n").await;
    let mut connection = connect(&peer).await;
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    connection.response().await.unwrap();
    let failed = message(connection.response().await);
    assert!(
        failed.contains("it begins with `llo`; the response before it on this connection was complete"),
        "{failed}"
    );
}

#[tokio::test]
async fn a_request_on_a_closed_connection_is_no_reset() {
    let peer = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let mut connection = connect(&peer).await;
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    connection.response().await.unwrap();
    connection.expect_closed(Duration::from_secs(5)).await.unwrap();
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let explanation = explained(connection.response().await);
    assert_eq!(
        explanation.message,
        "the server closed the connection before it sent a response (after one response on it)"
    );
    assert_eq!(explanation.because, None);
}

#[tokio::test]
async fn a_connection_that_stays_open_is_seen() {
    let mut connection = connect(&lingering("").await).await;
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    connection.expect_open().await.unwrap();
    let explanation = explained(connection.expect_closed(SHORT).await);
    assert_eq!(explanation.message, "the server kept the connection open for 150 ms; it should have closed it");
    let failed = message(connection.read_until_closed(SHORT).await);
    assert_eq!(failed, "the server kept the connection open for 150 ms and sent 0 bytes");
}

#[tokio::test]
async fn a_server_that_reads_nothing_is_told() {
    let peer = server(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let mut connection = connect(&peer).await;
    let failed = message(connection.within(SHORT).send(vec![b'a'; 32 << 20]).await);
    assert!(failed.starts_with("the server stopped reading: it read "), "{failed}");
    assert!(failed.ends_with(" of 33554432 bytes within 150 ms and sent nothing"), "{failed}");
    let failed = message(request(&peer, "POST").body(vec![b'a'; 32 << 20], "text/plain").within(SHORT).await);
    assert_eq!(failed, "no response within 150 ms; nor has the server read the whole request");
}

#[tokio::test]
async fn endless_interim_answers_are_cut() {
    let peer = server(|mut stream| async move {
        read_head(&mut stream).await;
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {}
    })
    .await;
    assert!(message(request(&peer, "GET").await).contains("interim (1xx) responses and no final one"));
}

#[tokio::test]
async fn the_transcript_holds_both_sides_and_the_close() {
    let peer = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    request(&peer, "GET").await.unwrap();
    let happenings: Vec<_> = peer.transcript.entries().into_iter().map(|entry| entry.what).collect();
    assert!(
        matches!(&happenings[0], Happening::Sent { connection: 1, text, .. } if text.starts_with("GET / HTTP/1.1"))
    );
    assert!(matches!(&happenings[1], Happening::Received { connection: 1, text } if text.ends_with("\n\\r\nok")));
    assert!(matches!(&happenings[2], Happening::Note { text, .. } if text == "connection 1 was closed by the server"));
}
