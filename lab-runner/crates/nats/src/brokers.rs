//! The NATS of one run: where each check's server comes from.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lab_check::service::Access;
use lab_check::{CheckResult, Failure, Ours as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use url::Url;

use super::broker::Address;
use super::state;

/// How long a server may take to answer its administrator.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The NATS of one run.
#[derive(Debug)]
pub struct Brokers {
    version: String,
    /// The server of the run, for checks that cannot have one of their own.
    shared: Address,
    /// The way to it that stands all along.
    client: async_nats::Client,
    program: Option<PathBuf>,
    /// Whose turn it is with the run's server.
    turn: Arc<Semaphore>,
}

impl Brokers {
    /// Connects to the run's server by `access`.
    ///
    /// # Errors
    /// Ours, if it cannot be reached or has no JetStream.
    pub async fn by(access: Access) -> CheckResult<Self> {
        let shared = address(&access.url)?;
        let client = shared.connect().await?;
        let info = client.server_info();
        if !info.jetstream {
            return Err(Failure::Ours("NATS runs without JetStream: start it with -js".into()));
        }
        Ok(Self {
            version: format!("NATS {}", info.version),
            shared,
            client,
            program: access.program,
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// What the server says it is, such as `NATS 2.15.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether the run's server answers, where checks use it.
    pub async fn is_alive(&self) -> bool {
        self.program.is_some() || matches!(timeout(TIMEOUT, state::settle(&self.client)).await, Ok(Ok(())))
    }

    /// The program, where a check can have a server of its own.
    pub(super) fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    /// The run's server, for one check alone until the permit is dropped.
    pub(super) async fn lend(&self) -> CheckResult<(Address, OwnedSemaphorePermit)> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.ours("waiting for the run's NATS")?;
        Ok((self.shared.clone(), turn))
    }
}

/// What an administrator's URL says.
fn address(url: &str) -> CheckResult<Address> {
    let url = Url::parse(url).ours("reading the URL of NATS")?;
    let host = url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
    let host = host.ok_or_else(|| Failure::Ours("the URL of NATS has no host".into()))?;
    let decoded = |text: &str| unescaped(text);
    Ok(Address {
        host,
        port: url.port().unwrap_or(4222),
        user: decoded(url.username()),
        password: decoded(url.password().unwrap_or_default()),
    })
}

/// A part of a URL without its escapes, as far as they are UTF-8.
fn unescaped(text: &str) -> String {
    let pairs = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
