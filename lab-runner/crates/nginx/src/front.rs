//! An nginx that runs, with its certificate.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Ours as _};
use lab_http::{Peer, Request, Response};
use lab_instance::{Folder, Instance, Program, free_ports};
use lab_sandbox::Network;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::tunnel::{End, Tunnel};

/// How long it may take to start, on a busy machine.
const START: Duration = Duration::from_secs(20);
/// Whom its certificate is for.
const HOST: &str = "localhost";

/// An nginx with TLS in front of a server. It ends when it is dropped.
#[derive(Debug)]
pub struct Front {
    address: SocketAddr,
    connector: Connector,
    /// The client that the check's requests are of.
    agent: &'static str,
    transcript: Transcript,
    /// The ways of clients to it, which stand until the check is over.
    tunnels: Mutex<Vec<Tunnel>>,
    _instance: Instance,
    /// Its way to the server.
    _way: Tunnel,
    /// After the instance: it goes when that has ended.
    _folder: Folder,
}

/// How its clients trust it.
struct Connector(TlsConnector);

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl Front {
    pub(super) async fn start(
        program: &Path,
        server: SocketAddr,
        network: Network,
        agent: &'static str,
        transcript: Transcript,
    ) -> CheckResult<Self> {
        let folder = Folder::new("nginx").ours("making a folder for nginx")?;
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).ours("making a certificate")?;
        folder.write("certificate.pem", &made.cert.pem()).ours("writing a certificate")?;
        folder.write("key.pem", &made.signing_key.serialize_pem()).ours("writing a certificate's key")?;
        let way = Tunnel::open(End::Server(server, network)).await.ours("opening a way from nginx to the server")?;
        let port = free_ports(1).ours("finding a port for nginx")?[0];
        folder.write("nginx.conf", &settings(port, way.address)).ours("writing the settings of nginx")?;
        let command = Program::new(program).args(["-e", "stderr", "-p", ".", "-c", "nginx.conf"]);
        let instance = Instance::start(command, &folder, "nginx").ours("starting nginx")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listens = || async move { TcpStream::connect(address).await.is_ok() };
        instance.until_ready(START, listens).await.ours("starting nginx")?;
        transcript.note(format!("nginx: started by the check, in front of the server on port {}", server.port()));
        Ok(Self {
            address,
            connector: connector(made.cert.der().clone())?,
            agent,
            transcript,
            tunnels: Mutex::default(),
            _instance: instance,
            _way: way,
            _folder: folder,
        })
    }

    /// Where it listens, by TLS, for `localhost`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A request over TLS from `source`, an address of this machine, with these fields.
    ///
    /// # Errors
    /// As [`Request`]; ours, if no port can be had.
    pub async fn get(&self, path: &str, fields: &[(&str, &str)], source: Ipv4Addr) -> CheckResult<Response> {
        let request = self.request_from("GET", path, source).await?;
        fields.iter().fold(request, |request, (name, value)| request.header(*name, value)).await
    }

    /// A request over TLS from `source`, an address of this machine.
    ///
    /// # Errors
    /// Ours, if no port can be had.
    pub async fn request_from(&self, method: &str, path: &str, source: Ipv4Addr) -> CheckResult<Request> {
        let name = ServerName::try_from(HOST).ours("naming nginx's host")?;
        let (server, from, connector) = (self.address, IpAddr::V4(source), self.connector.0.clone());
        let tunnel = Tunnel::open(End::Tls { server, from, connector, name }).await;
        let tunnel = tunnel.ours("opening a way to nginx")?;
        let (network, transcript) = (Network::of_this_machine(), self.transcript.clone());
        let peer = Peer { address: tunnel.address, network, agent: self.agent, transcript, by_hand: String::new() };
        self.tunnels.lock().unwrap_or_else(PoisonError::into_inner).push(tunnel);
        Ok(Request::new(peer, method, path).header("Host", HOST))
    }
}

fn settings(port: u16, server: SocketAddr) -> String {
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n\
         client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\nuwsgi_temp_path uwsgi;\n\
         scgi_temp_path scgi;\nserver {{\nlisten 127.0.0.1:{port} ssl;\nserver_name {HOST};\n\
         ssl_certificate certificate.pem;\nssl_certificate_key key.pem;\nlocation / {{\nproxy_pass http://{server};\n\
         proxy_http_version 1.1;\nproxy_set_header Host $http_host;\n\
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         proxy_set_header X-Forwarded-Proto $scheme;\n}}\n}}\n}}\n"
    )
}

/// Trusts this certificate and no other.
fn connector(certificate: CertificateDer<'static>) -> CheckResult<Connector> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).ours("trusting the certificate of nginx")?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ours("preparing TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector(TlsConnector::from(Arc::new(config))))
}

#[cfg(test)]
mod tests {
    use lab_test_services::PrivateService;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers each request with the request's head.
    async fn mirror() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, peer)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let count = client.read(&mut head).await.unwrap_or_default();
                let body = format!("peer: {}\r\n{}", peer.ip(), String::from_utf8_lossy(&head[..count]));
                let length = body.len();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                let _ = client.write_all(answer.as_bytes()).await;
            }
        });
        address
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_behind_nginx_is_told_who_asked_and_how() {
        let service = PrivateService::start("nginx");
        let (server, network) = (mirror().await, Network::of_this_machine());
        let front = Front::start(service.program(), server, network, "lab", Transcript::default()).await.unwrap();
        let forged = [("X-Forwarded-For", "203.0.113.9")];
        let answer = front.get("/client?x=1", &forged, Ipv4Addr::LOCALHOST).await.unwrap();
        let text = answer.expect_status(200).unwrap().text();
        for part in [
            "peer: 127.0.0.1",
            "GET /client?x=1",
            "X-Forwarded-For: 203.0.113.9, 127.0.0.1",
            "X-Forwarded-Proto: https",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        // By plain HTTP it is not to be had.
        let mut plain = TcpStream::connect(front.address()).await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut refused = String::new();
        let _ = plain.read_to_string(&mut refused).await;
        assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    }
}
