//! Task 5: who may do what, cell by cell.

use lab_kit::http::any_id;
use lab_kit::id::Id;
use lab_kit::prelude::*;
use lab_kit::time::{expect_moment, moment, rfc3339};

use crate::support::{BAD_INPUT, DONE, Person, expect_no_password, role_in_table};

/// Refusals that leave open whether the thing exists (RFC 9110 §15.5.4).
const FORBIDDEN_OR_HIDDEN: [u16; 2] = [403, 404];

/// Somebody who sends a request: known by a token, or nobody.
struct Sender<'a>(&'static str, Option<&'a Person>);

impl Sender<'_> {
    fn sign(&self, request: Request) -> Request {
        match self.1 {
            Some(person) => request.bearer(&person.session.access),
            None => request,
        }
    }

    /// Sends a request in their name and expects one of these statuses.
    async fn expect(&self, request: Request, statuses: &[u16]) -> CheckResult<Response> {
        let answer = self.sign(request).await?.expect_status_in(statuses);
        answer.because(&format!("the request was sent by {}", self.0))
    }
}

/// An administrator who has logged out: their token is signed and has not expired, and opens nothing any more.
async fn logged_out_admin(lab: &Lab, app: &App) -> CheckResult<Person> {
    let admin = Person::admin(lab, app).await?;
    // Whether that ends the session, `log_out` asks.
    app.post("/logout").bearer(&admin.session.access).await?;
    Ok(admin)
}

/// What an event can be made of.
pub fn event_body(lab: &Lab) -> Value {
    event_titled(lab, &format!("Concert {}", lab.word()))
}

/// The same with this title.
pub fn event_titled(lab: &Lab, title: &str) -> Value {
    json!({"title": title, "starts_at": "2031-05-01T19:30:00Z", "seats": lab.number(20, 90), "price_cents": lab.number(500, 9_000)})
}

/// Makes an event and gives its id.
pub async fn make_event(app: &App, organizer: &Person, body: &Value) -> CheckResult<Id> {
    let response = app.post("/events").bearer(&organizer.session.access).json(body).await?.expect_status(201)?;
    Id::of(&response, "/id")
}

async fn place_order(app: &App, customer: &Person, event: &Id, seats: i64) -> CheckResult<Id> {
    let request = app.post(format!("/events/{event}/orders")).bearer(&customer.session.access);
    Id::of(&request.json(&json!({"seats": seats})).await?.expect_status(201)?, "/id")
}

/// The box office still sells: its guards let through those who are allowed (OWASP API5:2023).
#[check(title = "organizers create events, customers order seats", task = 5, points = 1, needs = ["refresh_rotates"],
        hints = ["The handlers are there; they just don't know who is asking.",
                 "Pass each handler the account behind the token, and use its id as organizer_id or customer_id."])]
