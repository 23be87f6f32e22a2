//! A request whose connection stands and whose bytes are still here.

use std::sync::Arc;
use std::time::Duration;

use super::origin::Origin;
use super::patience::Patience;
use super::request::Request;
use super::response::Response;
use super::sent::Sent;
use super::wire::Wire;
use crate::failure::CheckResult;

/// How long to look for bytes behind an answer, or for the close that was asked for. On one machine both come with the
/// answer; a server that keeps the connection open costs this once for each request.
const LOOK_BEHIND: Duration = Duration::from_millis(5);

/// A connected request.
#[derive(Debug)]
pub(crate) struct PreparedRequest {
    wire: Wire,
    request: Arc<Request>,
}

impl PreparedRequest {
    pub(super) async fn connect(request: Request) -> CheckResult<Self> {
        let request = Arc::new(request);
        let origin = Origin { peer: request.peer.clone(), sent: Sent::default(), request: Some(Arc::clone(&request)) };
        let wire = Wire::connect(origin, Patience::new(request.within)).await?;
        Ok(Self { wire, request })
    }

    /// Sends the request and waits for its answer. The time limit begins anew.
    pub(crate) async fn send(self) -> CheckResult<Response> {
        let Self { mut wire, request } = self;
        let patience = Patience::new(request.within);
        wire.queue(request.bytes(&request.peer.address.to_string(), true));
        let response = wire.final_answer(&request.method, patience).await?;
        let extra = wire.look_behind(LOOK_BEHIND).await;
        Ok(response.with_extra(extra))
    }
}
