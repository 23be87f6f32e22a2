//! An HTTP/1.1 server on raw TCP: it echoes what it is told and keeps files in one folder.

mod body;
mod chunked;
mod conditional;
mod config;
mod connection;
mod date;
mod encoding;
mod error;
mod framing;
mod handlers;
mod head;
mod headers;
mod host;
mod input;
mod method;
mod percent;
mod response;
mod routes;
mod server;
mod status;
mod target;
mod version;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use tokio::net::TcpListener;

use crate::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when even standard error is gone.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::from_environment()?;
    let listener = TcpListener::bind((config.host.as_str(), config.port)).await?;
    server::serve(listener, config).await;
    Ok(())
}
