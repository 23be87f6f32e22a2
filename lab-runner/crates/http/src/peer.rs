//! The server a connection goes to, and the transcript it is recorded in.

use std::net::SocketAddr;

use lab_check::transcript::Transcript;
use lab_sandbox::Network;

/// Where a learner's own run listens unless told otherwise.
const LEARNERS_ADDRESS: &str = "127.0.0.1:8080";

/// What a connection needs to know of the server under test.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The network in which it listens there.
    pub network: Network,
    /// The client that requests are of, as `User-Agent` names it.
    pub agent: &'static str,
    /// Where everything said is recorded.
    pub transcript: Transcript,
    /// What a learner types to start the server by hand. Empty if it already runs, where it is.
    pub by_hand: String,
}

impl Peer {
    /// Where the server listens when a learner started it by hand.
    pub(super) fn address_by_hand(&self) -> String {
        if self.by_hand.is_empty() { self.address.to_string() } else { LEARNERS_ADDRESS.to_owned() }
    }

    /// What to type to see the same as `command` does: the server's start, unless it already runs, and the command.
    pub(super) fn by_hand(&self, command: &str) -> String {
        if self.by_hand.is_empty() {
            return command.to_owned();
        }
        format!("{}   # in another terminal\n{command}", self.by_hand)
    }
}
