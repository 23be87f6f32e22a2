//! Talking to a container engine in HTTP, over its socket. One request to a connection, in HTTP/1.0: the answer then
//! ends with the connection, without chunks, and neither a runtime nor a client library has to be compiled for it.

mod left;

use std::env;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

pub use left::{Removed, remove_left};

/// An engine accepts connections at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// No engine's response head is longer.
const LONGEST_HEAD: u64 = 64 << 10;

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineAddress {
    /// At a Unix socket.
    Socket(PathBuf),
    /// At a TCP port, without TLS.
    Tcp(String, u16),
}

impl EngineAddress {
    /// What `DOCKER_HOST` can be: `unix:///path/to/socket` or `tcp://host:port`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix://") {
            return Path::new(path).is_absolute().then(|| Self::Socket(path.into()));
        }
        let (host, port) = text.strip_prefix("tcp://")?.trim_end_matches('/').rsplit_once(':')?;
        Some(Self::Tcp(Some(host).filter(|host| !host.is_empty())?.to_owned(), port.parse().ok()?))
    }

    fn connect(&self, timeout: Duration) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(CONNECT_TIMEOUT))?;
                Ok(Box::new(stream))
            }
            Self::Tcp(host, port) => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let address = (host, *port).to_socket_addrs()?.next();
                let address = address.ok_or_else(|| io::Error::other("the name cannot be resolved"))?;
                let stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(CONNECT_TIMEOUT))?;
                Ok(Box::new(stream))
            }
        }
    }
}

/// As `DOCKER_HOST` takes it.
impl fmt::Display for EngineAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(formatter, "unix://{}", path.display()),
            Self::Tcp(host, port) => write!(formatter, "tcp://{host}:{port}"),
        }
    }
}

/// The usual places of an engine's socket: Docker, Docker Desktop, Docker and Podman without root, Podman with root.
#[must_use]
pub fn usual_sockets() -> Vec<PathBuf> {
    let mut sockets = vec![PathBuf::from("/var/run/docker.sock")];
    let variable = |name: &str| env::var_os(name).map(PathBuf::from);
    if let Some(home) = variable("HOME") {
        sockets.extend([home.join(".docker/run/docker.sock"), home.join(".docker/desktop/docker.sock")]);
    }
    if let Some(runtime) = variable("XDG_RUNTIME_DIR") {
        sockets.extend([runtime.join("docker.sock"), runtime.join("podman/podman.sock")]);
    }
    sockets.push(PathBuf::from("/run/podman/podman.sock"));
    sockets
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A request to an engine.
#[derive(Debug)]
pub struct EngineRequest {
    method: &'static str,
    target: String,
    body: Option<Body>,
}

/// What a request carries.
#[derive(Debug)]
struct Body {
    kind: &'static str,
    bytes: Vec<u8>,
}

impl EngineRequest {
    /// `path` begins with a slash and holds nothing that needs quoting.
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, target: path.into(), body: None }
    }

    /// With these pairs in its query.
    pub fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        let query: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", quoted(name), quoted(value))).collect();
        self.target = format!("{}?{}", self.target, query.join("&"));
        self
    }

    /// With a body of JSON.
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(Body { kind: "application/json", bytes: body.to_string().into_bytes() });
        self
    }

    /// With an archive as its body.
    #[must_use]
    pub fn tar(mut self, archive: Vec<u8>) -> Self {
        self.body = Some(Body { kind: "application/x-tar", bytes: archive });
        self
    }

    /// Sends it. Reads of the answer fail after `timeout` without a byte.
    pub fn send(&self, to: &EngineAddress, timeout: Duration) -> io::Result<EngineAnswer> {
        let mut stream = to.connect(timeout)?;
        let kind = self.body.as_ref().map(|body| format!("Content-Type: {}\r\n", body.kind)).unwrap_or_default();
        let body = self.body.as_ref().map(|body| body.bytes.as_slice()).unwrap_or_default();
        let mut message = format!(
            "{} {} HTTP/1.0\r\nHost: engine\r\nUser-Agent: backend-labs\r\n{kind}Content-Length: {}\r\n\r\n",
            self.method,
            self.target,
            body.len()
        )
        .into_bytes();
        message.extend_from_slice(body);
        stream.write_all(&message)?;
        EngineAnswer::read(BufReader::new(stream))
    }

    /// Sends it, and reads an answer in JSON. Reads fail after `timeout` without a byte.
    pub fn ask(&self, of: &EngineAddress, timeout: Duration) -> io::Result<EngineReply> {
        let mut answer = self.send(of, timeout)?;
        let mut bytes = Vec::new();
        answer.body.read_to_end(&mut bytes)?;
        Ok(EngineReply { status: answer.status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }
}

/// An engine's answer in JSON.
#[derive(Debug)]
pub struct EngineReply {
    /// The status.
    pub status: u16,
    /// What it says; null if that is no JSON.
    pub body: Value,
}

impl EngineReply {
    /// Whether it did what it was asked for.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The engine's own words for what went wrong.
    #[must_use]
    pub fn message(&self) -> String {
        self.body["message"].as_str().map_or_else(|| format!("HTTP {}", self.status), str::to_owned)
    }
}

/// `text` as it may stand in a query.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("%{byte:02X}")),
        }
    }
    quoted
}

/// What an engine answers, its body not read yet.
pub struct EngineAnswer {
    /// The status.
    pub status: u16,
    /// The header `Server`.
    pub server: Option<String>,
    /// What follows the head.
    pub body: Box<dyn Read>,
}

impl EngineAnswer {
    fn read(mut reader: BufReader<Box<dyn Stream>>) -> io::Result<Self> {
        let head = read_head(&mut reader)?;
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(&head).map_err(|_| io::Error::other("it does not speak HTTP"))?;
        let status = response.code.filter(|_| parsed.is_complete());
        let server = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("server"));
        Ok(Self {
            status: status.ok_or_else(|| io::Error::other("it does not speak HTTP"))?,
            server: server.map(|header| String::from_utf8_lossy(header.value).into_owned()),
            body: Box::new(reader),
        })
    }
}

/// Everything up to the empty line, and no byte more.
fn read_head(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let read =
            reader.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut head).map_err(|error| match error.kind() {
                // A socket's own words for a time-out, "resource temporarily unavailable", help nobody.
                io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::TimedOut, "it does not answer"),
                _ => error,
            })?;
        if read == 0 || head.len() as u64 > LONGEST_HEAD {
            return Err(io::Error::other("it does not speak HTTP"));
        }
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_host_is_a_socket_or_a_port() {
        assert_eq!(EngineAddress::parse("unix:///run/a b.sock"), Some(EngineAddress::Socket("/run/a b.sock".into())));
        assert_eq!(EngineAddress::parse("tcp://10.0.0.1:2375/"), Some(EngineAddress::Tcp("10.0.0.1".into(), 2375)));
        for unknown in ["ssh://host", "tcp://host", "nonsense", "tcp://:2375", "unix://"] {
            assert_eq!(EngineAddress::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn what_a_query_cannot_hold_is_quoted() {
        let request = EngineRequest::new("GET", "/x").query(&[("filters", r#"{"label":["a=b&c"]}"#)]);
        assert_eq!(request.target, "/x?filters=%7B%22label%22%3A%5B%22a%3Db%26c%22%5D%7D");
    }
}
