//! The start of a connection, in which the proxy stands for the server to the client, and for the client to the server.
//!
//! The client is asked for its password as it is, and the proxy signs in with SCRAM. Hashing 4096 times protects
//! passwords that people think up; ours are random and never leave this machine. But it costs every connection of a
//! server in an unoptimised build 40 ms, more than most checks take (PostgreSQL manual, "Message Flow", "Start-up").

use super::start_up::{Request, StartUp, refusal};
use super::wire::{Framer, Message, NotUnderstood, message};
use lab_check::naming;
use lab_proxy::Output;
use lab_scram::client::{self, Exchange};

/// The most that a client may say before it is let in. No client says anything.
const MOST_EARLY: usize = 64 * 1024;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The client's start-up packet is awaited.
    Starting,
    /// The client's password is awaited.
    Asking,
    /// The server's consent is awaited.
    SigningIn,
    /// What follows is a session.
    Done,
    /// A request to cancel has passed, and nothing else does.
    Cancelling,
    /// Nothing passes any more.
    Refused,
}

/// Who may come in, and as whom.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// The role, whose name is that of its database too.
    pub role: String,
    /// What lets a client in.
    pub password: String,
    /// What the proxy itself signs in with. The client's password is good for nothing at the server.
    pub secret: String,
}

/// One connection's start.
pub(super) struct Login {
    pub stage: Stage,
    account: Account,
    client: Framer,
    server: Framer,
    /// The message of the server's that is being read.
    held: Vec<u8>,
    /// What the server is told, once the client's password is known to be right.
    start: Vec<u8>,
    /// What the client said before it was told that it may.
    early: Vec<u8>,
    /// The server's refusal, which the recorder is to see too.
    refusal: Vec<u8>,
    exchange: Exchange,
    service_error: Option<String>,
    /// Why the proxy itself refused the client.
    refused: Option<String>,
}

impl Login {
    pub fn new(account: Account) -> Self {
        Self {
            stage: Stage::Starting,
            account,
            client: Framer::client(),
            server: Framer::server(),
            held: Vec::new(),
            start: Vec::new(),
            early: Vec::new(),
            refusal: Vec::new(),
            exchange: Exchange::new(&naming::password()),
            service_error: None,
            refused: None,
        }
    }

    /// What went wrong between the proxy and the server.
    pub fn take_service_error(&mut self) -> Option<String> {
        self.service_error.take()
    }

    /// Why the proxy refused the client; told once.
    pub fn take_refused(&mut self) -> Option<String> {
        self.refused.take()
    }

