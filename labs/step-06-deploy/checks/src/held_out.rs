//! Held out: a day at the box office, of which answers, tally, metrics and log tell the same.

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::bounds::{Seen, expect_counted};
use crate::logs::expect_line_of;
use crate::support::{Exposition, Office};

/// How many requests come in.
const REQUESTS: usize = 60;
/// How many seats there are: fewer than are wanted.
const SEATS: i64 = 40;

/// What has been sold so far.
#[derive(Default)]
struct Sold {
    orders: i64,
    seats: i64,
    /// The path of the last order.
    last: Option<String>,
}

/// Four accounts of one day, by parts of the server that know nothing of each other, have to agree (Google, Site
/// Reliability Engineering, ch. 6).
#[check(title = "answers, tally, metrics and log tell of the same day", task = 8, points = 4, limit = 60,
        needs = ["metrics", "panic", "log_lines", "refusals_are_seen"], held_out,
        hints = ["Which of the four counts what the others do not?"])]
async fn day_at_the_office(lab: &Lab) -> CheckResult {
    let office = Office::new(lab);
    let app = office.server(lab).start().await?;
    let body = json!({ "title": format!("Concert {}", lab.word()), "seats": SEATS });
    // never fails alone: `panic`, which this needs, makes an event the same way
    let made = app.post("/events").bearer(&office.token).json(&body).await?.expect_status(201)?;
    let event = format!("/events/{}", made.at::<i64>("/id")?);
    let before = Exposition::scrape(&app).await?;
    let (mut sold, mut seen) = (Sold::default(), Vec::new());
    for number in 0..REQUESTS {
        let place = format!("it is request {} of {REQUESTS}", number + 1);
        seen.push(sold.request(lab, &app, &office, &event).await.because(&place)?);
    }
    let tally = json!({ "orders": sold.orders, "seats": sold.seats });
    app.get("/tally").await?.expect_json(tally)?;
    app.get(&event).await?.expect_json(json!({ "seats_left": SEATS - sold.seats }))?;
    for one in &seen {
        expect_line_of(lab, &app, &one.id, (one.method, &one.path), one.answer.status()).await?;
    }
    expect_counted(lab, &app, &before, &seen).await
}

impl Sold {
    /// A request of a random kind, and the answer that it has to get.
    async fn request(&mut self, lab: &Lab, app: &App, office: &Office, event: &str) -> CheckResult<Seen> {
        let id = lab.word();
        let (kind, seats) = lab.random(|random| (random.random_range(0..12), random.random_range(1..=5)));
        let orders = format!("{event}/orders");
        let order = json!({ "buyer": format!("Ada {}", lab.word()), "seats": seats });
        let (method, path, request, status) = match kind {
            0 => ("GET", "/events".to_owned(), app.get("/events"), 200),
            1 => ("GET", event.to_owned(), app.get(event), 200),
            2 => ("GET", "/events/999999999".to_owned(), app.get("/events/999999999"), 404),
            3 => ("POST", orders.clone(), app.post(&orders).json(&order), 401),
            4 => ("POST", "/drill/panic".to_owned(), office.drill(app), 500),
            5 if self.last.is_some() => {
                let path = self.last.clone().unwrap_or_default();
                ("GET", path.clone(), app.get(path), 200)
            }
            _ => {
                let enough = self.seats + seats <= SEATS;
                let request = app.post(&orders).bearer(&office.token).json(&order);
                ("POST", orders, request, if enough { 201 } else { 409 })
            }
        };
        let answer = request.header("X-Request-Id", &id).await?.expect_status(status)?;
        let answer = answer.expect_header("X-Request-Id", &id)?;
        if status == 201 {
            self.orders += 1;
            self.seats += seats;
            self.last = Some(format!("/orders/{}", answer.at::<i64>("/id")?));
        }
        Ok(Seen { id, method, path, answer })
    }
}
