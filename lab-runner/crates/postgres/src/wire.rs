//! Cuts the bytes of a Postgres connection into messages (PostgreSQL manual, "Frontend/Backend Protocol").

/// The most of a message that is kept. The rest of a long one, such as COPY data, is counted and forgotten.
const KEPT: usize = 64 * 1024;
/// The most a start-up packet may hold: what the server itself allows.
const LONGEST_START: usize = 10_000;

/// A message that is complete.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Its type; 0 for a start-up packet, which has none.
    pub tag: u8,
    /// Its first bytes, without type and length.
    pub body: Vec<u8>,
    /// How many bytes of it are not kept.
    pub lost: usize,
}

impl Message {
    /// The text up to the next NUL, and what follows it.
    pub fn text(body: &[u8]) -> (&[u8], &[u8]) {
        match body.iter().position(|&byte| byte == 0) {
            Some(end) => (&body[..end], &body[end + 1..]),
            None => (body, &[]),
        }
    }
}

/// A message as it is sent.
pub(super) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// The bytes are no messages of this protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUnderstood;

/// One direction's bytes, on their way to becoming messages.
#[derive(Debug)]
pub(super) struct Framer {
    /// Start-up packets have no type byte.
    untyped: bool,
    head: Vec<u8>,
    body: Vec<u8>,
    /// How many bytes of the body have come and were not kept.
    lost: usize,
    /// How many bytes of the body are still to come, once the head is whole.
    missing: Option<usize>,
}

impl Framer {
    /// For the side that begins with start-up packets.
    pub fn client() -> Self {
        Self { untyped: true, ..Self::server() }
    }

    /// For the side whose every message has a type.
    pub fn server() -> Self {
        Self { untyped: false, head: Vec::with_capacity(5), body: Vec::new(), lost: 0, missing: None }
    }

    /// From here on every message has a type.
    pub fn start_up_is_over(&mut self) {
        self.untyped = false;
    }

    /// Takes from `bytes` up to the end of a message, and gives the message and how many bytes were taken.
    pub fn next(&mut self, bytes: &[u8]) -> Result<(usize, Option<Message>), NotUnderstood> {
        let mut taken = 0;
        let missing = match self.missing {
            Some(missing) => missing,
            None => {
                let wanted = (if self.untyped { 4 } else { 5 }) - self.head.len();
                taken = wanted.min(bytes.len());
                self.head.extend_from_slice(&bytes[..taken]);
                if taken < wanted {
                    return Ok((taken, None));
                }
                self.length()?
            }
        };
        let part = &bytes[taken..][..missing.min(bytes.len() - taken)];
        let room = KEPT.saturating_sub(self.body.len());
        self.body.extend_from_slice(&part[..part.len().min(room)]);
        self.lost += part.len().saturating_sub(room);
        taken += part.len();
        if part.len() < missing {
            self.missing = Some(missing - part.len());
            return Ok((taken, None));
        }
        self.missing = None;
        let tag = if self.untyped { 0 } else { self.head[0] };
        self.head.clear();
        let (body, lost) = (std::mem::take(&mut self.body), std::mem::take(&mut self.lost));
        Ok((taken, Some(Message { tag, body, lost })))
    }

    /// The length of the body that the head announces.
    fn length(&self) -> Result<usize, NotUnderstood> {
        let digits = self.head.last_chunk::<4>().ok_or(NotUnderstood)?;
        let length = i32::from_be_bytes(*digits);
        // The length counts itself.
        let body = usize::try_from(length).ok().and_then(|length| length.checked_sub(4)).ok_or(NotUnderstood)?;
        let sound =
            if self.untyped { (4..=LONGEST_START).contains(&body) } else { self.head[0].is_ascii_alphanumeric() };
        if sound { Ok(body) } else { Err(NotUnderstood) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(framer: &mut Framer, mut bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        while !bytes.is_empty() {
            let (taken, found) = framer.next(bytes).unwrap();
            bytes = &bytes[taken..];
            messages.extend(found);
        }
        messages
    }

    #[test]
    fn messages_are_the_same_wherever_the_stream_is_split() {
        let stream = [message(b'Q', b"select 1\0"), message(b'S', b""), message(b'X', b"")].concat();
        let whole = all(&mut Framer::server(), &stream);
        assert_eq!(whole.iter().map(|m| m.tag).collect::<Vec<_>>(), b"QSX");
        for split in 0..=stream.len() {
            let mut framer = Framer::server();
            let mut parts = all(&mut framer, &stream[..split]);
            parts.extend(all(&mut framer, &stream[split..]));
            assert_eq!(parts, whole, "split at {split}");
        }
    }

    #[test]
    fn a_long_message_is_counted_to_its_end_and_kept_in_part() {
        let stream = [message(b'd', &vec![b'x'; 3 * KEPT]), message(b'c', b"")].concat();
        let mut framer = Framer::server();
        let messages: Vec<_> = stream.chunks(1000).flat_map(|chunk| all(&mut framer, chunk)).collect();
        assert_eq!(
            messages.iter().map(|m| (m.tag, m.body.len(), m.lost)).collect::<Vec<_>>(),
            [(b'd', KEPT, 2 * KEPT), (b'c', 0, 0)]
        );
    }

    #[test]
    fn other_protocols_are_not_understood() {
        assert_eq!(Framer::client().next(b"GET / HTTP/1.1\r\n"), Err(NotUnderstood));
        // A TLS handshake without the request that Postgres wants first.
        assert_eq!(Framer::client().next(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]), Err(NotUnderstood));
        assert_eq!(Framer::server().next(&[b'Q', 0, 0, 0, 3]), Err(NotUnderstood));
    }
}
