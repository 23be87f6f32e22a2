//! Task 1: orders, which tickets are printed for later.

use lab_kit::prelude::*;

use crate::support::{Order, Site};

/// A server that answers is the beginning of everything (RFC 6750, section 3; RFC 9110, section 15.3.2).
#[check(title = "orders are placed and read, by those who have a token", task = 1, points = 2,
        hints = ["Which requests need no token? Only `/health` and `/client`.",
                 "`Location` is the path at which the order is read.",
                 "Whose order is it? Keep the name behind the token with it."])]
async fn orders(lab: &Lab) -> CheckResult {
    let site = Site::new(lab);
    let app = site.web().start().await?;
    let body = json!({ "event": lab.word(), "name": format!("Zoë {}", lab.word()) });
    app.post("/orders").json(&body).await?.expect_status(401).because("there was no token")?;
    let other = format!("{}x", site.ana);
    app.post("/orders").json(&body).bearer(other).await?.expect_status(401).because("nobody has this token")?;
    let placed = site.post(&app, "/orders").json(&body).await?.expect_status(201)?.expect_json(body.clone())?;
    let id: String = placed.at("/id")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let placed = placed.expect_json_where("/id", "is 1 to 64 letters, digits, `-` and `_`", |id| {
        id.as_str().is_some_and(|id| (1..=64).contains(&id.len()) && id.chars().all(plain))
    })?;
    placed.expect_header_where("location", "ends with the order's path", |value| {
        value.ends_with(&format!("/orders/{id}"))
    })?;
    let read = site.get(&app, format!("/orders/{id}")).await?.expect_status(200)?;
    read.expect_json(body)?.expect_json(json!({ "id": id }))?;
    app.get(format!("/orders/{id}")).bearer(&site.ben).await?.expect_status(404).because("it is somebody else's")?;
    site.get(&app, "/orders/no-such-order").await?.expect_status(404)?;
    let wrong = [
        json!({ "event": "x" }),
        json!({ "event": "", "name": "x" }),
        json!({ "event": 1, "name": "x" }),
        json!({ "event": "x".repeat(201), "name": "x" }),
        json!({ "event": "x", "name": "a\nevent b" }),
    ];
    for wrong in wrong {
        site.post(&app, "/orders").json(&wrong).await?.expect_status_in(&[400, 422])?;
    }
    // Two hundred characters are four hundred bytes here.
    Order::place(&site, &app, &"é".repeat(200)).await?;
    let first = Order::place(&site, &app, "Ada").await?;
    let second = Order::place(&site, &app, "Ada").await?;
    expect_that(first.id != second.id, "two orders have one id")
}
