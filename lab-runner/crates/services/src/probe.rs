//! Asking a port who answers there, in the first bytes of its own protocol.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// A server of the kind that was expected.
    Expected,
    /// Somebody else; these are the first bytes of what they said.
    Other(String),
}

/// Asks for Postgres: `SSLRequest` is answered by one byte, `S` or `N` (PostgreSQL manual, 55.2.10).
pub(super) fn postgres(host: &str, port: u16, within: Duration) -> io::Result<Answer> {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let mut stream = connect(host, port, within)?;
    stream.write_all(&SSL_REQUEST)?;
    let answer = first_bytes(&mut stream)?;
    Ok(if matches!(answer.first(), Some(b'S' | b'N')) { Answer::Expected } else { other(&answer) })
}

/// Asks for Redis: `PING` is answered by `PONG`, or by a refusal that only Redis phrases so.
pub(super) fn redis(host: &str, port: u16, password: Option<&str>, within: Duration) -> io::Result<Answer> {
    let mut stream = connect(host, port, within)?;
    if let Some(password) = password {
        stream.write_all(format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{password}\r\n", password.len()).as_bytes())?;
        let answer = first_bytes(&mut stream)?;
        if !answer.starts_with(b"+OK") {
            return Ok(other(&answer));
        }
    }
    stream.write_all(b"*1\r\n$4\r\nPING\r\n")?;
    let answer = first_bytes(&mut stream)?;
    let known: [&[u8]; 4] = [b"+PONG", b"-NOAUTH", b"-NOPERM", b"-DENIED"];
    // A server that still loads its data says so, and is not ready.
    if answer.starts_with(b"-LOADING") {
        return Err(io::Error::new(io::ErrorKind::WouldBlock, "Redis is loading its data"));
    }
    Ok(if known.iter().any(|start| answer.starts_with(start)) { Answer::Expected } else { other(&answer) })
}

fn connect(host: &str, port: u16, within: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + within;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => {
                stream.set_read_timeout(Some(within))?;
                stream.set_write_timeout(Some(within))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn first_bytes(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 128];
    let count = stream.read(&mut buffer)?;
    if count == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed without an answer"));
    }
    Ok(buffer[..count].to_vec())
}

fn other(answer: &[u8]) -> Answer {
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Answer::Other(String::from_utf8_lossy(line).trim().chars().filter(|c| !c.is_control()).collect())
}

/// A port of this machine that nobody listens on at the moment.
pub(super) fn free_port() -> io::Result<u16> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?.local_addr().map(|address| address.port())
}
