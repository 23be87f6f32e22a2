//! The service's own address, and a stream to it.

use std::io;
use std::path::PathBuf;

use tokio::net::{TcpStream, UnixStream};

/// Where the service listens.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// A host and port.
    Tcp(String, u16),
    /// A socket in the file system, which an external Postgres or Redis may have in place of a port.
    Unix(PathBuf),
}

impl Upstream {
    pub(super) async fn connect(&self) -> io::Result<UpstreamStream> {
        match self {
            Self::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(UpstreamStream::Tcp(stream))
            }
            Self::Unix(path) => Ok(UpstreamStream::Unix(UnixStream::connect(path).await?)),
        }
    }
}

/// A stream whose reads and writes never wait: a fault is looked up between the waiting and the doing.
pub(super) trait Stream {
    async fn until_readable(&self) -> io::Result<()>;
    async fn until_writable(&self) -> io::Result<()>;
    fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize>;
    fn write_now(&self, bytes: &[u8]) -> io::Result<usize>;
    fn finish_writing(&self) -> io::Result<()>;
}

macro_rules! stream {
    ($type:ty) => {
        impl Stream for $type {
            async fn until_readable(&self) -> io::Result<()> {
                self.readable().await
            }
            async fn until_writable(&self) -> io::Result<()> {
                self.writable().await
            }
            fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.try_read(buffer)
            }
            fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
                self.try_write(bytes)
            }
            fn finish_writing(&self) -> io::Result<()> {
                Ok(rustix::net::shutdown(self, rustix::net::Shutdown::Write)?)
            }
        }
    };
}

stream!(TcpStream);
stream!(UnixStream);

/// A connection to the service.
pub(super) enum UpstreamStream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream for UpstreamStream {
    async fn until_readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.until_readable().await,
            Self::Unix(stream) => stream.until_readable().await,
        }
    }

    async fn until_writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.until_writable().await,
            Self::Unix(stream) => stream.until_writable().await,
        }
    }

    fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read_now(buffer),
            Self::Unix(stream) => stream.read_now(buffer),
        }
    }

    fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_now(bytes),
            Self::Unix(stream) => stream.write_now(bytes),
        }
    }

    fn finish_writing(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.finish_writing(),
            Self::Unix(stream) => stream.finish_writing(),
        }
    }
}
