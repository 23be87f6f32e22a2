//! Asking an address who answers there. Each service knows what to say; the connection is the same for all.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use crate::registry::ServiceId;
use crate::url::Address;

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeReply {
    /// The service that was asked for.
    Expected,
    /// Somebody else; this is the first line of what they said.
    Other(String),
}

impl ProbeReply {
    /// Somebody else, who said `answer`.
    #[must_use]
    pub fn other(answer: &[u8]) -> Self {
        let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Self::Other(String::from_utf8_lossy(line).trim().chars().filter(|c| !c.is_control()).collect())
    }
}

/// A connection to a server that has not said yet who it is.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Connection {
    /// Connects to `address`; connecting, and each read and write after that, may take as long as `timeout`.
    fn open(address: &Address, timeout: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + timeout;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name cannot be resolved");
        for socket in (address.host.as_str(), address.port).to_socket_addrs()? {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&socket, left) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(timeout))?;
                    stream.set_write_timeout(Some(timeout))?;
                    return Ok(Self(stream));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Sends `request` and returns the first bytes of the answer, at most 128.
    ///
    /// # Errors
    /// The connection fails, or is closed without an answer.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(request)?;
        let mut buffer = [0; 128];
        let count = self.0.read(&mut buffer).map_err(|error| match error.kind() {
            // What a socket says when its time-out is over, "resource temporarily unavailable", helps nobody.
            io::ErrorKind::WouldBlock => {
                io::Error::new(io::ErrorKind::TimedOut, "it accepts connections and is silent")
            }
            _ => error,
        })?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed without an answer"));
        }
        Ok(buffer[..count].to_vec())
    }
}

/// Asks whether `service` answers at `address`, with the administrator's `password` if that is known.
pub(crate) fn probe(
    service: ServiceId,
    address: &Address,
    password: Option<&str>,
    timeout: Duration,
) -> io::Result<ProbeReply> {
    service.probe(&mut Connection::open(address, timeout)?, password)
}

/// `count` different ports of this machine that nobody listens on at the moment.
pub(crate) fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    // All are held until the last is chosen, or one could be chosen twice.
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind(any)).collect::<io::Result<_>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
