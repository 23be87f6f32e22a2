//! Takes connections and gives each a task of its own, so that nobody waits for anybody else.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::config::Config;
use crate::connection;

/// Serves for ever.
pub async fn serve(listener: TcpListener, config: Config) {
    let config = Arc::new(config);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let config = Arc::clone(&config);
                tokio::spawn(async move {
                    // A client that goes away in the middle is its own affair: there is nobody left to answer.
                    let _ = connection::serve(stream, &config).await;
                });
            }
            // Out of file descriptors, or the client is gone already. Trying again at once would burn a core.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