async fn box_office(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (organizer, customer) = (Person::organizer(lab, &app).await?, Person::customer(lab, &app).await?);
    let (starts_at, mut body) = (moment(lab), event_body(lab));
    body["starts_at"] = json!(rfc3339(starts_at));
    let made = app.post("/events").bearer(&organizer.session.access).json(&body).await?.expect_status(201)?;
    let event = Id::of(&made, "/id")?;
    let path = format!("/events/{event}");
    let (all, price) = (body["seats"].as_i64().unwrap_or_default(), body["price_cents"].as_i64().unwrap_or_default());
    let as_it_is = |left: i64| {
        json!({
            "id": event.json(), "organizer_id": organizer.id.json(), "title": body["title"], "seats": all,
            "seats_left": left, "price_cents": price,
        })
    };
    expect_moment(made.expect_json(as_it_is(all))?, "/starts_at", starts_at)?;

    let seats = lab.number(2, 9);
    let placed = app.post(format!("{path}/orders")).bearer(&customer.session.access).json(&json!({"seats": seats}));
    let placed = placed.await?.expect_status(201)?;
    let order = Id::of(&placed, "/id")?;
    let ordered = json!({
        "id": order.json(), "event_id": event.json(), "customer_id": customer.id.json(), "seats": seats,
        "total_cents": price * seats,
    });
    placed.expect_json(ordered.clone())?;
    let read = app.get(&path).await?.expect_status(200)?.expect_json(as_it_is(all - seats))?;
    expect_moment(read, "/starts_at", starts_at)?;
    let of_order = || app.get(format!("/orders/{order}")).bearer(&customer.session.access);
    of_order().await?.expect_status(200)?.expect_json(ordered.clone())?;
    for list in [
        app.get("/orders").bearer(&customer.session.access),
        app.get(format!("{path}/orders")).bearer(&organizer.session.access),
    ] {
        list.await?.expect_status(200)?.expect_json(json!({"items": [ordered]}))?;
    }

    let (later, mut changed) = (moment(lab), event_body(lab));
    changed["starts_at"] = json!(rfc3339(later));
    let put = app.put(&path).bearer(&organizer.session.access).json(&changed).await?.expect_status(200)?;
    let left = changed["seats"].as_i64().unwrap_or_default() - seats;
    let put = put.expect_json(json!({
        "id": event.json(), "title": changed["title"], "seats": changed["seats"], "seats_left": left,
        "price_cents": changed["price_cents"],
    }))?;
    expect_moment(put, "/starts_at", later)?;
    of_order()
        .await?
        // never fails alone: the order was read the same way above
        .expect_status(200)?
        .expect_json(ordered.clone())
        .because("what was ordered is paid for at its old price")?;
    let own = app.get("/orders").bearer(&customer.session.access);
    // never fails alone: the orders were listed the same way above
    let own = own.await?.expect_status(200)?;
    own.expect_json(json!({"items": [ordered]})).because("in a list, too, it is paid for at its old price")?;
    let cancel = app.delete(format!("/orders/{order}")).bearer(&customer.session.access);
    cancel.await?.expect_status_in(&DONE)?;
    // never fails alone: the event was read the same way above
    let freed = app.get(&path).await?.expect_status(200)?;
    let freed = freed.expect_json(json!({"title": changed["title"]})).because("this is what PUT has made of it")?;
    let free = freed.expect_json(json!({"seats_left": changed["seats"]}));
    free.because("the order was cancelled, so its seats can be had again")?;
    expect_bad_events(lab, &app, &organizer, &path).await?;
    expect_searched(lab, &app, &organizer).await
}

/// Expects what is no event to be refused by POST and by PUT, and titles of every length that is allowed to be taken.
async fn expect_bad_events(lab: &Lab, app: &App, organizer: &Person, path: &str) -> CheckResult {
    // never fails alone: `box_office` reads it before
    let before = app.get(path).await?.expect_status(200)?;
    let with = |member: &str, value: Value| {
        let mut body = event_body(lab);
        body[member] = value;
        body
    };
    let without = |member: &str| {
        let mut body = event_body(lab);
        body.as_object_mut().map(|members| members.remove(member));
        body
    };
    let bad = [
        with("title", json!("")),
        with("title", json!("x".repeat(201))),
        with("title", json!(17)),
        with("starts_at", json!("tomorrow")),
        with("seats", json!("20")),
        with("price_cents", json!("20")),
        with("price_cents", json!(20.5)),
        without("title"),
        without("starts_at"),
        without("seats"),
        without("price_cents"),
        json!([]),
    ];
    let listed = || async { app.get("/events").await?.expect_status(200)?.at::<Vec<Value>>("/items") };
    let events = listed().await?.len();
    for body in bad {
        for request in [app.post("/events"), app.put(path)] {
            request.bearer(&organizer.session.access).json(&body).await?.expect_status_in(&BAD_INPUT)?;
        }
    }
    expect_equal("how many events there are after nothing but bad input", &listed().await?.len(), &events)?;
    for title in ["x".to_owned(), "é".repeat(200)] {
        let id = make_event(app, organizer, &with("title", json!(title))).await?;
        // never fails alone: the status is that of every event, as `box_office` asks before
        let read = app.get(format!("/events/{id}")).await?.expect_status(200)?.expect_json(json!({"title": title}));
        read.because("a title has 1 to 200 characters")?;
    }
    // never fails alone: `box_office` reads it before
    let after = app.get(path).await?.expect_status(200)?;
    after.expect_json(before.json()?).because("what was sent since was bad input, and changes nothing")?;
    Ok(())
}

