//! One connection: a request in, a response out.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::config::Config;
use crate::request::Request;
use crate::response::Response;
use crate::routes;

/// Answers one request and closes the connection.
pub async fn serve(mut stream: TcpStream, config: &Config) -> io::Result<()> {
    // TODO(step-01.4): a connection can carry many requests. Read the next one when this one is answered, unless the
    // client wants to close. Some of it may have been read along with this one. And a response to HEAD has no body.
    let mut buffer = [0; 4096];

    // TODO(step-01.2): one read returns whatever has arrived, which may be half a request. Read until the head is
    // complete.
    // TODO(step-01.9): read no more than a request may contain, and wait no longer than `config.header_timeout`.
    let count = stream.read(&mut buffer).await?;
    if count == 0 {
        return Ok(());
    }

    let response = match Request::parse(&buffer[..count]) {
        // TODO(step-01.5): read the body, too: as many bytes as Content-Length says.
        // TODO(step-01.6): or as many chunks as there are, when Transfer-Encoding says `chunked`.
        Some(request) => routes::answer(&request, config).await,
        None => Response::text(400, "this is no HTTP request"),
    };
    stream.write_all(&response.to_bytes()).await?;
    stream.shutdown().await
}
