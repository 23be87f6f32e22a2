//! What a proxy asks of whoever understands the bytes.

/// A wire protocol, as one proxy uses it.
pub trait Protocol: Send + Sync {
    /// A new connection.
    fn session(&self) -> Box<dyn Session>;

    /// The service itself could not be reached: our fault, not the learner's.
    fn unreachable(&self, _reason: &str) {}
}

/// One connection as its protocol sees it. Dropped when the connection has ended.
pub trait Session: Send {
    /// What the proxy itself says to the service before the client's first byte.
    fn greeting(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// The client sent `bytes`.
    fn client(&mut self, bytes: &[u8], output: &mut Output);

    /// The service sent `bytes`.
    fn server(&mut self, bytes: &[u8], output: &mut Output);
}

/// What is to be passed on.
#[derive(Debug, Default)]
pub struct Output {
    /// Bytes for the service.
    pub to_server: Vec<u8>,
    /// Bytes for the client.
    pub to_client: Vec<u8>,
    /// The connection is to be reset once the above is delivered.
    pub end: bool,
    /// The connection is to be closed in order once the above is delivered.
    pub close: bool,
}