/// Expects `q` to find titles in whatever case, and `sort` to put them in order.
async fn expect_searched(lab: &Lab, app: &App, organizer: &Person) -> CheckResult {
    let word = lab.word();
    let titles = [format!("Aria {word}"), format!("Ballad {word}"), format!("Choir {word}")];
    // As text, 1000 would come before 80.
    for (title, (day, price)) in titles.iter().zip([(2, 1_000), (3, 80), (1, 200)]) {
        let body = json!({"title": title, "starts_at": format!("2031-05-0{day}T19:30:00Z"), "seats": 20, "price_cents": price});
        make_event(app, organizer, &body).await?;
    }
    let orders = [
        (None, [2, 0, 1]),
        (Some("starts_at"), [2, 0, 1]),
        (Some("title"), [0, 1, 2]),
        (Some("price_cents"), [1, 2, 0]),
    ];
    for (sort, order) in orders {
        let request = app.get("/events").query("q", word.to_uppercase());
        let request = sort.iter().fold(request, |request, sort| request.query("sort", sort));
        // never fails alone: `expect_bad_events` lists events before
        let found: Vec<Value> = request.await?.expect_status(200)?.at("/items")?;
        let found: Vec<&str> = found.iter().filter_map(|event| event["title"].as_str()).collect();
        let what = format!(
            "the titles that `q` finds in another case, sorted by {}",
            sort.unwrap_or("nothing, so by starts_at")
        );
        expect_equal(&what, &found, &order.map(|place| titles[place].as_str()).to_vec())?;
    }
    // A title contains every part of itself, also one that is no word.
    for (part, count) in [(format!("oir {}", &word[..word.len() - 2]), 1), (format!(" Choir {word}"), 0)] {
        // never fails alone: the searches above ask the same
        let found: Vec<Value> = app.get("/events").query("q", &part).await?.expect_status(200)?.at("/items")?;
        expect_equal(&format!("how many titles contain {part:?}"), &found.len(), &count)?;
    }
    for nonsense in ["Title", "-title", "id", "starts_at desc"] {
        app.get("/events").query("sort", nonsense).await?.expect_status_in(&BAD_INPUT)?;
    }
    Ok(())
}

/// A number that fits its type may still make no sense: an order of -3 seats gives seats back and is paid for
/// (OWASP ASVS 5.0, 2.2.1; CWE-20; CWE-839).
#[check(title = "an order takes at least one seat", task = 5, points = 1, needs = ["box_office"],
        hints = ["What does an order of -3 seats cost, and how many seats are left afterwards?",
                 "Refuse what is no whole number of 1 or more before you count with it; a CHECK in the table is the second line."])]
async fn order_amounts(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (organizer, customer) = (Person::organizer(lab, &app).await?, Person::customer(lab, &app).await?);
    let event = make_event(&app, &organizer, &event_body(lab)).await?;
    place_order(&app, &customer, &event, 5).await?;
    let path = format!("/events/{event}");
    // never fails alone: `box_office` reads an event the same way
    let before = app.get(&path).await?.expect_status(200)?.at::<i64>("/seats_left")?;
    let order = |body: &Value| app.post(format!("{path}/orders")).bearer(&customer.session.access).json(body);
    for seats in [json!(0), json!(-1), json!(-3), json!(1.5), json!("2"), json!(null), json!(-2_147_483_648_i64)] {
        order(&json!({"seats": seats})).await?.expect_status_in(&BAD_INPUT)?;
    }
    order(&json!({})).await?.expect_status_in(&BAD_INPUT).because("it does not say how many seats")?;
    // More than there are, and more than fit into 32 and 64 bits. Which refusal that is, is up to the server.
    for seats in [json!(2_147_483_647), json!(2_147_483_648_i64), json!(4_294_967_297_i64), json!(1e30)] {
        let answer = order(&json!({"seats": seats})).await?.expect_status_in(&[400, 409, 422]);
        answer.because("the event has fewer seats than that")?;
    }
    // never fails alone: `box_office` reads an event the same way
    let after = app.get(&path).await?.expect_status(200)?.at::<i64>("/seats_left")?;
    expect_equal("seats_left after orders that were refused", &after, &before)?;
    // never fails alone: `box_office` lists orders the same way
    let orders = app.get("/orders").bearer(&customer.session.access).await?.expect_status(200)?;
    expect_equal("the customer's orders", &orders.at::<Vec<Value>>("/items")?.len(), &1)
}

