//! Task 6: who asks, when a proxy stands in front.

use std::net::Ipv4Addr;

use lab_kit::prelude::*;

use crate::support::Site;

/// A proxy, a second one behind it, and somebody who is none. The check plays all three.
const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 8);
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 7);

/// A field that everybody can write says nothing, unless it was written by somebody you trust (RFC 7239, section 8.1; nginx
/// documentation, ngx_http_realip_module).
#[check(title = "behind a proxy, a client's address is what that proxy says, and nobody else", task = 6, points = 3, needs = ["orders"],
        hints = ["Who is on the other end of the connection? Only if that is a trusted proxy does X-Forwarded-For count.",
                 "A proxy appends: what is leftmost was written by the client.",
                 "From the right: skip what you trust, take the next one."])]
async fn trusted_hop(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let behind = site.web().env("TRUSTED_PROXIES", &format!("{PROXY},{SECOND}")).start().await?;
    let open = site.web().start().await?;
    for address in [PROXY, SECOND, STRANGER] {
        if !behind.has_address(address)? {
            let why = "it asks from several addresses, and this machine has only one of its own";
            return Err(Failure::not_applicable(why));
        }
    }
    let who = |app: &App, from: Ipv4Addr, chain: &str| {
        let request = app.get("/client").from_address(from);
        let request = if chain.is_empty() { request } else { request.header("X-Forwarded-For", chain) };
        request.header("X-Forwarded-Proto", "https")
    };
    let is = |address: &str, scheme: &str| json!({ "address": address, "scheme": scheme });
    let random = |lab: &Lab| format!("198.51.100.{}", lab.number(1, 254));
    let (client, forged) = (random(lab), format!("203.0.113.{}", lab.number(1, 254)));
    for (chain, what) in [
        (client.clone(), "it is what the proxy has appended"),
        (format!("{forged}, {client}"), "what stands before that was sent by the client"),
        (format!("{PROXY}, {client}"), "what stands before that was sent by the client"),
        (format!("{forged},{client},{SECOND}"), "the last one is a proxy that is trusted, too"),
    ] {
        let answer = who(&behind, PROXY, &chain).await?.expect_status(200)?;
        let why = format!("X-Forwarded-For: {chain}, from a trusted proxy: {what}");
        answer.expect_json(is(&client, "https")).because(&why)?;
    }
    let chain = format!("{forged}, {client}");
    let answer = who(&behind, STRANGER, &chain).await?.expect_status(200)?;
    answer.expect_json(is(&STRANGER.to_string(), "http")).because("it is no trusted proxy who says so")?;
    let answer = who(&open, PROXY, &chain).await?.expect_status(200)?;
    answer.expect_json(is(&PROXY.to_string(), "http")).because("no proxy is trusted")?;
    let fields = who(&behind, PROXY, &forged).header("X-Forwarded-For", &client);
    let answer = fields.await?.expect_status(200)?;
    answer.expect_json(is(&client, "https")).because("two fields of one name are one list")?;
    let plain = behind.get("/client").from_address(PROXY).header("X-Forwarded-For", &client);
    let answer = plain.header("X-Forwarded-Proto", "http").await?;
    answer.expect_json(is(&client, "http")).because("the proxy says that it was http")
}
