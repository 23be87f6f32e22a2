//! nginx as a suite registers it, and as a check asks for it.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;

use futures::future::BoxFuture;
use lab_check::service::{Access, Service, ServiceDriver, ServiceHost, Tenant, tenant_of};
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure, Ours as _};
use lab_http::{Peer, Request};
use lab_sandbox::Network;
use url::Url;

use super::nginx::Nginx;

/// The name by which manifests ask for it.
const NAME: &str = "nginx";

/// What a suite registers to use nginx.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     lab_kit::suite::main_with(&[&lab_nginx::Driver])
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Driver;

/// The nginx of one run. Its checks start others.
#[derive(Debug)]
struct Shared {
    version: String,
    url: String,
    program: Option<PathBuf>,
}

impl ServiceDriver for Driver {
    fn name(&self) -> &str {
        NAME
    }

    fn title(&self) -> &str {
        "nginx"
    }

    fn connect(&self, access: Access) -> BoxFuture<'_, CheckResult<Box<dyn Service>>> {
        Box::pin(async move {
            let version = version(&access.url).await?;
            Ok(Box::new(Shared { version, url: access.url, program: access.program }) as Box<dyn Service>)
        })
    }
}

/// What the server at `url` says it is: `nginx/1.31.3`.
async fn version(url: &str) -> CheckResult<String> {
    let url = Url::parse(url).ours("reading the URL of nginx")?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let found = tokio::net::lookup_host((host, url.port_or_known_default().unwrap_or(80))).await;
    let address: SocketAddr = found.ours("looking up nginx")?.next().ok_or_else(|| no_answer("it has no address"))?;
    let (transcript, network) = (Transcript::default(), Network::of_this_machine());
    let peer = Peer { address, network, agent: "lab", transcript, by_hand: String::new() };
    let answer = Request::new(peer, "GET", "/").await.map_err(|_| no_answer("it does not answer"))?;
    Ok(answer.header("server").unwrap_or(NAME).replace('/', " "))
}

fn no_answer(why: &str) -> Failure {
    Failure::Ours(format!("asking nginx for its version: {why}"))
}

impl Service for Shared {
    fn version(&self) -> &str {
        &self.version
    }

    /// No check depends on it.
    fn is_alive(&self) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }

    fn tenant(&self, transcript: Transcript) -> BoxFuture<'_, CheckResult<Box<dyn Tenant>>> {
        let tenant = Nginx::new(self.program.clone(), self.url.clone(), transcript);
        Box::pin(async move { Ok(Box::new(tenant) as Box<dyn Tenant>) })
    }

    fn close(&self) -> BoxFuture<'_, CheckResult> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Tenant for Nginx {
    fn url(&self) -> &str {
        Self::url(self)
    }

    /// The server under test does not know that there is one.
    fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn service_error(&self) -> Option<String> {
        None
    }

    fn open_in(&self, _network: &Network) -> std::io::Result<()> {
        Ok(())
    }

    fn restore(&self) -> bool {
        false
    }

    fn release(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Gives a check an nginx.
pub trait LabNginx {
    /// This check's way to start one.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// use lab_nginx::LabNginx as _;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let front = lab.nginx().await?.in_front_of(app).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if the suite has none; not applicable, if the server under test was not started by the grader.
    fn nginx(&self) -> impl Future<Output = CheckResult<&Nginx>> + Send;
}

impl<H: ServiceHost> LabNginx for H {
    async fn nginx(&self) -> CheckResult<&Nginx> {
        tenant_of(self, NAME).await
    }
}
