//! The start of a connection, in which the proxy stands for the server to the client, and for the client to the server.
//!
//! The client is asked for its password as it is, and the proxy signs in with SCRAM. Hashing 4096 times protects
//! passwords that people think up; ours are random and never leave this machine. But it costs every connection of a
//! server in an unoptimised build 40 ms, more than most checks take (PostgreSQL manual, "Message Flow", "Start-up").

use super::wire::{Framer, Message, NotUnderstood};
use lab_check::naming;
use lab_proxy::Output;
use lab_scram::client::{self, Exchange};

const SSL_REQUEST: i32 = 80_877_103;
const GSS_REQUEST: i32 = 80_877_104;
const CANCEL_REQUEST: i32 = 80_877_102;

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
    /// What follows is no session, or not understood: it passes as it is.
    Blind,
}

/// Who may come in, and as whom.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub role: String,
    pub password: String,
}

/// One connection's start.
pub(super) struct Login {
    pub stage: Stage,
    account: Account,
    client: Framer,
    server: Framer,
    /// The packet or message that is being read.
    held: Vec<u8>,
    /// The client's start-up packet, until its password is known to be right.
    start: Vec<u8>,
    /// What the client said before it was told that it may.
    early: Vec<u8>,
    /// The server's refusal, which the recorder is to see too.
    refusal: Vec<u8>,
    exchange: Exchange,
    service_error: Option<String>,
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
        }
    }

    /// What went wrong between the proxy and the server.
    pub fn take_service_error(&mut self) -> Option<String> {
        self.service_error.take()
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
                    self.held.extend_from_slice(&bytes[at..at + taken]);
                    at += taken;
                    if let Some(message) = message {
                        let raw = std::mem::take(&mut self.held);
                        match self.stage {
                            Stage::Starting => self.packet(&message, raw, output),
                            _ => self.password(&message, output),
                        }
                    }
                }
                Err(NotUnderstood) => {
                    self.stage = Stage::Blind;
                    output.to_server.append(&mut self.held);
                }
            }
        }
        if self.stage == Stage::SigningIn {
            self.early.extend_from_slice(&bytes[at..]);
            return bytes.len();
        }
        at
    }

    /// A start-up packet: a request for encryption, a cancellation, or the beginning of a session.
    fn packet(&mut self, packet: &Message, raw: Vec<u8>, output: &mut Output) {
        let Some((code, parameters)) = packet.body.split_first_chunk::<4>() else { return };
        match i32::from_be_bytes(*code) {
            // Encrypted statements could not be counted, and nothing leaves this machine.
            SSL_REQUEST | GSS_REQUEST => output.to_client.push(b'N'),
            CANCEL_REQUEST => {
                self.stage = Stage::Blind;
                output.to_server.extend(raw);
            }
            code if code >> 16 == 3 => {
                self.client.start_up_is_over();
                if parameter(parameters, b"user") == Some(self.account.role.as_bytes()) {
                    self.start = raw;
                    self.stage = Stage::Asking;
                    output.to_client.extend(message(b'R', &3_u32.to_be_bytes()));
                } else {
                    // Another role signs in by itself, and Postgres judges it.
                    self.stage = Stage::Done;
                    output.to_server.extend(raw);
                }
            }
            _ => {
                self.stage = Stage::Blind;
                output.to_server.extend(raw);
            }
        }
    }

    fn password(&mut self, message: &Message, output: &mut Output) {
        let password = Message::text(&message.body).0;
        if message.tag == b'p' && password == self.account.password.as_bytes() {
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
                Err(NotUnderstood) => {
                    self.stage = Stage::Blind;
                    output.to_client.append(&mut self.held);
                }
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
            3 => Some([self.account.password.as_bytes(), b"\0"].concat()),
            10 => {
                let first = self.exchange.first();
                let length = u32::try_from(first.len()).unwrap_or_default().to_be_bytes();
                Some([client::MECHANISM, b"\0", &length, first.as_bytes()].concat())
            }
            11 => {
                let server_first = String::from_utf8_lossy(data);
                self.exchange.last(&server_first, &self.account.password).map(String::into_bytes)
            }
            // The server's own proof: it stands where the administrator's URL says, and is believed.
            12 => return,
            _ => None,
        };
        match reply {
            Some(reply) => output.to_server.extend(self::message(b'p', &reply)),
            None => {
                let way = u32::from_be_bytes(*code);
                self.service_error = Some(format!(
                    "Postgres asks for an authentication method that the grader does not support ({way})"
                ));
                self.refuse("08P01", "the grader could not authenticate to Postgres", output);
            }
        }
    }

    fn refuse(&mut self, code: &str, text: &str, output: &mut Output) {
        let body = format!("SFATAL\0VFATAL\0C{code}\0M{text}\0\0");
        output.to_client.extend(message(b'E', body.as_bytes()));
        output.close = true;
        self.stage = Stage::Blind;
    }
}

/// The value of a start-up packet's parameter.
fn parameter<'a>(mut parameters: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    while parameters.first().is_some_and(|&byte| byte != 0) {
        let (name, rest) = Message::text(parameters);
        let (value, next) = Message::text(rest);
        if name == wanted {
            return Some(value);
        }
        parameters = next;
    }
    None
}

/// A message as it is sent.
fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&[tag][..], &length.to_be_bytes(), body].concat()
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
        Login::new(Account { role: "lab".into(), password: "secret".into() })
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
    fn another_role_signs_in_by_itself() {
        let (mut login, mut output) = (login(), Output::default());
        login.client(&start("postgres"), &mut output);
        assert_eq!((login.stage, output.to_server), (Stage::Done, start("postgres")));
    }

    #[test]
    fn a_cancellation_passes_and_is_not_waited_for() {
        let bytes = packet(&[code(80_877_102), code(1), code(2)].concat());
        let (mut login, mut output) = (login(), Output::default());
        assert_eq!(login.client(&bytes, &mut output), bytes.len());
        assert_eq!((login.stage, output.to_server), (Stage::Blind, bytes));
    }
}