    /// What the client said too early.
    pub fn take_early(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.early)
    }

    /// The server's refusal, not yet passed on.
    pub fn take_refusal(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.refusal)
    }

    /// Takes what the client sent, and gives how much of it belongs to the start.
    pub fn client(&mut self, bytes: &[u8], output: &mut Output) -> usize {
        let mut at = 0;
        while at < bytes.len() && matches!(self.stage, Stage::Starting | Stage::Asking) {
            match self.client.next(&bytes[at..]) {
                Ok((taken, message)) => {
                    at += taken;
                    match (message, self.stage) {
                        (Some(packet), Stage::Starting) => self.packet(&packet, output),
                        (Some(message), _) => self.password(&message, output),
                        (None, _) => {}
                    }
                }
                Err(NotUnderstood) => self.refuse("08P01", "what was sent is no start of a connection", output),
            }
        }
        match self.stage {
            Stage::SigningIn if self.early.len() + bytes.len() - at > MOST_EARLY => {
                self.refuse("08P01", "too much was sent before the connection was accepted", output);
                bytes.len()
            }
            Stage::SigningIn => {
                self.early.extend_from_slice(&bytes[at..]);
                bytes.len()
            }
            Stage::Cancelling | Stage::Refused => bytes.len(),
            Stage::Starting | Stage::Asking | Stage::Done => at,
        }
    }

    /// A start-up packet: a request for encryption, a cancellation, or the beginning of a session.
    fn packet(&mut self, packet: &Message, output: &mut Output) {
        match Request::read(&packet.body) {
            // Encrypted statements could not be counted, and nothing leaves this machine.
            Some(Request::Encryption) => output.to_client.push(b'N'),
            Some(Request::Cancel) => {
                self.stage = Stage::Cancelling;
                let length = u32::try_from(packet.body.len() + 4).unwrap_or(u32::MAX);
                output.to_server.extend(length.to_be_bytes());
                output.to_server.extend_from_slice(&packet.body);
            }
            Some(Request::Session(start)) => self.session(&start, output),
            None => self.refuse("0A000", "unsupported frontend protocol: only version 3 is supported", output),
        }
    }

    /// Only what can be recorded is let in: the role and the database that were handed out, in the protocol that the
    /// recorder reads.
    fn session(&mut self, start: &StartUp, output: &mut Output) {
        let Account { role, .. } = &self.account;
        if start.replicates() {
            return self.refuse("0A000", "replication connections are not available in the labs", output);
        }
        let user = start.value(b"user").unwrap_or_default();
        if user != role.as_bytes() {
            let text = format!("password authentication failed for user \"{}\"", String::from_utf8_lossy(user));
            return self.refuse("28P01", &text, output);
        }
        let database = start.value(b"database").filter(|name| !name.is_empty()).unwrap_or(user);
        if database != role.as_bytes() {
            let text = format!("database \"{}\" does not exist", String::from_utf8_lossy(database));
            return self.refuse("3D000", &text, output);
        }
        self.client.start_up_is_over();
        output.to_client.extend(start.negotiation());
        self.start = start.packet();
        self.stage = Stage::Asking;
        output.to_client.extend(message(b'R', &3_u32.to_be_bytes()));
    }

    fn password(&mut self, message: &Message, output: &mut Output) {
        if message.tag != b'p' {
            return self.refuse("08P01", "expected a password message", output);
        }
        if Message::text(&message.body).0 == self.account.password.as_bytes() {
            self.stage = Stage::SigningIn;
            output.to_server.append(&mut self.start);
        } else {
            let text = format!("password authentication failed for user \"{}\"", self.account.role);
            self.refuse("28P01", &text, output);
        }
    }

    /// Takes what the server sent, and gives how much of it belongs to the start.
    pub fn server(&mut self, bytes: &[u8], output: &mut Output) -> usize {
        let mut at = 0;
        while at < bytes.len() && self.stage == Stage::SigningIn {
            match self.server.next(&bytes[at..]) {
                Ok((taken, message)) => {
                    self.held.extend_from_slice(&bytes[at..at + taken]);
                    at += taken;
                    if let Some(message) = message {
                        let raw = std::mem::take(&mut self.held);
                        self.answer(&message, raw, output);
                    }
                }
                Err(NotUnderstood) => self.fail("it does not speak the protocol of Postgres", output),
            }
        }
        at
    }

    fn answer(&mut self, message: &Message, raw: Vec<u8>, output: &mut Output) {
        if message.tag != b'R' {
            // An error ends the start, for instance that there are too many connections.
            if message.tag == b'E' {
                self.stage = Stage::Done;
                self.refusal = raw;
                return;
            }
            return output.to_client.extend(raw);
        }
        let Some((code, data)) = message.body.split_first_chunk::<4>() else { return };
        let reply = match u32::from_be_bytes(*code) {
            0 => {
                self.stage = Stage::Done;
                return output.to_client.extend(raw);
            }
            3 => Some([self.account.secret.as_bytes(), b"\0"].concat()),
            10 => {
                let first = self.exchange.first();
                let length = u32::try_from(first.len()).unwrap_or_default().to_be_bytes();
                Some([client::MECHANISM, b"\0", &length, first.as_bytes()].concat())
            }
            11 => {
                let server_first = String::from_utf8_lossy(data);
                self.exchange.last(&server_first, &self.account.secret).map(String::into_bytes)
            }
            // The server's own proof: it stands where the administrator's URL says, and is believed.
            12 => return,
            _ => None,
        };
        match reply {
            Some(reply) => output.to_server.extend(self::message(b'p', &reply)),
            None => {
                let way = u32::from_be_bytes(*code);
                let what = format!("it asks for an authentication method that the grader does not support ({way})");
                self.fail(&what, output);
            }
        }
    }

    /// The grader's own way in is blocked.
    fn fail(&mut self, why: &str, output: &mut Output) {
        self.service_error = Some(format!("Postgres cannot be used: {why}"));
        self.end("08006", "the grader could not authenticate to Postgres", output);
    }

    fn refuse(&mut self, code: &str, text: &str, output: &mut Output) {
        self.refused = Some(format!("FATAL {code}: {text}"));
        self.end(code, text, output);
    }

    fn end(&mut self, code: &str, text: &str, output: &mut Output) {
        output.to_client.extend(refusal(code, text));
        output.close = true;
        self.stage = Stage::Refused;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len() + 4).unwrap().to_be_bytes()[..], body].concat()
    }

    fn start(user: &str) -> Vec<u8> {
        packet(&[b"\0\x03\0\0application_name\0x\0user\0", user.as_bytes(), b"\0\0"].concat())
    }

    fn login() -> Login {
        Login::new(Account { role: "lab".into(), password: "secret".into(), secret: "another".into() })
    }

    fn code(number: u32) -> [u8; 4] {
        number.to_be_bytes()
    }

    #[test]
    fn a_request_for_encryption_is_declined_and_never_passed_on() {
        let (mut login, mut output) = (login(), Output::default());
        for byte in [packet(&code(80_877_104)), packet(&code(80_877_103))].concat() {
            login.client(&[byte], &mut output);
        }
        assert_eq!((output.to_client.as_slice(), output.to_server.len()), (&b"NN"[..], 0));
    }

    #[test]
    fn the_server_hears_of_a_client_whose_password_is_right() {
        for size in [1, 3, 1000] {
            let (mut login, mut output) = (login(), Output::default());
            start("lab").chunks(size).for_each(|chunk| assert_eq!(login.client(chunk, &mut output), chunk.len()));
            assert_eq!(std::mem::take(&mut output.to_client), message(b'R', &code(3)));
            let password = [message(b'p', b"secret\0"), message(b'Q', b"select 1\0")].concat();
            password.chunks(size).for_each(|chunk| assert_eq!(login.client(chunk, &mut output), chunk.len()));
            assert_eq!(std::mem::take(&mut output.to_server), start("lab"));
            assert_eq!(login.take_early(), message(b'Q', b"select 1\0"));
            let sasl = message(b'R', &[&code(10)[..], b"SCRAM-SHA-256\0\0"].concat());
            sasl.chunks(size).for_each(|chunk| assert_eq!(login.server(chunk, &mut output), chunk.len()));
            assert!(std::mem::take(&mut output.to_server).starts_with(b"p\0\0\0"));
            let ok = message(b'R', &code(0));
            let rest = message(b'Z', b"I");
            assert_eq!(login.server(&[ok.clone(), rest].concat(), &mut output), ok.len());
            assert_eq!((login.stage, output.to_client), (Stage::Done, ok));
        }
    }

    #[test]
    fn a_wrong_password_is_refused_and_the_server_hears_nothing() {
        let (mut login, mut output) = (login(), Output::default());
        login.client(&[start("lab"), message(b'p', b"guess\0")].concat(), &mut output);
        assert!(output.close && output.to_server.is_empty());
        assert!(String::from_utf8_lossy(&output.to_client).contains("28P01"));
    }

    #[test]
    fn a_cancellation_passes_alone_and_is_not_waited_for() {
        let bytes = packet(&[code(80_877_102), code(1), code(2)].concat());
        let (mut login, mut output) = (login(), Output::default());
        let more = [bytes.clone(), start("lab"), b"anything".to_vec()].concat();
        assert_eq!(login.client(&more, &mut output), more.len());
        assert_eq!(login.client(b"more", &mut output), 4);
        assert_eq!((login.stage, output.to_server), (Stage::Cancelling, bytes));
    }

    /// What the proxy answers to `bytes`, of which the server is to hear nothing.
    fn refused(bytes: &[u8]) -> String {
        let mut texts = [1, 4, 1000].map(|size| {
            let (mut login, mut output) = (login(), Output::default());
            bytes.chunks(size).for_each(|chunk| assert_eq!(login.client(chunk, &mut output), chunk.len()));
            assert!(output.close && login.stage == Stage::Refused, "it was let in");
            assert_eq!(output.to_server, b"", "the server has heard of it");
            assert_eq!(login.take_early(), b"");
            login.take_refused().unwrap()
        });
        texts.sort();
        assert_eq!(texts.first(), texts.last());
        texts[0].clone()
    }

    #[test]
    fn only_what_can_be_recorded_is_let_in() {
        let parameters = |text: &str| packet(&[&[0, 3, 0, 0], text.replace(' ', "\0").as_bytes(), b"\0\0"].concat());
        let password = message(b'p', b"secret\0");
        // A second start-up packet used to pass, and everything after it.
        assert!(refused(&[start("lab"), start("lab")].concat()).contains("08P01"));
        assert!(refused(&[start("lab"), start("postgres"), password.clone()].concat()).contains("08P01"));
        assert!(refused(&[start("lab"), message(b'Q', b"secret\0")].concat()).contains("08P01"));
        assert!(refused(&start("postgres")).contains("28P01"));
        assert!(refused(&parameters("user lab user postgres")).contains("28P01"));
        assert!(refused(&parameters("user lab database postgres")).contains("3D000"));
        assert!(refused(&parameters("user lab replication database")).contains("0A000"));
        assert!(refused(&packet(b"\0\x02\0\0lab")).contains("0A000"));
        assert!(refused(b"GET / HTTP/1.1\r\n\r\n").contains("08P01"));
    }

    #[test]
    fn a_client_that_does_not_wait_to_be_let_in_does_not_fill_our_memory() {
        let (mut login, mut output) = (login(), Output::default());
        login.client(&[start("lab"), message(b'p', b"secret\0")].concat(), &mut output);
        while login.stage == Stage::SigningIn {
            assert_eq!(login.client(&[0; 10_000], &mut output), 10_000);
        }
        assert!(login.take_early().len() <= MOST_EARLY && output.close);
    }
}