/// Every method of every resource has its rule; attackers find the one that was forgotten (OWASP API5:2023 and
/// API1:2023).
#[check(title = "events belong to their organizers", task = 5, points = 2, needs = ["box_office"],
        hints = ["GET is open. What about PUT, what about DELETE?",
                 "Ask two questions for each: is it the right role, and is it their own event?",
                 "An administrator may do both, a customer neither. The owner is whoever sent the request, never what the body says."])]
async fn event_rights(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (owner, rival) = (Person::organizer(lab, &app).await?, Person::organizer(lab, &app).await?);
    let (customer, admin) = (Person::customer(lab, &app).await?, Person::admin(lab, &app).await?);
    let gone = logged_out_admin(lab, &app).await?;
    let nobody = Sender("a client without a token", None);
    let gone = Sender("an administrator who has logged out", Some(&gone));
    let customer = Sender("a customer", Some(&customer));
    let organizer = Sender("the organizer whose event it is", Some(&owner));
    let other = Sender("another organizer", Some(&rival));
    let administrator = Sender("an administrator", Some(&admin));

    let body = event_body(lab);
    let event = make_event(&app, &owner, &body).await?;
    let path = format!("/events/{event}");
    for sender in [&nobody, &customer, &organizer, &other, &administrator] {
        sender.expect(app.get("/events"), &[200]).await?;
        sender.expect(app.get(&path), &[200]).await?;
    }

    for (sender, status) in [(&nobody, 401), (&gone, 401), (&customer, 403), (&other, 201), (&administrator, 201)] {
        let title = format!("Concert {}", lab.word());
        sender.expect(app.post("/events").json(&event_titled(lab, &title)), &[status]).await?;
        // never fails alone: `box_office` searches the same way
        let found: Vec<Value> = app.get("/events").query("q", &title).await?.expect_status(200)?.at("/items")?;
        expect_equal(&format!("events that {} could create", sender.0), &found.len(), &usize::from(status == 201))?;
    }

    let refused = [(&nobody, 401), (&gone, 401), (&customer, 403), (&other, 403)];
    let unchanged =
        json!({"title": body["title"], "price_cents": body["price_cents"], "organizer_id": owner.id.json()});
    for (sender, status) in refused {
        sender.expect(app.put(&path).json(&event_body(lab)), &[status]).await?;
        sender.expect(app.delete(&path), &[status]).await?;
        let read = app.get(&path).await?.expect_status(200)?.expect_json(unchanged.clone());
        read.because(&format!("the request of {} was refused, so it has changed nothing", sender.0))?;
    }
    for sender in [&organizer, &administrator] {
        let changed = event_body(lab);
        sender.expect(app.put(&path).json(&changed), &[200]).await?;
        let expected =
            json!({"title": changed["title"], "price_cents": changed["price_cents"], "organizer_id": owner.id.json()});
        // never fails alone: the status is that of the reading after each refusal above
        app.get(&path).await?.expect_status(200)?.expect_json(expected)?;
    }

    expect_no_gift(lab, &app, &owner, &rival, &path).await?;
    organizer.expect(app.delete(&path), &DONE).await?;
    app.get(&path).await?.expect_status(404)?;
    let second = make_event(&app, &owner, &event_body(lab)).await?;
    administrator.expect(app.delete(format!("/events/{second}")), &DONE).await?;
    app.get(format!("/events/{second}")).await?.expect_status(404)?;
    for id in [second, event.unknown(lab)] {
        let path = format!("/events/{id}");
        for request in [app.get(&path), app.put(&path).json(&event_body(lab)), app.delete(&path)] {
            administrator.expect(request, &[404]).await.because("there is no such event, or none any more")?;
        }
    }
    Ok(())
}

