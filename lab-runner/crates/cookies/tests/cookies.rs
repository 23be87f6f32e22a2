//! The jar against a small server that sets cookies and notes those it gets.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure};
use lab_cookies::CookieJar;
use lab_http::{Peer, Request, Response};

/// A server on loopback that answers each request with the fields `set`, and tells the `Cookie` field of each.
struct Server {
    address: SocketAddr,
    cookies: Receiver<String>,
}

impl Server {
    fn setting(set: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (noted, cookies) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let head: Vec<String> =
                    BufReader::new(&stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                let cookie = head.iter().find_map(|line| line.strip_prefix("Cookie: ")).unwrap_or_default();
                let _ = noted.send(cookie.to_owned());
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n{set}\r\n").unwrap();
            }
        });
        Self { address, cookies }
    }

    fn get(&self, target: &str) -> Request {
        let peer = Peer {
            address: self.address,
            network: lab_sandbox::Network::default(),
            agent: "lab",
            transcript: Transcript::default(),
            by_hand: String::new(),
        };
        Request::new(peer, "GET", target)
    }

    /// The cookies that a request for `target` brings along.
    async fn gets(&self, target: &str, jar: &CookieJar) -> String {
        jar.on(self.get(target)).await.unwrap();
        self.cookies.recv().unwrap()
    }
}

async fn answer(set: &'static str, target: &str) -> Response {
    Server::setting(set).get(target).await.unwrap()
}

/// The message of what must be the learner's failure.
fn message<T: std::fmt::Debug>(result: CheckResult<T>) -> String {
    match result {
        Err(Failure::Learner(explanation)) => explanation.message,
        other => panic!("expected a learner's failure, got {other:?}"),
    }
}

#[tokio::test]
async fn a_jar_keeps_sends_and_forgets_as_a_browser_does() {
    let mut jar = CookieJar::default();
    let first = "Set-Cookie: session=abc; Path=/; HttpOnly\r\nSet-Cookie: cart=1; Path=/shop\r\nSet-Cookie: here=x\r\n";
    jar.store(&answer(first, "/").await).unwrap();
    assert_eq!(jar.get("session").unwrap().http_only(), Some(true));
    let server = Server::setting("");
    assert_eq!(server.gets("/shop/cart?a=/", &jar).await, "cart=1; session=abc; here=x");
    assert_eq!(server.gets("/shopping", &jar).await, "session=abc; here=x");
    let ended =
        "Set-Cookie: session=; Max-Age=0; Path=/\r\nSet-Cookie: here=; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    jar.store(&answer(ended, "/").await).unwrap();
    assert_eq!(server.gets("/shop", &jar).await, "cart=1");
    assert_eq!(server.gets("/", &jar).await, "");
}

#[tokio::test]
async fn a_cookie_without_a_path_belongs_to_the_folder_it_was_set_in() {
    let mut jar = CookieJar::default();
    jar.store(&answer("Set-Cookie: step=2\r\n", "/account/settings?a=/b/").await).unwrap();
    let server = Server::setting("");
    assert_eq!(server.gets("/account/orders", &jar).await, "step=2");
    assert_eq!(server.gets("/accounts", &jar).await, "");
}

#[tokio::test]
async fn what_is_no_cookie_is_the_learners_failure() {
    let nonsense = answer("Set-Cookie: nonsense\r\n", "/").await;
    let told = message(CookieJar::default().store(&nonsense));
    assert!(told.starts_with("a Set-Cookie field is no cookie"), "{told}");
}
