//! A request whose connection stands and whose bytes are still here.

use std::sync::Arc;
use std::time::Duration;

use super::origin::Origin;
use super::request::Request;
use super::response::Response;
use super::sent::Sent;
use super::timeout::Timeout;
use super::wire::Wire;
use lab_check::CheckResult;
use lab_check::transcript::Transcript;

/// How long to look for bytes behind an answer, or for the close that was asked for. On one machine both come with the
/// answer; a server that keeps the connection open costs this once for each request.
const LOOK_BEHIND: Duration = Duration::from_millis(5);

/// A connected request.
#[derive(Debug)]
pub struct PreparedRequest {
    wire: Wire,
    request: Arc<Request>,
}

impl PreparedRequest {
    pub(super) async fn connect(request: Request) -> CheckResult<Self> {
        let request = Arc::new(request);
        let origin = Origin { peer: request.peer.clone(), sent: Sent::default(), request: Some(Arc::clone(&request)) };
        let wire = Wire::connect(origin, request.source, Timeout::new(request.within)).await?;
        Ok(Self { wire, request })
    }

    /// Sends the request and waits for its answer. The time limit begins anew.
    ///
    /// # Errors
    /// The learner's failure if no whole answer comes in time.
    pub async fn send(self) -> CheckResult<Response> {
        self.request.peer.transcript.repeatable(|| self.request.command().into_iter().collect());
        self.send_with_others().await
    }

    /// The command that sends the same by hand, if it is of use.
    pub(super) fn command(&self) -> Option<String> {
        self.request.command()
    }

    /// The transcript of its check.
    pub(super) fn transcript(&self) -> &Transcript {
        &self.request.peer.transcript
    }

    /// The same for one of several that are sent at once.
    pub(super) async fn send_with_others(self) -> CheckResult<Response> {
        let Self { mut wire, request } = self;
        let timeout = Timeout::new(request.within);
        wire.queue(request.bytes(&request.peer.address.to_string(), true));
        let response = wire.final_answer(&request.method, timeout).await?;
        let extra = wire.look_behind(LOOK_BEHIND).await;
        Ok(response.with_extra(extra))
    }
}
