//! NATS as a suite registers it, and as a check asks for it.

use std::future::Future;

use futures::future::BoxFuture;
use lab_check::CheckResult;
use lab_check::service::{Access, Service, ServiceDriver, ServiceHost, Tenant, tenant_of};
use lab_check::transcript::Transcript;
use lab_sandbox::Network;

use super::brokers::Brokers;
use super::nats::Nats;

/// The name by which manifests ask for it.
const NAME: &str = "nats";
/// The variable in which the server under test finds its NATS.
const VARIABLE: &str = "NATS_URL";

/// What a suite registers to use NATS.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     lab_kit::suite::main_with(&[&lab_nats::Driver])
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Driver;

impl ServiceDriver for Driver {
    fn name(&self) -> &str {
        NAME
    }

    fn title(&self) -> &str {
        "NATS"
    }

    fn connect(&self, access: Access) -> BoxFuture<'_, CheckResult<Box<dyn Service>>> {
        Box::pin(async move { Ok(Box::new(Brokers::by(access).await?) as Box<dyn Service>) })
    }
}

impl Service for Brokers {
    fn version(&self) -> &str {
        Self::version(self)
    }

    fn is_alive(&self) -> BoxFuture<'_, bool> {
        Box::pin(Self::is_alive(self))
    }

    fn tenant(&self, transcript: Transcript) -> BoxFuture<'_, CheckResult<Box<dyn Tenant>>> {
        Box::pin(async move { Ok(Box::new(Nats::create(self, transcript).await?) as Box<dyn Tenant>) })
    }

    /// Each check's server has ended with it.
    fn close(&self) -> BoxFuture<'_, CheckResult> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Tenant for Nats {
    fn url(&self) -> &str {
        Self::url(self)
    }

    fn variables(&self) -> Vec<(String, String)> {
        vec![(VARIABLE.to_owned(), Self::url(self).to_owned())]
    }

    fn service_error(&self) -> Option<String> {
        Self::service_error(self)
    }

    fn open_in(&self, network: &Network) -> std::io::Result<()> {
        self.proxy().open_in(network)
    }

    fn restore(&self) -> bool {
        self.proxy().restore_if_disturbed()
    }

    fn release(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.give_back())
    }
}

/// Gives a check its own NATS.
pub trait LabNats {
    /// This check's own NATS, made on first use: JetStream is on, and there is no stream.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// use lab_nats::LabNats as _;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let streams = lab.nats().await?.streams().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be made; not applicable, if the server under test was not started by the grader.
    fn nats(&self) -> impl Future<Output = CheckResult<&Nats>> + Send;
}

impl<H: ServiceHost> LabNats for H {
    async fn nats(&self) -> CheckResult<&Nats> {
        tenant_of(self, NAME).await
    }
}