/// Sends a body that names another owner, with POST and with PUT.
async fn expect_no_gift(lab: &Lab, app: &App, owner: &Person, rival: &Person, path: &str) -> CheckResult {
    for request in [app.post("/events"), app.put(path)] {
        let mut body = event_body(lab);
        body["organizer_id"] = rival.id.json();
        let answer =
            request.bearer(&owner.session.access).json(&body).await?.expect_status_in(&[200, 201, 400, 422])?;
        if answer.status() < 300 {
            let expected = json!({"organizer_id": owner.id.json()});
            answer.expect_json(expected).because("an event belongs to whoever created it, whatever the body says")?;
        }
    }
    // never fails alone: the status is that of every reading in `event_rights`
    let read = app.get(path).await?.expect_status(200)?.expect_json(json!({"organizer_id": owner.id.json()}));
    read.because("an event belongs to whoever created it, whatever a body says")?;
    Ok(())
}

/// Knowing an order's id does not give anybody a right to it (OWASP API1:2023, broken object level authorization).
#[check(title = "orders belong to their customers", task = 5, points = 3, needs = ["box_office"],
        hints = ["What does your server check before it shows order 1 to anybody who asks?",
                 "Read the order, then compare its customer with the user who asks; the organizer of its event may read it, nothing more.",
                 "Lists show orders, too: put the customer into the statement's WHERE."])]
