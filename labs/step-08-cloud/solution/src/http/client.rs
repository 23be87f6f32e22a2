//! `/client`: who asks, as seen through the proxies in front of us.
//!
//! `X-Forwarded-For` grows at its end: each proxy adds whom it speaks with. So it is read from the end, for as long as
//! whoever has added an entry is trusted. What stands before that, the client may have written itself.

use std::net::{IpAddr, SocketAddr};

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use serde::Serialize;

use super::Services;
use crate::configuration::Addresses;

/// Who asks, and how that one speaks with the first of our proxies.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Client {
    address: IpAddr,
    scheme: &'static str,
}

/// `GET /client`
pub async fn who(
    State(services): State<Services>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Json<Client> {
    Json(client(peer.ip().to_canonical(), &headers, &services.trusted_proxies))
}

fn client(peer: IpAddr, headers: &HeaderMap, trusted: &Addresses) -> Client {
    if !trusted.contain(peer) {
        return Client { address: peer, scheme: "http" };
    }
    let mut address = peer;
    for entry in from_the_end(headers, "x-forwarded-for") {
        // What is no address was not written by a proxy of ours; whoever was found last is as far as we can see.
        let Some(found) = parse(entry) else { break };
        address = found;
        if !trusted.contain(found) {
            break;
        }
    }
    let scheme = from_the_end(headers, "x-forwarded-proto").next();
    let scheme = if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) { "https" } else { "http" };
    Client { address, scheme }
}

/// The entries of a list, which may be spread over several headers, from the last to the first.
fn from_the_end<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lists: Vec<&str> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect();
    lists.into_iter().rev().flat_map(|list| list.rsplit(',').map(str::trim))
}

/// An address, which some proxies write with a port.
fn parse(entry: &str) -> Option<IpAddr> {
    let with_port = || entry.parse().map(|address: SocketAddr| address.ip());
    let bare = entry.trim_start_matches('[').trim_end_matches(']').parse();
    bare.or_else(|_| with_port()).map(|address| address.to_canonical()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &str) -> String {
        let mut headers = HeaderMap::new();
        for list in forwarded {
            headers.append("x-forwarded-for", list.parse().unwrap());
        }
        client(peer.parse().unwrap(), &headers, &trusted.parse().unwrap()).address.to_string()
    }

    #[test]
    fn only_a_trusted_hop_is_believed() {
        assert_eq!(seen("192.0.2.1", &["203.0.113.9"], ""), "192.0.2.1");
        assert_eq!(seen("192.0.2.1", &["203.0.113.9"], "192.0.2.1"), "203.0.113.9");
        assert_eq!(seen("::ffff:192.0.2.1", &["203.0.113.9"], "192.0.2.1"), "203.0.113.9");
        assert_eq!(seen("192.0.2.1", &[], "192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn the_list_is_read_from_its_end_for_as_long_as_it_is_ours() {
        let trusted = "192.0.2.1, 192.0.2.2";
        assert_eq!(seen("192.0.2.1", &["198.51.100.7, 203.0.113.9"], trusted), "203.0.113.9");
        assert_eq!(seen("192.0.2.1", &["198.51.100.7, 203.0.113.9, 192.0.2.2"], trusted), "203.0.113.9");
        assert_eq!(seen("192.0.2.1", &["198.51.100.7", "203.0.113.9:4711", "192.0.2.2:80"], trusted), "203.0.113.9");
        assert_eq!(seen("192.0.2.1", &["198.51.100.7, unknown, 192.0.2.2"], trusted), "192.0.2.2");
        assert_eq!(seen("192.0.2.1", &["[2001:db8::9]:4711"], trusted), "2001:db8::9");
    }
}
