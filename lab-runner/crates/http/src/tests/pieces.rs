//! Bytes that arrive piece by piece.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{connect, server};

#[tokio::test]
async fn each_piece_is_a_read_of_its_own() {
    let reads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&reads);
    let peer = server(move |mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            let mut buffer = vec![0; 1024];
            let mut all = Vec::new();
            while !all.ends_with(b"\r\n\r\n") {
                let count = stream.read(&mut buffer).await.unwrap();
                all.extend_from_slice(&buffer[..count]);
                seen.lock().unwrap().push(count);
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let mut connection = connect(&peer).await;
    let bytes = "GET /echo/abc HTTP/1.1\r\nHost: lab\r\n\r\n";
    connection.send_in_pieces(1, bytes).await.unwrap();
    assert_eq!(connection.response().await.unwrap().status(), 204);
    let reads = reads.lock().unwrap().clone();
    assert_eq!(reads.iter().sum::<usize>(), bytes.len());
    // A busy machine may join some; that most stay apart is what makes the drip worth its time.
    assert!(reads.len() > bytes.len() / 2, "{reads:?}");
}

#[tokio::test]
async fn a_server_that_answers_the_first_piece_does_not_break_the_rest() {
    let peer = server(|mut stream| async move {
        let mut buffer = [0; 64];
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    let mut connection = connect(&peer).await;
    connection.send_in_pieces(2, "GET / HTTP/1.1\r\nHost: lab\r\n\r\n").await.unwrap();
    assert_eq!(connection.response().await.unwrap().status(), 400);
}