async fn order_rights(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (owner, rival) = (Person::organizer(lab, &app).await?, Person::organizer(lab, &app).await?);
    let (ada, eve, admin) =
        (Person::customer(lab, &app).await?, Person::customer(lab, &app).await?, Person::admin(lab, &app).await?);
    let gone = logged_out_admin(lab, &app).await?;
    let nobody = Sender("a client without a token", None);
    let gone = Sender("an administrator who has logged out", Some(&gone));
    let customer = Sender("the customer whose order it is", Some(&ada));
    let stranger = Sender("another customer", Some(&eve));
    let organizer = Sender("the organizer of the event", Some(&owner));
    let other = Sender("an organizer of other events", Some(&rival));
    let administrator = Sender("an administrator", Some(&admin));

    let event = make_event(&app, &owner, &event_body(lab)).await?;
    let orders = format!("/events/{event}/orders");
    let seats_left =
        // never fails alone: `box_office` reads an event the same way
        || async { app.get(format!("/events/{event}")).await?.expect_status(200)?.at::<i64>("/seats_left") };
    let before = seats_left().await?;
    for (sender, status) in [(&nobody, 401), (&gone, 401), (&organizer, 403), (&other, 403), (&administrator, 403)] {
        sender.expect(app.post(&orders).json(&json!({"seats": 1})), &[status]).await?;
    }
    expect_equal("seats left after nothing but refused orders", &seats_left().await?, &before)?;
    let order = place_order(&app, &ada, &event, 2).await?;
    let path = format!("/orders/{order}");

    let everybody = [&nobody, &gone, &customer, &organizer, &other, &administrator];
    for (sender, status) in everybody.into_iter().zip([401, 401, 403, 200, 403, 200]) {
        sender.expect(app.get(&orders), &[status]).await?;
    }
    for (sender, status) in everybody.into_iter().zip([401, 401, 200, 403, 403, 200]) {
        sender.expect(app.get("/orders"), &[status]).await?;
    }
    for sender in [&customer, &organizer, &administrator] {
        sender.expect(app.get(&path), &[200]).await?.expect_json(json!({"id": order.json(), "seats": 2}))?;
    }
    for sender in [&stranger, &other] {
        sender.expect(app.get(&path), &FORBIDDEN_OR_HIDDEN).await?;
    }
    for sender in [&nobody, &gone] {
        sender.expect(app.get(&path), &[401]).await?;
        sender.expect(app.delete(&path), &[401]).await?;
    }
    for sender in [&stranger, &organizer, &other] {
        sender.expect(app.delete(&path), &FORBIDDEN_OR_HIDDEN).await?;
        let kept = customer.expect(app.get(&path), &[200]).await;
        kept.because(&format!("{} may not cancel this order, so it still exists", sender.0))?;
    }

    // A list leaks as much as a look.
    let opera = make_event(&app, &owner, &event_body(lab)).await?;
    let elsewhere = place_order(&app, &ada, &opera, 1).await?;
    let of_eve = place_order(&app, &eve, &event, 3).await?;
    let lists: [(&str, &Person, &[&Id]); 6] = [
        ("/orders", &ada, &[&order, &elsewhere]),
        ("/orders", &eve, &[&of_eve]),
        ("/orders", &admin, &[&order, &elsewhere, &of_eve]),
        (&orders, &owner, &[&order, &of_eve]),
        (&orders, &admin, &[&order, &of_eve]),
        (&format!("/events/{opera}/orders"), &owner, &[&elsewhere]),
    ];
    for (list, who, expected) in lists {
        expect_ids(&app, list, who, expected).await?;
    }

    let gift = json!({"seats": 1, "customer_id": eve.id.json()});
    let answer = customer.expect(app.post(&orders).json(&gift), &[201, 400, 422]).await?;
    if answer.status() == 201 {
        answer.expect_json(json!({"customer_id": ada.id.json()})).because("an order belongs to whoever placed it")?;
    }
    customer.expect(app.delete(&path), &DONE).await?;
    customer.expect(app.get(&path), &[404]).await?;
    customer.expect(app.delete(&path), &[404]).await.because("it is cancelled already")?;
    for (list, who) in [(orders.as_str(), &owner), ("/orders", &ada), ("/orders", &admin)] {
        // never fails alone: the lists above ask the same
        let answer = app.get(list).bearer(&who.session.access).await?.expect_status(200)?;
        let listed = answer.at::<Vec<Value>>("/items")?.iter().any(|item| item["id"] == order.json());
        answer.expect_where("a list without the order that was cancelled", |_| !listed)?;
    }
    let second = format!("/orders/{}", place_order(&app, &ada, &event, 1).await?);
    administrator.expect(app.delete(&second), &DONE).await?;
    customer.expect(app.get(&second), &[404]).await?;

    let (no_order, no_event) =
        (format!("/orders/{}", order.unknown(lab)), format!("/events/{}/orders", event.unknown(lab)));
    for request in [app.get(&no_order), app.delete(&no_order), app.get(&no_event)] {
        administrator.expect(request, &[404]).await.because("there is no such thing")?;
    }
    customer.expect(app.post(&no_event).json(&json!({"seats": 1})), &[404]).await.because("there is no such event")?;
    Ok(())
}

async fn expect_ids(app: &App, path: &str, who: &Person, expected: &[&Id]) -> CheckResult {
    // never fails alone: `order_rights` asks for the status of each list before
    let response = app.get(path).bearer(&who.session.access).await?.expect_status(200)?;
    let items: Vec<Value> = response.at("/items")?;
    let mut found: Vec<String> =
        items.iter().filter_map(|item| Id::from_json(&item["id"])).map(|id| id.to_string()).collect();
    let mut wanted: Vec<String> = expected.iter().map(ToString::to_string).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    if found == wanted {
        return Ok(());
    }
    Err(response
        .failure("the list contains other orders than it should")
        .expected(wanted.join(", "))
        .actual(found.join(", ")))
}

/// Rights over accounts are rights over everything (OWASP API5:2023).
#[check(title = "accounts are administered by administrators", task = 5, points = 2, needs = ["refresh_rotates"],
        hints = ["Who may give roles?", "Nobody but an admin, not even to themselves. Unknown roles are bad input."])]
