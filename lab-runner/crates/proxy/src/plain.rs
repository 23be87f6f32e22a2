//! Services without a driver of their own: a server reaches them through a proxy that understands nothing.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use lab_check::service::{Access, Service, ServiceDriver, Tenant};
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure, Ours as _};
use lab_sandbox::Network;
use tokio::time::timeout;
use url::Url;

use super::Proxy;
use super::failpoints::Failpoints;
use super::protocol::{Output, Protocol, Session};
use super::upstream::Upstream;

/// A service that accepts no connection for so long serves nobody.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a suite registers to use a service for which there is no driver. Each check gets a proxy of its own, so that
/// faults disturb no other; the data behind it is shared by all checks of the run.
///
/// ```no_run
/// use lab_kit::proxy::PlainDriver;
///
/// fn main() -> std::process::ExitCode {
///     lab_kit::suite::main_with(&[&PlainDriver { name: "mail", variable: "MAIL_URL" }])
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PlainDriver {
    /// The name under which the lab's manifest asks for it.
    pub name: &'static str,
    /// The variable in which the server under test finds its URL.
    pub variable: &'static str,
}

/// A service behind an address, and that is all that is known of it.
#[derive(Debug)]
struct PlainService {
    driver: PlainDriver,
    url: Url,
    upstream: Upstream,
}

/// One check's own way to a service that all checks share.
#[derive(Debug)]
pub struct PlainTenant {
    driver: PlainDriver,
    url: String,
    proxy: Proxy,
    unreachable: Unreachable,
}

/// Why the service could not be reached, if it could not.
#[derive(Debug, Clone, Default)]
struct Unreachable(Arc<Mutex<Option<String>>>);

impl ServiceDriver for PlainDriver {
    fn name(&self) -> &str {
        self.name
    }

    fn title(&self) -> &str {
        self.name
    }

    fn connect(&self, access: Access) -> BoxFuture<'_, CheckResult<Box<dyn Service>>> {
        Box::pin(async move {
            let name = self.name;
            let url = Url::parse(&access.url).ours(&format!("reading the URL of {name}"))?;
            let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
                return Err(Failure::Ours(format!("the URL of {name} has no host or no port: {url}")));
            };
            let upstream = Upstream::Tcp(host.trim_matches(['[', ']']).to_owned(), port);
            let service = PlainService { driver: *self, upstream, url };
            if !service.accepts().await {
                return Err(Failure::Ours(format!("{name} accepts no connection at {}", service.url)));
            }
            Ok(Box::new(service) as Box<dyn Service>)
        })
    }
}

impl PlainService {
    async fn accepts(&self) -> bool {
        matches!(timeout(TIMEOUT, self.upstream.connect()).await, Ok(Ok(_)))
    }

    fn make(&self, transcript: Transcript) -> CheckResult<PlainTenant> {
        let name = self.driver.name;
        let unreachable = Unreachable::default();
        let protocol = Arc::new(unreachable.clone());
        let proxy = Proxy::start(name, self.upstream.clone(), protocol, Failpoints::default(), transcript);
        let proxy = proxy.ours(&format!("opening a port for the proxy of {name}"))?;
        let mut url = self.url.clone();
        let address = proxy.address();
        let moved = url.set_host(Some(&address.ip().to_string())).is_ok() && url.set_port(Some(address.port())).is_ok();
        if !moved {
            return Err(Failure::Ours(format!("the URL of {name} has a host that cannot be replaced: {url}")));
        }
        Ok(PlainTenant { driver: self.driver, url: url.into(), proxy, unreachable })
    }
}

impl Service for PlainService {
    /// A service that nobody asks cannot say.
    fn version(&self) -> &str {
        "unknown version"
    }

    fn is_alive(&self) -> BoxFuture<'_, bool> {
        Box::pin(self.accepts())
    }

    fn tenant(&self, transcript: Transcript) -> BoxFuture<'_, CheckResult<Box<dyn Tenant>>> {
        Box::pin(async move { Ok(Box::new(self.make(transcript)?) as Box<dyn Tenant>) })
    }

    fn close(&self) -> BoxFuture<'_, CheckResult> {
        Box::pin(async { Ok(()) })
    }
}

