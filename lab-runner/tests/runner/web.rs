//! `cargo lab web`: the address that it prints is answered there, and Ctrl-C ends it. What the pages show is tested with them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::command;

#[test]
fn the_site_is_served_at_the_address_that_is_printed_until_ctrl_c() {
    let mut runner = command(&["web"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut printed = String::new();
    let mut lines = BufReader::new(runner.stdout.take().unwrap());
    lines.read_line(&mut printed).unwrap();
    let url = printed.strip_prefix("open").map(str::trim).unwrap_or_else(|| panic!("{printed}"));
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("tiny-1"), "{answer}");
    kill_process(Pid::from_raw(runner.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    assert_eq!(runner.wait().unwrap().code(), Some(0));
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "somebody still listens");
        std::thread::sleep(Duration::from_millis(20));
    }
}
