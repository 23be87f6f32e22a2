//! Where an answer came from: what was sent for it, and how to send the same by hand.

use std::sync::Arc;

use super::curl;
use super::peer::Peer;
use super::request::Request;
use super::sent::Sent;
use super::shell;
use lab_check::Failure;
use lab_check::transcript::show_bytes;

/// What was asked, kept for the explanation of a wrong answer.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The server asked.
    pub peer: Peer,
    /// The bytes sent to it.
    pub sent: Sent,
    /// The request, if it was built and not written byte by byte.
    pub request: Option<Arc<Request>>,
}

/// Has nc end when nothing has come for 10 s: a server that keeps its connection open would hold it for ever, and what
/// servers wait for before they give up is shorter.
pub(super) const QUIET: &str = "-w 10 ";

impl Origin {
    /// The learner's failure, with all that is known of the exchange.
    pub fn failure(&self, message: impl Into<String>, received: &[u8]) -> Failure {
        let received = if received.is_empty() { "nothing".to_owned() } else { show_bytes(received) };
        let failure = Failure::learner(message).sent(self.sent_text()).received(received);
        match self.reproduce() {
            Some(command) => failure.reproduce(command),
            None => failure,
        }
    }

    fn sent_text(&self) -> String {
        match &self.request {
            // Before the first byte went out there is nothing to show but what would have.
            Some(request) if self.sent.parts().is_empty() => {
                show_bytes(&request.bytes(&self.peer.address.to_string(), true))
            }
            _ => self.sent.shown(),
        }
    }

    /// The command that shows the same by hand.
    fn reproduce(&self) -> Option<String> {
        let address = self.peer.address_by_hand();
        let command = match &self.request {
            // An `Origin` or a link in the body names the server, too, and by hand it listens elsewhere.
            Some(request) => curl::command(request, &address)
                .map(|command| command.replace(&self.peer.address.to_string(), &address)),
            None => self.netcat(),
        }?;
        Some(self.peer.by_hand(&command))
    }

    fn netcat(&self) -> Option<String> {
        let address = self.peer.address_by_hand();
        let half_close = if self.sent.finished { "-N " } else { "" };
        Some(format!("{} | nc {QUIET}{half_close}{}", shell::print_sent(&self.sent)?, shell::host_and_port(&address)))
    }
}
