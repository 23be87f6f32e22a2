//! A driver for a service that neither protocol nor kit nor runner knows: a line is asked, a line is answered.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use lab_check::exchanges::{EntryId, ExchangeLog, Recordable};
use lab_check::service::{Access, Service, ServiceDriver, Tenant};
use lab_check::transcript::{Asked, Exchange, Transcript};
use lab_check::{CheckResult, Ours as _};
use lab_proxy::{Failpoints, Output, Protocol, Proxy, Session, Upstream};
use lab_sandbox::Network;

/// One line that was asked.
#[derive(Debug, Clone)]
pub struct Question {
    line: String,
    at: Instant,
}

impl Recordable for Question {
    const SERVICE: &'static str = "Toy";
    const NOUN: &'static str = "question";

    fn counts(&self) -> bool {
        self.line != "PING"
    }

    fn text(&self) -> String {
        self.line.clone()
    }
}

#[derive(Debug)]
pub struct Driver;

impl ServiceDriver for Driver {
    fn name(&self) -> &str {
        "toy"
    }

    fn title(&self) -> &str {
        "Toy"
    }

    fn connect(&self, access: Access) -> BoxFuture<'_, CheckResult<Box<dyn Service>>> {
        Box::pin(async move {
            let url = url::Url::parse(&access.url).ours("reading the URL of Toy")?;
            let host = url.host_str().unwrap_or_default().to_owned();
            let connection = Connection { host, port: url.port().unwrap_or(7777) };
            Ok(Box::new(connection) as Box<dyn Service>)
        })
    }
}

#[derive(Debug)]
struct Connection {
    host: String,
    port: u16,
}

impl Service for Connection {
    fn version(&self) -> &str {
        "Toy 3.2.1"
    }

    fn is_alive(&self) -> BoxFuture<'_, bool> {
        let connected = tokio::net::TcpStream::connect((self.host.as_str(), self.port));
        Box::pin(async move { connected.await.is_ok() })
    }

    fn tenant(&self, transcript: Transcript) -> BoxFuture<'_, CheckResult<Box<dyn Tenant>>> {
        let log = ExchangeLog::new(transcript.clone());
        let upstream = Upstream::Tcp(self.host.clone(), self.port);
        let proxy = Proxy::start("Toy", upstream, Arc::new(Lines(log.clone())), Failpoints::default(), transcript);
        let made = proxy.ours("opening a port for the proxy of Toy").map(|proxy| {
            let url = format!("toy://{}/", proxy.address());
            Box::new(Toy { url, proxy, log }) as Box<dyn Tenant>
        });
        Box::pin(std::future::ready(made))
    }

    fn close(&self) -> BoxFuture<'_, CheckResult> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A check's way to the service.
#[derive(Debug)]
pub struct Toy {
    url: String,
    proxy: Proxy,
    pub log: ExchangeLog<Question>,
}

impl Tenant for Toy {
    fn url(&self) -> &str {
        &self.url
    }

    fn variables(&self) -> Vec<(String, String)> {
        vec![("TOY_URL".to_owned(), self.url.clone())]
    }

    fn service_error(&self) -> Option<String> {
        self.log.service_error()
    }

    fn open_in(&self, network: &Network) -> std::io::Result<()> {
        self.proxy.open_in(network)
    }

    fn restore(&self) -> bool {
        self.proxy.restore_if_disturbed()
    }

    fn release(&self) -> BoxFuture<'_, ()> {
        self.proxy.shut();
        Box::pin(std::future::ready(()))
    }
}

/// Records each connection into the same log.
struct Lines(ExchangeLog<Question>);

impl Protocol for Lines {
    fn session(&self) -> Box<dyn Session> {
        Box::new(Line { log: self.0.of_a_connection(), asked: None })
    }

    fn unreachable(&self, reason: &str) {
        self.0.service_failed(format!("Toy could not be reached: {reason}"));
    }
}

/// One connection, which asks once: lines as short as these come in one piece.
struct Line {
    log: ExchangeLog<Question>,
    asked: Option<EntryId>,
}

impl Session for Line {
    fn client(&mut self, bytes: &[u8], output: &mut Output) {
        let line = String::from_utf8_lossy(bytes).trim_end().to_owned();
        self.asked = Some(self.log.keep(Question { line, at: Instant::now() }, bytes.len()));
        output.to_server.extend_from_slice(bytes);
    }

    fn server(&mut self, bytes: &[u8], output: &mut Output) {
        let answer = String::from_utf8_lossy(bytes).trim_end().to_owned();
        let asked = self.asked.take().and_then(|asked| self.log.change(asked, |question| question.clone()));
        if let Some(Question { line, at }) = asked {
            let exchange = Exchange::new("toy", Question::SERVICE, Asked::Command(line));
            self.log.record(exchange.answered(&answer, answer == "UNKNOWN", at.elapsed()));
        }
        output.to_client.extend_from_slice(bytes);
    }
}
