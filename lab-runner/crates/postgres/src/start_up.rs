//! What a client's first packets ask for (PostgreSQL manual, "Message Formats", StartupMessage and its siblings).

use super::wire::{Message, message};

const CANCEL_REQUEST: i32 = 80_877_102;
const SSL_REQUEST: i32 = 80_877_103;
const GSS_REQUEST: i32 = 80_877_104;
/// Version 3.0, the one that the recorder reads.
const VERSION: i32 = 3 << 16;
/// What the names of protocol options begin with, which are no settings.
const OPTION: &[u8] = b"_pq_.";

/// What a packet without a type asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Encryption, by TLS or GSSAPI.
    Encryption,
    /// The end of another connection's statement.
    Cancel,
    /// A session.
    Session(StartUp),
}

impl Request {
    /// The request that the packet with this body makes; nothing, if it is of another protocol.
    pub fn read(body: &[u8]) -> Option<Self> {
        let (code, parameters) = body.split_first_chunk::<4>()?;
        match i32::from_be_bytes(*code) {
            SSL_REQUEST | GSS_REQUEST => Some(Self::Encryption),
            CANCEL_REQUEST => Some(Self::Cancel),
            code if code >> 16 == 3 => Some(Self::Session(StartUp::read(code, parameters))),
            _ => None,
        }
    }
}

/// The start of a session.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct StartUp {
    version: i32,
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

impl StartUp {
    fn read(version: i32, mut bytes: &[u8]) -> Self {
        let mut parameters = Vec::new();
        while bytes.first().is_some_and(|&byte| byte != 0) {
            let (name, rest) = Message::text(bytes);
            let (value, next) = Message::text(rest);
            parameters.push((name.to_vec(), value.to_vec()));
            bytes = next;
        }
        Self { version, parameters }
    }

    /// The value of a parameter. Of two with one name the last counts, as it does in Postgres.
    pub fn value(&self, wanted: &[u8]) -> Option<&[u8]> {
        self.parameters.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value.as_slice())
    }

    /// Whether it is to be a connection for replication, whose messages are others. Postgres takes each value that it
    /// knows as a boolean.
    pub fn replicates(&self) -> bool {
        const FALSE: [&[u8]; 11] = [b"0", b"of", b"off", b"n", b"no", b"f", b"fa", b"fal", b"fals", b"false", b""];
        self.parameters
            .iter()
            .any(|(name, value)| name == b"replication" && !FALSE.iter().any(|known| known.eq_ignore_ascii_case(value)))
    }

    /// The same as a packet of the version that the recorder reads, without protocol options.
    pub fn packet(&self) -> Vec<u8> {
        let mut body = VERSION.to_be_bytes().to_vec();
        for (name, value) in self.parameters.iter().filter(|(name, _)| !name.starts_with(OPTION)) {
            for text in [name, value] {
                body.extend_from_slice(text);
                body.push(0);
            }
        }
        body.push(0);
        let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
        [&length.to_be_bytes()[..], &body].concat()
    }

    /// What tells a client of a newer minor version or with protocol options that it gets neither; nothing for others
    /// (NegotiateProtocolVersion; the server sends the whole version, and clients expect that).
    pub fn negotiation(&self) -> Vec<u8> {
        let options: Vec<&[u8]> = self.parameters.iter().map(|(name, _)| name.as_slice()).collect();
        let options: Vec<&[u8]> = options.into_iter().filter(|name| name.starts_with(OPTION)).collect();
        if self.version == VERSION && options.is_empty() {
            return Vec::new();
        }
        let mut body = VERSION.to_be_bytes().to_vec();
        body.extend(u32::try_from(options.len()).unwrap_or_default().to_be_bytes());
        for option in options {
            body.extend_from_slice(option);
            body.push(0);
        }
        message(b'v', &body)
    }
}

/// An error that ends a connection, as Postgres would send it.
pub(super) fn refusal(code: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{code}\0M{}\0\0", text.replace('\0', "")).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(version: i32, parameters: &[(&str, &str)]) -> StartUp {
        let texts = parameters.iter().map(|(name, value)| format!("{name}\0{value}\0")).collect::<String>();
        let body = [&version.to_be_bytes()[..], texts.as_bytes(), b"\0"].concat();
        match Request::read(&body) {
            Some(Request::Session(start)) => start,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_newer_minor_version_and_options_are_negotiated_away() {
        let plain = start(VERSION, &[("user", "a")]);
        assert_eq!(plain.negotiation(), b"");
        let newer = start(VERSION + 2, &[("user", "a"), ("_pq_.x", "on")]);
        assert_eq!(newer.packet(), plain.packet());
        assert_eq!(newer.negotiation(), message(b'v', b"\0\x03\0\0\0\0\0\x01_pq_.x\0"));
    }

    #[test]
    fn what_postgres_takes_for_replication_is_replication() {
        for value in ["database", "true", "1", "ON", "t", "yes", "nonsense"] {
            assert!(start(VERSION, &[("replication", value)]).replicates(), "{value}");
            assert!(start(VERSION, &[("replication", value), ("replication", "0")]).replicates(), "{value}");
        }
        assert!(!start(VERSION, &[("replication", "false")]).replicates());
        assert!(!start(VERSION, &[("options", "replication")]).replicates());
    }

    #[test]
    fn other_protocols_are_no_request() {
        for body in [&[0, 2, 0, 0][..], &[4, 0, 0, 0], &[4, 210, 22, 99], b"abc"] {
            assert_eq!(Request::read(body), None, "{body:?}");
        }
    }
}
