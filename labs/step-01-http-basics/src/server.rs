//! Takes connections.

use tokio::net::TcpListener;

use crate::config::Config;
use crate::connection;

/// Serves for ever.
pub async fn serve(listener: TcpListener, config: Config) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // TODO(step-01.9): no other client is served until this one has gone. Give each connection a task of its own.
        if let Err(error) = connection::serve(stream, &config).await {
            // A client that goes away is no reason to stop. Print the error while you are looking for one.
            drop(error);
        }
    }
}
