//! The container engine, asked over its socket: what there is to ask before and after `lab-containers` takes
//! milliseconds this way, and no library.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use percent::encode;
use serde_json::Value;

use super::super::problem::Problem;

/// An engine that answers does so in milliseconds; one that removes a container may take seconds.
const ANSWER: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(3);

/// An engine that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Engine {
    address: Address,
    /// What it calls itself and its version, such as `Docker/28.1 (linux)`.
    pub(crate) version: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    Socket(PathBuf),
    Tcp(String, u16),
}

/// What the engine said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    /// The engine's own words for what went wrong.
    pub(super) fn message(&self) -> String {
        self.body["message"].as_str().map_or_else(|| format!("HTTP {}", self.status), str::to_owned)
    }
}

impl Engine {
    /// The engine that `DOCKER_HOST` names, or the one on this machine.
    pub(crate) fn find() -> Result<Self, Problem> {
        if let Some(named) = env::var("DOCKER_HOST").ok().filter(|value| !value.is_empty()) {
            let address = parse(&named)?;
            return Self::ask(address).map_err(|error| {
                Problem::new(format!("no container engine answers at DOCKER_HOST={named}: {error}"))
                    .hint("start the engine, or unset DOCKER_HOST")
            });
        }
        let mut refused = None;
        for socket in sockets() {
            match Self::ask(Address::Socket(socket.clone())) {
                Ok(engine) => return Ok(engine),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => refused = refused.or(Some((socket, error))),
            }
        }
        Err(match refused {
            None => Problem::new(
                "there is no container engine: DOCKER_HOST is not set, and no socket is in its usual place",
            )
            .hint("install Docker or Podman"),
            Some((socket, error)) if error.kind() == io::ErrorKind::PermissionDenied => Problem::new(format!(
                "you may not use the container engine at {}",
                socket.display()
            ))
            .hint(
                "add yourself to the group that owns the socket (`sudo usermod -aG docker $USER`, then log in again)",
            ),
            Some((socket, error)) => {
                Problem::new(format!("the container engine at {} does not answer: {error}", socket.display()))
                    .hint("start the engine")
            }
        })
    }

    fn ask(address: Address) -> io::Result<Self> {
        let mut engine = Self { address, version: String::new() };
        let (status, headers, _) = engine.request("GET", "/_ping", CONNECT)?;
        if status != 200 {
            return Err(io::Error::other(format!("it answered with HTTP {status}")));
        }
        engine.version = headers
            .iter()
            .find_map(|line| line.strip_prefix("Server: ").or_else(|| line.strip_prefix("server: ")))
            .unwrap_or("a container engine")
            .to_owned();
        Ok(engine)
    }

    /// What `lab-containers` is to take as `DOCKER_HOST`.
    pub(super) fn docker_host(&self) -> String {
        match &self.address {
            Address::Socket(path) => format!("unix://{}", path.display()),
            Address::Tcp(host, port) => format!("tcp://{host}:{port}"),
        }
    }

    /// Where a published port is found: on this machine, unless the engine runs on another.
    pub(super) fn host(&self) -> &str {
        match &self.address {
            Address::Tcp(host, _) if host != "localhost" => host,
            _ => "127.0.0.1",
        }
    }

    /// Whether the engine runs on another machine.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.host() != "127.0.0.1"
    }

    /// Whether it puts its containers into one control group of version 1, beside all other processes.
    pub(super) fn weighs_containers_as_one(&self) -> bool {
        let facts = self.call("GET", "/info").map(|answer| answer.body).unwrap_or_default();
        facts["CgroupDriver"] == "cgroupfs" && facts["CgroupVersion"] == "1"
    }

    /// Asks for JSON.
    pub(super) fn call(&self, method: &str, path: &str) -> Result<Answer, Problem> {
        let failed = |error: io::Error| Problem::io("talk to the container engine", &error);
        let (status, _, mut reader) = self.request(method, path, ANSWER).map_err(failed)?;
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(failed)?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// The raw body, for what is no JSON or has no end yet. Reads fail after `silence` without a byte.
    pub(super) fn stream(&self, method: &str, path: &str, silence: Duration) -> io::Result<(u16, Box<dyn Read>)> {
        let (status, _, reader) = self.request(method, path, silence)?;
        Ok((status, reader))
    }

    /// The last lines that the container `name` wrote.
    pub(super) fn log(&self, name: &str) -> io::Result<String> {
        let path = format!("/containers/{name}/logs?stdout=1&stderr=1&tail=8");
        let (_, mut body) = self.stream("GET", &path, ANSWER)?;
        let mut text = String::new();
        // Both streams in one: before each piece stand its stream in one byte, three zeros, and its length in four.
        let mut head = [0; 8];
        while body.read_exact(&mut head).is_ok() {
            let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            let mut piece = Vec::new();
            body.by_ref().take(length.into()).read_to_end(&mut piece)?;
            text.push_str(&String::from_utf8_lossy(&piece));
        }
        Ok(text)
    }

    /// Sends a request in HTTP/1.0, whose answer ends with the connection: no chunks, no lengths.
    fn request(&self, method: &str, path: &str, silence: Duration) -> io::Result<(u16, Vec<String>, Box<dyn Read>)> {
        let mut stream = self.connect(silence)?;
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: engine\r\nUser-Agent: backend-labs\r\n\r\n")?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("it does not speak HTTP"))?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
                return Ok((status, headers, Box::new(reader)));
            }
            headers.push(line.trim_end().to_owned());
        }
    }

    fn connect(&self, silence: Duration) -> io::Result<Box<dyn Stream>> {
        match &self.address {
            Address::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(silence))?;
                stream.set_write_timeout(Some(CONNECT))?;
                Ok(Box::new(stream))
            }
            Address::Tcp(host, port) => {
                let address = (host.as_str(), *port).to_socket_addrs()?.next();
                let address = address.ok_or_else(|| io::Error::other("the name has no address"))?;
                let stream = TcpStream::connect_timeout(&address, CONNECT)?;
                stream.set_read_timeout(Some(silence))?;
                stream.set_write_timeout(Some(CONNECT))?;
                Ok(Box::new(stream))
            }
        }
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn parse(named: &str) -> Result<Address, Problem> {
    if let Some(path) = named.strip_prefix("unix://") {
        return Ok(Address::Socket(PathBuf::from(path)));
    }
    named
        .strip_prefix("tcp://")
        .and_then(|rest| {
            let (host, port) = rest.trim_end_matches('/').rsplit_once(':')?;
            Some(Address::Tcp(host.to_owned(), port.parse().ok()?))
        })
        .ok_or_else(|| {
            Problem::new(format!("DOCKER_HOST={named} is of a kind that is not understood"))
                .hint("it can be unix:///path/to/socket or tcp://host:port without TLS")
        })
}

/// The usual places: Docker, Docker Desktop, Docker and Podman without root, Podman with root.
fn sockets() -> Vec<PathBuf> {
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

/// `value` as it can stand in a query.
pub(super) fn query(value: &str) -> String {
    encode(value)
}

mod percent {
    //! The one encoding that queries need.

    pub(super) fn encode(value: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        value
            .bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    }
}
