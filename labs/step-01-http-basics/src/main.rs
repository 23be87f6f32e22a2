//! An HTTP/1.1 server on raw TCP. This file is complete; the tasks of README.md are in the others.

mod config;
mod connection;
mod request;
mod response;
mod routes;
mod server;

use std::error::Error;

use tokio::net::TcpListener;

use crate::config::Config;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::from_environment()?;
    let listener = TcpListener::bind((config.host.as_str(), config.port)).await?;
    server::serve(listener, config).await;
    Ok(())
}
