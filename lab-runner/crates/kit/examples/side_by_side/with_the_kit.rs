//! The three checks with the kit.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

/// A request is complete when its bytes say so, however many reads they take (RFC 9112 §2.2).
#[check(title = "a request may arrive in pieces", task = 1, points = 1, hints = ["What does one read() promise you?"])]
async fn split_request(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let mut connection = app.connect().await?;
    connection.send_in_pieces(1, "GET /echo/abc HTTP/1.1\r\nHost: lab\r\n\r\n").await?;
    connection.response().await?.expect_status(200)?.expect_body("abc")
}

/// The last seat belongs to one (PostgreSQL manual, 13.2.1 Read Committed).
#[check(title = "of 200 orders for 50 seats, 50 are sold", task = 2, points = 1,
        hints = ["Two requests read that one seat is left. What do both do next?"])]
async fn never_oversold(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = json!({"title": lab.word(), "starts_at": "2031-05-01T19:30:00Z", "seats": 50, "price_cents": 100});
    let event = app.post("/events").json(&event).await?.expect_status(201)?.at::<Value>("/id")?;
    let customer = json!({"email": lab.email(), "balance_cents": 1_000_000});
    let customer = app.post("/customers").json(&customer).await?.expect_status(201)?.at::<Value>("/id")?;
    let order = json!({"customer_id": customer, "seats": 1});
    let path = format!("/events/{}/orders", event.to_string().trim_matches('"'));
    let answers = lab.burst((0..200).map(|_| app.post(&path).json(&order))).await?;
    let sold = answers.iter().filter(|answer| answer.status() == 201).count();
    expect_equal("orders that were confirmed", &sold, &50)?;
    let lines: i64 = lab.postgres().await?.scalar("select count(*) from order_lines").await?;
    expect_equal("seats in order_lines", &lines, &50)
}

/// A database that fails over ends every connection (PostgreSQL manual, 9.28.2 pg_terminate_backend).
#[check(title = "connections that Postgres ended are replaced", task = 3, points = 1,
        hints = ["Your pool lends out a connection that is dead. What does the client get?"])]
async fn backend_terminated(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    app.get("/events").await?.expect_status(200)?;
    lab.postgres().await?.terminate_sessions().await?;
    lab.eventually("the server finds its database again", Duration::from_secs(10), || async {
        app.get("/events").await?.expect_status(200)
    })
    .await
}
