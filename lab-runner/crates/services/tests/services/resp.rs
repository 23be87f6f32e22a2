//! Redis's own protocol, RESP, as its administrator's client speaks it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// What Redis answers to each of `commands`, sent one after the other by the user of `url`.
pub(crate) fn redis(url: &str, commands: &[&[&str]]) -> Vec<String> {
    let (mut stream, password) = connect(url);
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut answers = Vec::new();
    for command in [&["AUTH", password][..]].iter().chain(commands) {
        send(&mut stream, command);
        answers.push(answer(&mut reader));
    }
    assert_eq!(answers.remove(0), "+OK");
    answers
}

/// Has Redis run a script that has written and never ends: it answers nobody any more, and nobody can stop the script.
pub(crate) fn spin(url: &str) -> TcpStream {
    let (mut stream, password) = connect(url);
    let script = "redis.call('set', KEYS[1], '1') while true do end";
    send(&mut stream, &["AUTH", password]);
    send(&mut stream, &["EVAL", script, "1", "spun"]);
    stream
}

fn connect(url: &str) -> (TcpStream, &str) {
    let (password, place) = url.trim_start_matches("redis://:").trim_end_matches('/').split_once('@').expect("a URL");
    let stream = TcpStream::connect(place).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    (stream, password)
}

fn send(stream: &mut TcpStream, command: &[&str]) {
    let words: String = command.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    stream.write_all(format!("*{}\r\n{words}", command.len()).as_bytes()).expect("a request");
}

fn answer(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("an answer");
    let line = line.trim_end().to_owned();
    if let Some(length) = line.strip_prefix('$').and_then(|length| length.parse::<usize>().ok()) {
        let mut bytes = vec![0; length + 2];
        reader.read_exact(&mut bytes).expect("the rest");
        return String::from_utf8_lossy(&bytes[..length]).into_owned();
    }
    if let Some(count) = line.strip_prefix('*').and_then(|count| count.parse::<usize>().ok()) {
        return (0..count).map(|_| answer(reader)).collect::<Vec<_>>().join(" ");
    }
    line
}