async fn user_rights(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (ada, organizer) = (Person::customer(lab, &app).await?, Person::organizer(lab, &app).await?);
    let (admin, gone) = (Person::admin(lab, &app).await?, logged_out_admin(lab, &app).await?);
    let nobody = Sender("a client without a token", None);
    let gone = Sender("an administrator who has logged out", Some(&gone));
    let customer = Sender("a customer", Some(&ada));
    let an_organizer = Sender("an organizer", Some(&organizer));
    let administrator = Sender("an administrator", Some(&admin));
    let path = format!("/users/{}", ada.id);

    for (sender, status) in [(&nobody, 401), (&gone, 401), (&customer, 403), (&an_organizer, 403)] {
        sender.expect(app.get("/users"), &[status]).await?;
        for change in [json!({"role": "admin"}), json!({"disabled": true})] {
            sender.expect(app.patch(&path).json(&change), &[status]).await?;
        }
    }
    let kept = role_in_table(lab, &ada.email).await?;
    expect_equal("users.role after nothing but refusals", &kept.as_str(), &"customer")?;
    app.get("/me").bearer(&ada.session.access).await?.expect_status(200).because("nobody could disable the account")?;

    let nonsense = [
        json!({"role": "emperor"}),
        json!({"role": "emperor", "disabled": true}),
        json!({"role": "Admin"}),
        json!({"role": ""}),
        json!({"role": 1, "disabled": true}),
        json!({"disabled": "yes"}),
        json!({"role": "admin", "disabled": "true"}),
    ];
    for nonsense in nonsense {
        administrator.expect(app.patch(&path).json(&nonsense), &BAD_INPUT).await?;
    }
    app.get("/me").bearer(&ada.session.access).await?.expect_status(200).because("bad input disables nobody")?;
    let kept = role_in_table(lab, &ada.email).await?;
    expect_equal("users.role after nothing but bad input", &kept.as_str(), &"customer")?;
    let nowhere = app.patch(format!("/users/{}", ada.id.unknown(lab))).json(&json!({"role": "customer"}));
    administrator.expect(nowhere, &[404]).await.because("there is no such account")?;

    // What is absent stays as it is.
    let changes = [
        (json!({"role": "organizer"}), "organizer", false),
        (json!({"disabled": true}), "organizer", true),
        (json!({"role": "admin"}), "admin", true),
        (json!({"role": "customer", "disabled": false}), "customer", false),
        (json!({"role": "organizer", "disabled": true}), "organizer", true),
    ];
    for (change, role, disabled) in changes {
        let answer = administrator.expect(app.patch(&path).json(&change), &[200]).await?;
        let answer = answer.expect_json(json!({"id": ada.id.json(), "name": ada.name, "role": role}))?;
        expect_no_password(answer, &ada.password)?;
        let now = role_in_table(lab, &ada.email).await?;
        expect_equal(&format!("users.role after {change}"), &now.as_str(), &role)?;
        // never fails alone: `login` and `disabled_account` ask the same
        let tried = ada.try_password(&app, &ada.password).await?.expect_status(if disabled { 401 } else { 200 });
        tried.because(&format!("the last change of the account was {change}"))?;
    }

    let list = administrator.expect(app.get("/users"), &[200]).await?;
    let items: Vec<Value> = list.at("/items")?;
    for (person, role) in [(&ada, "organizer"), (&organizer, "organizer"), (&admin, "admin")] {
        let email = person.email.to_lowercase();
        let listed = items.iter().any(|item| {
            item["id"] == person.id.json()
                && item["email"].as_str().is_some_and(|listed| listed.to_lowercase() == email)
                && item["name"] == json!(person.name)
                && item["role"] == json!(role)
        });
        let what = format!("the account of {email} with the id {}, its name and the role {role}", person.id);
        list.clone().expect_where(&what, |_| listed)?;
    }
    expect_no_password(list, &ada.password)?;
    Ok(())
}

/// A token is as old as its signature; a role is what it is now (OWASP ASVS 5.0, 8.3.2).
#[check(title = "a changed role takes effect at once", task = 5, points = 3, needs = ["box_office", "user_rights"],
        hints = ["Where does your server read the role of the user who asks?",
                 "Don't take it from the token, which was signed before the change. Read the account on each request."])]
