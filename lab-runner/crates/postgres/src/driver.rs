//! Postgres as a suite registers it, and as a check asks for it.

use std::future::Future;

use futures::future::BoxFuture;
use lab_check::CheckResult;
use lab_check::service::{Access, Service, ServiceDriver, ServiceHost, Tenant, tenant_of};
use lab_check::transcript::Transcript;
use lab_sandbox::Network;

use super::cluster::Cluster;
use super::database::Postgres;
use super::own_cluster::OwnCluster;

/// The name by which manifests ask for it.
const NAME: &str = "postgres";
/// The variable in which the server under test finds its database.
const VARIABLE: &str = "DATABASE_URL";

/// What a suite registers to use Postgres.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     lab_kit::suite::main_with(&[&lab_postgres::Driver])
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Driver;

impl ServiceDriver for Driver {
    fn name(&self) -> &str {
        NAME
    }

    fn title(&self) -> &str {
        "Postgres"
    }

    fn connect(&self, access: Access) -> BoxFuture<'_, CheckResult<Box<dyn Service>>> {
        Box::pin(async move { Ok(Box::new(Cluster::by(&access).await?) as Box<dyn Service>) })
    }
}

impl Service for Cluster {
    fn version(&self) -> &str {
        Self::version(self)
    }

    fn is_alive(&self) -> BoxFuture<'_, bool> {
        Box::pin(Self::is_alive(self))
    }

    fn notes(&self) -> Vec<String> {
        Self::notes(self)
    }

    fn tenant(&self, transcript: Transcript) -> BoxFuture<'_, CheckResult<Box<dyn Tenant>>> {
        Box::pin(async move { Ok(Box::new(Postgres::create(self, transcript).await?) as Box<dyn Tenant>) })
    }

    fn until_calm(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(Self::until_calm(self))
    }

    fn close(&self) -> BoxFuture<'_, CheckResult> {
        Box::pin(self.remove_all())
    }
}

impl Tenant for Postgres {
    fn url(&self) -> &str {
        Self::url(self)
    }

    fn variables(&self) -> Vec<(String, String)> {
        vec![(VARIABLE.to_owned(), Self::url(self).to_owned())]
    }

    fn service_error(&self) -> Option<String> {
        Self::service_error(self)
    }

    fn shortage(&self) -> Option<String> {
        Self::shortage(self)
    }

    fn open_in(&self, network: &Network) -> std::io::Result<()> {
        self.proxy().open_in(network)?;
        self.open_clusters_in(network)
    }

    fn restore(&self) -> bool {
        self.proxy().restore_if_disturbed()
    }

    fn release(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.remove())
    }
}

/// Gives a check its own database.
pub trait LabPostgres {
    /// This check's own database, made on first use.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let orders: i64 = lab.postgres().await?.scalar("select count(*) from orders").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if it cannot be made; not applicable, if the server under test was not started by the grader.
    fn postgres(&self) -> impl Future<Output = CheckResult<&Postgres>> + Send;
}

impl<H: ServiceHost> LabPostgres for H {
    async fn postgres(&self) -> CheckResult<&Postgres> {
        tenant_of(self, NAME).await
    }
}

/// Gives a check a Postgres of its own, with a standby.
pub trait LabCluster {
    /// A primary and a standby that follows it, started now, for this check alone. Beside the check's database, which
    /// `DATABASE_URL` names.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// use lab_postgres::LabCluster as _;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let cluster = lab.cluster().await?;
    /// let app = lab.server().env("DATABASE_URL", cluster.url()).start().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Not applicable, where Postgres's programs are not on this machine; ours, if it cannot be started.
    fn cluster(&self) -> impl Future<Output = CheckResult<OwnCluster>> + Send;
}

impl<H: ServiceHost> LabCluster for H {
    async fn cluster(&self) -> CheckResult<OwnCluster> {
        tenant_of::<Postgres>(self, NAME).await?.own_cluster().await
    }
}
