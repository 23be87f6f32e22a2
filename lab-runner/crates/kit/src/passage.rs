//! A way into a server's network for programs of this machine that may not enter it: whoever connects to the server's address
//! here is passed on to the server there. Ports of servers are nobody else's here, wherever these servers are.

use std::io;
use std::net::SocketAddr;

use lab_check::network::connect;
use lab_sandbox::Network;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The way to one server, for as long as this lives. Meanwhile others on this machine can go it, too.
#[derive(Debug)]
pub(crate) struct Passage(JoinHandle<()>);

impl Passage {
    /// To the server at `address` in `network`.
    ///
    /// # Errors
    /// Somebody else listens at `address` here.
    pub async fn open(network: &Network, address: SocketAddr) -> io::Result<Self> {
        let (listener, network) = (TcpListener::bind(address).await?, network.clone());
        Ok(Self(tokio::spawn(async move {
            // They end with this.
            let mut passing = JoinSet::new();
            while let Ok((here, _)) = listener.accept().await {
                passing.spawn(pass_on(here, network.clone(), address));
                while passing.try_join_next().is_some() {}
            }
        })))
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where nobody listens there, the one here sees its connection end.
async fn pass_on(mut here: TcpStream, network: Network, address: SocketAddr) {
    if let Ok(mut there) = connect(&network, address).await {
        let _ = copy_bidirectional(&mut here, &mut there).await;
    }
}

#[cfg(test)]
mod tests {
    use lab_not_tried::not_tried;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_is_said_here_is_heard_there_and_answered_until_it_is_closed() {
        let network = match Network::alone() {
            Ok(network) => network,
            Err(error) => return not_tried("root", &format!("making a network needs root: {error}")),
        };
        let address: SocketAddr = format!("127.0.0.1:{}", crate::server::port::free().unwrap()).parse().unwrap();
        let socket = lab_check::network::socket(&network, address).unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(8).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut heard = String::new();
                stream.read_to_string(&mut heard).await.unwrap();
                stream.write_all(format!("{heard} yourself").as_bytes()).await.unwrap();
            }
        });
        assert!(TcpStream::connect(address).await.is_err(), "it is another network");
        let passage = Passage::open(&network, address).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "hello yourself");
        drop(passage);
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
        while TcpStream::connect(address).await.is_ok() {
            assert!(tokio::time::Instant::now() < deadline, "it is still open");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}
