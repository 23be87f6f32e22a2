//! The object store as a suite registers it, and as a check asks for it.

use std::future::Future;

use futures::future::BoxFuture;
use lab_check::CheckResult;
use lab_check::service::{Access, Service, ServiceDriver, ServiceHost, Tenant, tenant_of};
use lab_check::transcript::Transcript;
use lab_sandbox::Network;

use super::store::Store;
use super::stores::Stores;

/// The name by which manifests ask for it.
const NAME: &str = "s3";

/// What a suite registers to use an object store.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     lab_kit::suite::main_with(&[&lab_store::Driver])
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Driver;

impl ServiceDriver for Driver {
    fn name(&self) -> &str {
        NAME
    }

    fn title(&self) -> &str {
        "the object store"
    }

    fn connect(&self, access: Access) -> BoxFuture<'_, CheckResult<Box<dyn Service>>> {
        Box::pin(async move { Ok(Box::new(Stores::by(&access).await?) as Box<dyn Service>) })
    }
}

impl Service for Stores {
    fn version(&self) -> &str {
        Self::version(self)
    }

    fn is_alive(&self) -> BoxFuture<'_, bool> {
        Box::pin(Self::is_alive(self))
    }

    fn until_calm(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(Self::until_calm(self))
    }

    fn tenant(&self, transcript: Transcript) -> BoxFuture<'_, CheckResult<Box<dyn Tenant>>> {
        Box::pin(async move { Ok(Box::new(Store::create(self, transcript).await?) as Box<dyn Tenant>) })
    }

    fn close(&self) -> BoxFuture<'_, CheckResult> {
        Box::pin(self.remove_all())
    }
}

impl Tenant for Store {
    /// The endpoint of the server itself.
    fn url(&self) -> &str {
        Self::url(self)
    }

    fn variables(&self) -> Vec<(String, String)> {
        Self::variables(self)
    }

    fn service_error(&self) -> Option<String> {
        Self::service_error(self)
    }

    fn shortage(&self) -> Option<String> {
        Self::shortage(self)
    }

    fn open_in(&self, network: &Network) -> std::io::Result<()> {
        self.server_proxy().open_in(network)?;
        self.public_proxy().open_in(network)
    }

    fn restore(&self) -> bool {
        let (server, public) = (self.server_proxy().restore_if_disturbed(), self.public_proxy().restore_if_disturbed());
        server || public
    }

    fn release(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.give_back())
    }
}

/// Gives a check its own bucket.
pub trait LabStore {
    /// This check's own bucket, made on first use: it is private and empty.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// use lab_store::LabStore as _;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let objects = lab.store().await?.objects().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be made; not applicable, if the server under test was not started by the grader.
    fn store(&self) -> impl Future<Output = CheckResult<&Store>> + Send;
}

impl<H: ServiceHost> LabStore for H {
    async fn store(&self) -> CheckResult<&Store> {
        tenant_of(self, NAME).await
    }
}
