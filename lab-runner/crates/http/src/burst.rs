//! Requests that are sent at the same moment.

use std::sync::Arc;

use futures::future::join_all;
use lab_check::{CheckResult, Failure};
use tokio::sync::Barrier;

use super::prepared::PreparedRequest;
use super::request::Request;
use super::response::Response;

/// Connects every request first, one after the other so that no listener's queue overflows, then lets all of them
/// send together. The answers come in the order of the requests.
///
/// # Errors
/// The first failure among the requests, in their order.
pub async fn burst(requests: impl IntoIterator<Item = Request>) -> CheckResult<Vec<Response>> {
    let requests: Vec<_> = requests.into_iter().collect();
    let mut prepared = Vec::new();
    for request in requests {
        prepared.push(request.prepare().await?);
    }
    if let Some(first) = prepared.first() {
        first.transcript().repeatable(|| prepared.iter().filter_map(PreparedRequest::command).collect());
    }
    let gate = Arc::new(Barrier::new(prepared.len().max(1)));
    let tasks: Vec<_> = prepared
        .into_iter()
        .map(|request| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move {
                gate.wait().await;
                request.send_with_others().await
            })
        })
        .collect();
    join_all(tasks)
        .await
        .into_iter()
        .map(|joined| joined.unwrap_or_else(|error| Err(Failure::ours("sending a burst", &error))))
        .collect()
}
