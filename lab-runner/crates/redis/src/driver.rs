//! Redis as a suite registers it, and as a check asks for it.

use std::future::Future;

use futures::future::BoxFuture;
use lab_check::CheckResult;
use lab_check::service::{Access, Service, ServiceDriver, ServiceHost, Tenant, tenant_of};
use lab_check::transcript::Transcript;
use lab_sandbox::Network;

use super::keyspace::Redis;
use super::keyspaces::Keyspaces;

/// The name by which manifests ask for it.
const NAME: &str = "redis";
/// The variable in which the server under test finds its keyspace.
const VARIABLE: &str = "REDIS_URL";

/// What a suite registers to use Redis.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     lab_kit::suite::main_with(&[&lab_redis::Driver])
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Driver;

impl ServiceDriver for Driver {
    fn name(&self) -> &str {
        NAME
    }

    fn title(&self) -> &str {
        "Redis"
    }

    fn connect(&self, access: Access) -> BoxFuture<'_, CheckResult<Box<dyn Service>>> {
        Box::pin(async move { Ok(Box::new(Keyspaces::by(access).await?) as Box<dyn Service>) })
    }
}

impl Service for Keyspaces {
    fn version(&self) -> &str {
        Self::version(self)
    }

    fn is_alive(&self) -> BoxFuture<'_, bool> {
        Box::pin(Self::is_alive(self))
    }

    fn failure(&self) -> Option<String> {
        Self::failure(self)
    }

    fn notes(&self) -> Vec<String> {
        Self::notes(self)
    }

    fn tenant(&self, transcript: Transcript) -> BoxFuture<'_, CheckResult<Box<dyn Tenant>>> {
        Box::pin(async move { Ok(Box::new(Redis::create(self, transcript).await?) as Box<dyn Tenant>) })
    }

    fn close(&self) -> BoxFuture<'_, CheckResult> {
        Box::pin(self.remove_all())
    }
}

impl Tenant for Redis {
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

    fn shortage(&self) -> Option<String> {
        Self::shortage(self)
    }

    fn release(&self) -> BoxFuture<'_, ()> {
        self.remove();
        Box::pin(async {})
    }
}

/// Gives a check its own keyspace.
pub trait LabRedis {
    /// This check's own Redis keyspace, made on first use.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// use lab_redis::LabRedis as _;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let keys = lab.redis().await?.keys().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be made; not applicable, if the server under test was not started by the grader.
    fn redis(&self) -> impl Future<Output = CheckResult<&Redis>> + Send;
}

impl<H: ServiceHost> LabRedis for H {
    async fn redis(&self) -> CheckResult<&Redis> {
        tenant_of(self, NAME).await
    }
}
