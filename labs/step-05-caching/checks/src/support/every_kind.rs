//! One request of every kind.

use lab_kit::prelude::*;

use super::{Customer, Event, cookie, distinct};

/// Sends requests of every kind. What they are answered is another check's affair.
pub async fn every_kind(lab: &Lab, app: &App) -> CheckResult {
    let events = distinct(lab, 4);
    for event in &events[..3] {
        event.put(app).await?;
    }
    let customer = Customer::insert(lab, 10).await?;
    // Where sessions are not written yet, there is a cookie all the same.
    let log_in = async || CheckResult::Ok(cookie(&customer.log_in(app).await?).unwrap_or_else(|_| lab.word()));
    let session = log_in().await?;
    // Without copies, and with them.
    for _ in 0..2 {
        for event in &events[2..] {
            app.get(event.path()).await?;
            app.get(event.list()).await?;
        }
        app.get(events[2].path()).cookie("session", &session).await?;
        app.get("/events").await?;
        app.get("/events?sort=price_cents&limit=7").await?;
        app.get(format!("/events?ids={},{}", events[0].id, events[3].id)).await?;
        app.get("/session").cookie("session", &session).await?;
        app.post("/sessions").json(&json!({ "card": lab.word() })).await?;
        Event { id: events[0].id, ..Event::random(lab) }.put(app).await?;
    }
    app.delete(events[1].path()).await?;
    let other = log_in().await?;
    app.delete("/session").cookie("session", &other).await?;
    Event { id: events[2].id, ..Event::random(lab) }.put(app).await?;
    app.get(events[2].path()).await?;
    app.get(events[2].list()).await?;
    Ok(())
}
