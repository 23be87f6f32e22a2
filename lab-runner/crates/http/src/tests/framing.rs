//! Where an answer ends.

use std::time::Duration;

use super::{answering, connect, get, message, request, server};
use crate::head;
use crate::reader::Reader;
use tokio::io::AsyncWriteExt;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                       5;name=\"a\"\r\nhello\r\n00A\r\n, world!!!\r\n0\r\nExpires: never\r\n\r\n";

#[tokio::test]
async fn a_length_ends_the_body_and_what_follows_is_extra() {
    let response = get("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef").await.unwrap();
    assert_eq!(response.body(), b"abc");
    assert_eq!(response.extra_bytes(), b"def");
    assert_eq!(response.raw_head(), b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
}

#[tokio::test]
async fn without_a_length_the_close_ends_the_body() {
    let response = get("HTTP/1.0 200 OK\r\n\r\nabc").await.unwrap();
    assert_eq!((response.body(), response.version()), (b"abc".as_slice(), "HTTP/1.0"));
    assert!(response.announces_close());
}

#[tokio::test]
async fn chunks_extensions_and_trailers_are_decoded() {
    let response = get(CHUNKED).await.unwrap();
    assert_eq!(response.text(), "hello, world!!!");
    assert_eq!(response.trailers(), [("Expires".to_owned(), "never".to_owned())]);
}

#[test]
fn an_answer_split_anywhere_is_the_same_answer() {
    for split in 0..CHUNKED.len() {
        let mut reader = Reader::new("GET");
        let early = reader.advance(&CHUNKED.as_bytes()[..split], false).unwrap();
        assert!(early.is_none(), "complete after {split} bytes");
        let whole = reader.advance(CHUNKED.as_bytes(), false).unwrap().unwrap();
        assert_eq!(whole.decoded.as_deref(), Some(b"hello, world!!!".as_slice()));
        assert_eq!(whole.length, CHUNKED.len());
    }
}

#[tokio::test]
async fn answers_without_a_body_leave_the_next_one_aligned() {
    let peer = answering(
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let mut connection = connect(&peer).await;
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(connection.response().await.unwrap().status(), 204);
    assert_eq!(connection.response().await.unwrap().status(), 304);
    assert_eq!(connection.response_to("HEAD").await.unwrap().status(), 200);
    let last = connection.response().await.unwrap();
    assert_eq!((last.reason(), last.body()), ("", b"ok".as_slice()));
    connection.expect_nothing_more().await.unwrap();
    connection.expect_closed(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn interim_answers_are_passed_over_unless_asked_for() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
                  HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(get(answer).await.unwrap().status(), 200);
    let mut connection = connect(&answering(answer).await).await;
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(connection.interim().await.unwrap().status(), 100);
    assert!(connection.next_answer().await.unwrap().is_interim());
    let failed = message(connection.interim().await);
    assert_eq!(failed, "expected an interim response (1xx), got 200 OK");
}

#[tokio::test]
async fn what_a_recipient_may_accept_is_accepted() {
    let response = get("HTTP/1.1 200 \nCONTENT-length:\t 3 \nX-Folded: a\r\n  b\r\nX-Byte: \u{e9}\r\n\r\nabc").await;
    let response = response.unwrap();
    assert_eq!(response.body(), b"abc");
    assert_eq!(response.header("x-folded"), Some("a b"));
    // Each byte is one character: é came as two bytes.
    assert_eq!(response.header("x-byte"), Some("\u{c3}\u{a9}"));
    let twice = get("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\nContent-Length: 1\r\n\r\na").await.unwrap();
    assert_eq!(twice.body(), b"a");
    let many: String = (0..300).map(|n| format!("X-{n}: v\r\n")).collect();
    assert_eq!(get(format!("HTTP/1.1 204 \r\n{many}\r\n")).await.unwrap().all_headers().len(), 300);
}

#[tokio::test]
async fn several_fields_of_a_name_are_kept_apart() {
    let response = get("HTTP/1.1 204 \r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n").await.unwrap();
    assert_eq!(response.headers("Set-Cookie"), ["a=1", "b=2"]);
}

#[tokio::test]
async fn a_broken_head_is_told_in_plain_words() {
    let cases = [
        ("hello", "the response does not begin with a status line such as `HTTP/1.1 200 OK`: it begins with `hello`"),
        ("http/1.1 200 OK\r\n\r\n", "it begins with `http/1.1 200 OK`"),
        ("HTTP/2.0 200 OK\r\n\r\n", "but the HTTP version must be 1.0 or 1.1"),
        ("HTTP/1.1 200OK\r\n\r\n", "a status code of three digits, and these by another space"),
        ("HTTP/1.1 20 OK\r\n\r\n", "followed by one space and a status code of three digits"),
        ("HTTP/1.1  200 OK\r\n\r\n", "followed by one space and a status code of three digits"),
        ("HTTP/1.1 099 OK\r\n\r\n", "the status code is 099"),
        ("HTTP/1.1 600 OK\r\n\r\n", "status codes go from 100 to 599"),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", "begins with an empty line"),
        (
            "HTTP/1.1 200 OK\r\nServer lab\r\n\r\n",
            "a line without a colon: `Server lab`; if that is the body, the empty line before it is missing",
        ),
        ("HTTP/1.1 200 OK\r\nServer : lab\r\n\r\n", "white space before its colon: `Server : lab`"),
        ("HTTP/1.1 200 OK\r\n: lab\r\n\r\n", "has no name: `: lab`"),
        ("HTTP/1.1 200 OK\r\nA: b\r\nSer(ver: lab\r\n\r\n", "contains `(`, which is not allowed there"),
        ("HTTP/1.1 200 OK\r\nServer: l\0ab\r\n\r\n", "contains a control character"),
    ];
    for (answer, expected) in cases {
        let failed = message(get(answer).await);
        assert!(failed.contains(expected), "{answer:?}: {failed}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(head::LONGEST));
    assert!(message(get(endless).await).contains("more than 64 KiB"));
}

#[tokio::test]
async fn framing_that_cannot_be_trusted_is_told() {
    let cases = [
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", "has both Content-Length and Transfer-Encoding"),
        ("Content-Length: 3\r\nContent-Length: 4", "two different values of Content-Length: 3 and 4"),
        ("Content-Length: +3", "Content-Length is `+3`, which is not a number of bytes"),
        ("Content-Length: -1", "Content-Length is `-1`"),
        ("Content-Length:", "Content-Length is ``"),
        ("Content-Length: 99999999999999999999999", "which is not a number of bytes"),
        ("Content-Length: 8388609", "Content-Length announces 8388609 bytes, but no response here has more than 8 MiB"),
        ("Transfer-Encoding: gzip, chunked", "the transfer coding `gzip`"),
        ("Transfer-Encoding: identity", "the transfer coding `identity`"),
        ("Transfer-Encoding: chunked, chunked", "`chunked` twice"),
    ];
    for (fields, expected) in cases {
        let failed = message(get(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n")).await);
        assert!(failed.contains(expected), "{fields}: {failed}");
    }
    let old = message(get("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").await);
    assert!(old.contains("which HTTP/1.1 introduced"), "{old}");
}

#[tokio::test]
async fn a_broken_chunk_is_told() {
    let cases = [
        ("xyz\r\n", "chunk 1 of the body begins with `xyz` instead of its size in hexadecimal digits"),
        ("\r\n", "chunk 1 of the body begins with nothing"),
        ("3\r\nabc\r\n3 \r\nabc", "chunk 2 of the body begins with `3 `"),
        ("0x3\r\nabc", "chunk 1 of the body begins with `0x3`"),
        ("fffffffffffffffff\r\nabc", "begins with `fffffffffffffffff`"),
        ("3\nabc", "ends in \\n alone instead of \\r\\n"),
        ("3\r\nabcd\r\n", "chunk 1 of the body says it has 3 bytes (hexadecimal 3), but after them comes `d\\r\\n`"),
        ("0\r\nno field\r\n\r\n", "the last chunk must be followed by an empty line"),
        ("3\r\nabc\r\n", "in the middle of a chunked body"),
        ("3\r\nabc\r\n0\r\n", "its last chunk, of size 0, or what follows it is missing"),
    ];
    for (body, expected) in cases {
        let failed = message(get(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n{body}")).await);
        assert!(failed.contains(expected), "{body:?}: {failed}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut() {
    for field in ["", "Transfer-Encoding: chunked\r\n"] {
        let peer = server(move |mut stream| async move {
            super::read_head(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\n{field}\r\n");
            let mut alive = stream.write_all(head.as_bytes()).await.is_ok();
            let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
            while alive {
                alive = stream.write_all(chunk.as_bytes()).await.is_ok();
            }
        })
        .await;
        let failed = message(request(&peer, "GET").await);
        assert_eq!(failed, "the body of the response does not end: more than 8 MiB came");
    }
}
