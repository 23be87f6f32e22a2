//! `/client`: who asks.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::ConnectInfo;
use serde_json::{Value, json};

/// `GET /client`
pub async fn who(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> Json<Value> {
    // TODO(step-08.6): behind a proxy, that is the proxy. Whose word counts, is in `Configuration::trusted_proxies`.
    Json(json!({ "address": peer.ip().to_canonical(), "scheme": "http" }))
}
