//! The connection to NATS.

use async_nats::{Client, ConnectError, ConnectOptions};

use crate::configuration::Broker;

/// Begins to connect, and goes on for as long as it takes: a broker that is away now may be there later.
///
/// # Errors
/// What no waiting mends.
pub async fn connect(broker: &Broker) -> Result<Client, ConnectError> {
    // The client does not read names and passwords from the address.
    let options = match &broker.login {
        Some((name, password)) => ConnectOptions::with_user_and_password(name.clone(), password.expose().to_owned()),
        None => ConnectOptions::new(),
    };
    options.retry_on_initial_connect().connect(broker.address.clone()).await
}