async fn demotion(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (admin, deputy) = (Person::admin(lab, &app).await?, Person::admin(lab, &app).await?);
    let organizer = Person::organizer(lab, &app).await?;
    let event = make_event(&app, &organizer, &event_body(lab)).await?;
    let (ada, climber) = (Person::customer(lab, &app).await?, Person::customer(lab, &app).await?);
    let of_ada = format!("/orders/{}", place_order(&app, &ada, &event, 1).await?);
    let of_climber = format!("/orders/{}", place_order(&app, &climber, &event, 1).await?);
    app.get(&of_ada).bearer(&organizer.session.access).await?.expect_status(200)?;
    // never fails alone: `user_rights` asks the same of an administrator
    app.get("/users").bearer(&deputy.session.access).await?.expect_status(200)?;

    for person in [&deputy, &organizer] {
        give_role(&app, &admin, person, "customer").await?;
    }
    let why = "the token was issued before the role changed";
    app.get("/users").bearer(&deputy.session.access).await?.expect_status(403).because(why)?;
    let (path, token) = (format!("/events/{event}"), &organizer.session.access);
    app.put(&path).bearer(token).json(&event_body(lab)).await?.expect_status(403).because(why)?;
    app.delete(&path).bearer(token).await?.expect_status(403).because(why)?;
    app.post("/events").bearer(token).json(&event_body(lab)).await?.expect_status(403).because(why)?;
    app.get(format!("{path}/orders")).bearer(token).await?.expect_status(403).because(why)?;
    let promote = app.patch(format!("/users/{}", deputy.id)).bearer(&deputy.session.access);
    promote.json(&json!({"role": "admin"})).await?.expect_status(403).because(why)?;
    app.delete(&of_ada).bearer(&deputy.session.access).await?.expect_status_in(&FORBIDDEN_OR_HIDDEN).because(why)?;
    // never fails alone: `box_office` asks the same of a customer
    let own = app.get("/orders").bearer(&deputy.session.access).await?.expect_status(200)?;
    expect_equal("orders listed for a customer who has none", &own.at::<Vec<Value>>("/items")?.len(), &0)
        .because(why)?;
    // A customer may do what customers do.
    place_order(&app, &organizer, &event, 1).await.because("who made the event is a customer now")?;

    // What somebody made or ordered in another role gives no rights in this one.
    let no_longer = "who made the event is a customer now, and it is somebody else's order";
    app.get(&of_ada).bearer(token).await?.expect_status_in(&FORBIDDEN_OR_HIDDEN).because(no_longer)?;
    give_role(&app, &admin, &climber, "organizer").await?;
    let promoted = "who placed the order is an organizer now, of other events";
    for request in [app.get(&of_climber), app.delete(&of_climber)] {
        let answer = request.bearer(&climber.session.access).await?;
        answer.expect_status_in(&FORBIDDEN_OR_HIDDEN).because(promoted)?;
    }
    for request in [app.get("/orders"), app.post(format!("{path}/orders")).json(&json!({"seats": 1}))] {
        request.bearer(&climber.session.access).await?.expect_status(403).because(promoted)?;
    }
    let kept = app.get(&of_climber).bearer(&admin.session.access).await?.expect_status(200);
    kept.because("the order was not cancelled")?;

    give_role(&app, &admin, &deputy, "organizer").await?;
    // never fails alone: `GET /me` has shown the role, and `box_office` asks the same of an organizer
    let made = app.post("/events").bearer(&deputy.session.access).json(&event_body(lab)).await?.expect_status(201);
    // never fails alone: `box_office` asks the same of an event that an organizer has made
    made.because(why)?.expect_json(json!({"id": any_id(), "organizer_id": deputy.id.json()}))?;
    Ok(())
}

/// Changes a role, and expects `GET /me` to know of it.
async fn give_role(app: &App, admin: &Person, person: &Person, role: &str) -> CheckResult {
    let request = app.patch(format!("/users/{}", person.id)).bearer(&admin.session.access);
    // never fails alone: `user_rights` changes a role the same way
    request.json(&json!({"role": role})).await?.expect_status(200)?;
    // never fails alone: `me` asks the same of a token
    let me = app.get("/me").bearer(&person.session.access).await?.expect_status(200)?;
    me.expect_json(json!({"role": role})).because("an administrator has just changed it")?;
    Ok(())
}
