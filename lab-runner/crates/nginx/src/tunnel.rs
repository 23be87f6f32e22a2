//! Ways between clients that speak plainly and servers that do not, or that are elsewhere.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use lab_sandbox::Network;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// A port of this machine whose connections are carried on. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Tunnel {
    pub address: SocketAddr,
    task: AbortHandle,
}

/// Where connections are carried.
#[derive(Clone)]
pub(super) enum End {
    /// To a server in its own network, from that network's 127.0.0.1.
    Server(SocketAddr, Network),
    /// By TLS to a server of this machine's, from an address of it.
    Tls { server: SocketAddr, from: IpAddr, connector: TlsConnector, name: ServerName<'static> },
}

impl Tunnel {
    pub async fn open(end: End) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve(listener, Arc::new(end))).abort_handle();
        Ok(Self { address, task })
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries until its task is ended, and all connections with it.
async fn serve(listener: TcpListener, end: Arc<End>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    let end = Arc::clone(&end);
                    // A side that hangs up ends the connection, and the other sees that.
                    connections.spawn(async move { end.carry(client).await.ok() });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl End {
    async fn carry(&self, client: TcpStream) -> io::Result<()> {
        match self {
            Self::Server(server, network) => both(client, lab_check::network::connect(network, *server).await?).await,
            Self::Tls { server, from, connector, name } => {
                let socket = TcpSocket::new_v4()?;
                socket.bind(SocketAddr::from((*from, 0)))?;
                let stream = socket.connect(*server).await?;
                both(client, connector.connect(name.clone(), stream).await?).await
            }
        }
    }
}

async fn both(mut one: TcpStream, mut other: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    copy_bidirectional(&mut one, &mut other).await.map(drop)
}