impl PlainTenant {
    /// The path between the server under test and the service, where faults are made.
    ///
    /// ```
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// use lab_check::service::tenant_of;
    /// use lab_kit::proxy::PlainTenant;
    ///
    /// tenant_of::<PlainTenant>(lab, "mail").await?.proxy().refuse();
    /// # Ok(()) }
    /// ```
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }
}

impl Tenant for PlainTenant {
    fn url(&self) -> &str {
        &self.url
    }

    fn variables(&self) -> Vec<(String, String)> {
        vec![(self.driver.variable.to_owned(), self.url.clone())]
    }

    fn service_error(&self) -> Option<String> {
        self.unreachable.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn open_in(&self, network: &Network) -> io::Result<()> {
        self.proxy.open_in(network)
    }

    fn restore(&self) -> bool {
        self.proxy.restore_if_disturbed()
    }

    fn release(&self) -> BoxFuture<'_, ()> {
        self.proxy.shut();
        Box::pin(async {})
    }
}

impl Protocol for Unreachable {
    fn session(&self) -> Box<dyn Session> {
        Box::new(PlainSession)
    }

    fn unreachable(&self, reason: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert_with(|| format!("the service could not be reached: {reason}"));
    }
}

/// Bytes without a meaning.
#[derive(Debug)]
pub(super) struct PlainSession;

impl Session for PlainSession {
    fn client(&mut self, bytes: &[u8], output: &mut Output) {
        output.to_server.extend_from_slice(bytes);
    }

    fn server(&mut self, bytes: &[u8], output: &mut Output) {
        output.to_client.extend_from_slice(bytes);
    }
}

/// Forwards everything, and whether the other side can be reached is nobody's concern.
#[derive(Debug)]
pub(super) struct PlainProtocol;

impl Protocol for PlainProtocol {
    fn session(&self) -> Box<dyn Session> {
        Box::new(PlainSession)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const MAIL: PlainDriver = PlainDriver { name: "mail", variable: "MAIL_URL" };

    /// A service that greets whoever connects, and its URL.
    async fn greeter() -> (String, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://user:secret@{}/box?tls=no", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let _ = client.write_all(b"220 ready\r\n").await;
            }
        });
        (url, serving)
    }

    async fn greeting(url: &str) -> String {
        let url = Url::parse(url).unwrap();
        let mut client = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap();
        let mut text = String::new();
        let _ = client.read_to_string(&mut text).await;
        text
    }

    #[tokio::test]
    async fn each_check_gets_a_proxy_of_its_own_under_the_same_url() {
        let (url, _serving) = greeter().await;
        let service = MAIL.connect(Access::to(&url, "a nonce")).await.unwrap();
        let one = service.tenant(Transcript::default()).await.unwrap();
        let two = service.tenant(Transcript::default()).await.unwrap();
        assert_ne!(one.url(), two.url());
        assert!(one.url().starts_with("smtp://user:secret@127.0.0.1:") && one.url().ends_with("/box?tls=no"));
        assert_eq!(one.variables(), [("MAIL_URL".to_owned(), one.url().to_owned())]);
        let as_any: &dyn std::any::Any = one.as_ref();
        as_any.downcast_ref::<PlainTenant>().unwrap().proxy().cut();
        assert_eq!(greeting(one.url()).await, "");
        assert_eq!(greeting(two.url()).await, "220 ready\r\n");
        assert!(service.is_alive().await && two.service_error().is_none());
    }

    #[tokio::test]
    async fn a_service_that_is_gone_is_nobodys_failed_check() {
        let (url, serving) = greeter().await;
        let service = MAIL.connect(Access::to(&url, "a nonce")).await.unwrap();
        let tenant = service.tenant(Transcript::default()).await.unwrap();
        serving.abort();
        let _ = serving.await;
        assert_eq!(greeting(tenant.url()).await, "");
        assert!(tenant.service_error().unwrap().starts_with("the service could not be reached"));
        assert!(!service.is_alive().await);
        assert!(MAIL.connect(Access::to(&url, "a nonce")).await.is_err());
        assert!(MAIL.connect(Access::to("mailto:somebody", "a nonce")).await.is_err());
    }
}
