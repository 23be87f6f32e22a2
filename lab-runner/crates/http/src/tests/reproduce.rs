//! The lines that show a failure by hand, run through a real shell.

use std::process::Command;

use bytes::Bytes;

use super::{answering, connect, explained};
use crate::sent::Sent;
use crate::{Peer, Request, curl, shell};
use lab_check::transcript::Transcript;

fn run(script: &str) -> Vec<u8> {
    let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The words that curl would get.
fn words(command: &str) -> Vec<String> {
    let script = format!("curl() {{ for word; do printf '%s\\000' \"$word\"; done; }}\n{command}");
    let output = String::from_utf8(run(&script)).unwrap();
    output.split_terminator('\0').map(str::to_owned).collect()
}

fn request(method: &str, target: &str) -> Request {
    let peer = Peer {
        address: "127.0.0.1:4711".parse().unwrap(),
        network: lab_sandbox::Network::default(),
        agent: "lab",
        transcript: Transcript::default(),
        by_hand: "cargo run".to_owned(),
    };
    Request::new(peer, method, target)
}

fn command(request: &Request) -> String {
    curl::command(request, "127.0.0.1:8080").unwrap()
}

#[test]
fn a_shell_prints_the_very_bytes() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let long_runs = [vec![b'a'; 5_000], vec![0; 200], vec![b'\'', b'%'], vec![b'%'; 300]].concat();
    let many_fields = format!("GET / HTTP/1.1\r\n{}Host: %", "X-Note: 100 % of it\r\n".repeat(200));
    let many_chunks =
        format!("POST / HTTP/1.1\r\n\r\n{}0\r\n\r\n", format!("200\r\n{}\r\n", "a".repeat(512)).repeat(40));
    let cases: [&[u8]; 8] = [
        b"GET /%2e HTTP/1.1\r\nHost: l'a\"b\\n$x`y`!\r\n\r\n",
        b"-n",
        b"--",
        "1\u{fc}2\u{0}003".as_bytes(),
        &every_byte,
        &long_runs,
        many_fields.as_bytes(),
        many_chunks.as_bytes(),
    ];
    for bytes in cases {
        let script = shell::print(bytes).unwrap();
        assert_eq!(run(&format!("{script} | cat")), bytes, "{script}");
    }
}

#[test]
fn curl_sends_from_the_same_address() {
    let from_there = request("GET", "/").from_address(std::net::Ipv4Addr::new(127, 0, 0, 2));
    assert_eq!(words(&command(&from_there)), ["-i", "--interface", "127.0.0.2", "http://127.0.0.1:8080/"]);
}

#[test]
fn moments_between_parts_are_kept() {
    let mut sent = Sent::default();
    for part in ["GET / HTTP/1.1\r\n", "Host: lab\r\n", "\r\n"] {
        sent.push(Bytes::from(part));
        sent.pause();
    }
    let script = shell::print_sent(&sent).unwrap();
    assert_eq!(script, r"(printf 'GET / HTTP/1.1\r\n'; sleep 1; printf 'Host: lab\r\n'; sleep 1; printf '\r\n')");
    assert_eq!(run(&script.replace("sleep 1", ":")), b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n");
    let mut drip = Sent::default();
    drip.push_in_pieces(b"abcdefghij", 1);
    assert_eq!(shell::print_sent(&drip).unwrap(), "(printf 'abcd'; sleep 1; printf 'efgh'; sleep 1; printf 'ij')");
}

#[test]
fn what_is_too_long_to_paste_is_left_out() {
    let noise: Vec<u8> = (0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert_eq!(shell::print(&noise), None);
}

#[test]
fn simple_requests_are_simple_commands() {
    assert_eq!(command(&request("GET", "/echo/abc")), "curl -i http://127.0.0.1:8080/echo/abc");
    assert_eq!(command(&request("HEAD", "/")), "curl -i -I http://127.0.0.1:8080/");
    assert_eq!(command(&request("DELETE", "/files/a")), "curl -i -X DELETE http://127.0.0.1:8080/files/a");
    assert_eq!(
        command(&request("GET", "/a/..%2fb/../x?y=[1]")),
        "curl -i --path-as-is -g 'http://127.0.0.1:8080/a/..%2fb/../x?y=[1]'"
    );
    assert_eq!(
        command(&request("POST", "/e").json(&serde_json::json!({"a": "it's"}))),
        r#"curl -i -X POST -H 'Content-Type: application/json' --data-binary '{"a":"it'\''s"}' http://127.0.0.1:8080/e"#
    );
}

#[test]
fn curl_gets_the_words_as_they_are_meant() {
    let built = request("PUT", "/f?a=1&b='").raw_body("line\nit's $HOME").header("X-A", "").header("X-B", "a  \"b\"");
    let expected = [
        "-i",
        "-X",
        "PUT",
        "-H",
        "X-A;",
        "-H",
        "X-B: a  \"b\"",
        "-H",
        "Content-Type:",
        "--data-binary",
        "line\nit's $HOME",
        "http://127.0.0.1:8080/f?a=1&b='",
    ];
    assert_eq!(words(&command(&built)), expected);
    let at = words(&command(&request("POST", "/").body("@file", "text/plain")));
    assert!(at.contains(&"--data-raw".to_owned()), "{at:?}");
    let empty = words(&command(&request("POST", "/")));
    assert!(empty.contains(&"Content-Length: 0".to_owned()), "{empty:?}");
}

#[test]
fn a_body_that_is_no_text_comes_through_a_pipe() {
    let line = command(&request("PUT", "/f").body([0, 255, b'\r'], "image/png"));
    let (left, right) = line.split_once(" | ").unwrap();
    assert_eq!(run(left), [0, 255, b'\r']);
    assert!(right.ends_with("--data-binary @- http://127.0.0.1:8080/f"), "{right}");
    let long = command(&request("PUT", "/f").body(vec![b'x'; 2 << 20], "text/plain"));
    assert!(long.starts_with("head -c 2097152 /dev/zero | tr '\\000' x | curl -i -X PUT"), "{long}");
    assert!(long.contains("-H Expect:"), "{long}");
}

#[test]
fn what_curl_cannot_send_is_printed() {
    for built in [
        request("GET", "*"),
        request("GET", "/a b"),
        request("GET", "/a#b"),
        request("GET", "/").header("X-A ", "b"),
        request("GET", "/").header("X-A", "b\r\nX-C: d"),
        request("GET", "/").without_header("host"),
        request("GET", "/").header("Host", "a").header("host", "b"),
        request("POST", "/").raw_body("abc").header("Content-Length", "+3"),
        request("POST", "/").raw_body("abc").without_header("content-length"),
        request("HEAD", "/").raw_body("abc"),
        request("POST", "/").header("Transfer-Encoding", "chunked").raw_body("0\r\n\r\n"),
    ] {
        let line = command(&built);
        let print = line.strip_suffix(" | nc -w 10 127.0.0.1 8080").unwrap_or_else(|| panic!("{line}"));
        assert_eq!(run(print), built.bytes("127.0.0.1:8080", true));
    }
}

#[tokio::test]
async fn a_failure_on_a_raw_connection_prints_what_was_sent() {
    let mut connection = connect(&answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await).await;
    connection.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let explanation = explained(connection.response().await.unwrap().expect_status(400));
    assert_eq!(
        explanation.reproduce.as_deref(),
        Some("cargo run   # in another terminal\nprintf 'GET / HTTP/1.1\\r\\n\\r\\n' | nc -w 10 127.0.0.1 8080")
    );
    assert_eq!(explanation.sent.as_deref(), Some("GET / HTTP/1.1\\r\n\\r\n"));
}
