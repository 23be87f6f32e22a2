//! Task 5: who may do what, cell by cell.

use lab_kit::http::any_id;
use lab_kit::prelude::*;

use crate::support::{BAD_INPUT, DONE, Id, Person, role_in_table};

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
    Id::at(&response, "/id")
}

async fn place_order(app: &App, customer: &Person, event: &Id, seats: i64) -> CheckResult<Id> {
    let request = app.post(format!("/events/{event}/orders")).bearer(&customer.session.access);
    Id::at(&request.json(&json!({"seats": seats})).await?.expect_status(201)?, "/id")
}

/// The box office still sells: its guards let through those who are allowed (OWASP API5:2023).
#[check(title = "organizers create events, customers order seats", task = 5, points = 1, needs = ["refresh_rotates"],
        hints = ["The handlers are there; they just don't know who is asking.",
                 "Pass each handler the account behind the token, and use its id as organizer_id or customer_id."])]
async fn box_office(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (organizer, customer) = (Person::organizer(lab, &app).await?, Person::customer(lab, &app).await?);
    let body = event_body(lab);
    let event = make_event(&app, &organizer, &body).await?;
    let seats = lab.number(2, 9);
    let order = place_order(&app, &customer, &event, seats).await?;

    let left = body["seats"].as_i64().unwrap_or_default() - seats;
    let read = app.get(format!("/events/{event}")).await?.expect_status(200)?;
    read.expect_json(
        json!({"id": event.json(), "organizer_id": organizer.id.json(), "title": body["title"], "seats_left": left}),
    )?;
    let total = body["price_cents"].as_i64().unwrap_or_default() * seats;
    let read = app.get(format!("/orders/{order}")).bearer(&customer.session.access).await?.expect_status(200)?;
    read.expect_json(json!({
        "id": order.json(), "event_id": event.json(), "customer_id": customer.id.json(), "seats": seats, "total_cents": total,
    }))?;
    expect_searched(lab, &app, &organizer).await
}

/// Expects `q` to find titles in whatever case, and `sort` to put them in order.
async fn expect_searched(lab: &Lab, app: &App, organizer: &Person) -> CheckResult {
    let word = lab.word();
    let titles = [format!("Aria {word}"), format!("Ballad {word}"), format!("Choir {word}")];
    for (title, (day, price)) in titles.iter().zip([(2, 300), (3, 100), (1, 200)]) {
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
        let found: Vec<Value> = request.await?.expect_status(200)?.at("/items")?;
        let found: Vec<&str> = found.iter().filter_map(|event| event["title"].as_str()).collect();
        let what = format!(
            "the titles that `q` finds in another case, sorted by {}",
            sort.unwrap_or("nothing, so by starts_at")
        );
        expect_equal(&what, &found, &order.map(|place| titles[place].as_str()).to_vec())?;
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
    for seats in [json!(0), json!(-1), json!(-3), json!(1.5), json!("2"), json!(null), json!(-2_147_483_648_i64)] {
        let request = app.post(format!("{path}/orders")).bearer(&customer.session.access);
        request.json(&json!({"seats": seats})).await?.expect_status_in(&BAD_INPUT)?;
    }
    // never fails alone: `box_office` reads an event the same way
    let after = app.get(&path).await?.expect_status(200)?.at::<i64>("/seats_left")?;
    expect_equal("seats_left after orders that were refused", &after, &before)?;
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
    let nobody = Sender("a client without a token", None);
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

    for (sender, status) in [(&nobody, 401), (&customer, 403), (&other, 201), (&administrator, 201)] {
        let title = format!("Concert {}", lab.word());
        sender.expect(app.post("/events").json(&event_titled(lab, &title)), &[status]).await?;
        // never fails alone: `box_office` searches the same way
        let found: Vec<Value> = app.get("/events").query("q", &title).await?.expect_status(200)?.at("/items")?;
        expect_equal(&format!("events that {} could create", sender.0), &found.len(), &usize::from(status == 201))?;
    }

    let refused = [(&nobody, 401), (&customer, 403), (&other, 403)];
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
        app.get(&path).await?.expect_status(200)?.expect_json(expected)?;
    }

    expect_no_gift(lab, &app, &owner, &rival, &path).await?;
    organizer.expect(app.delete(&path), &DONE).await?;
    app.get(&path).await?.expect_status(404)?;
    let second = make_event(&app, &owner, &event_body(lab)).await?;
    administrator.expect(app.delete(format!("/events/{second}")), &DONE).await?;
    app.get(format!("/events/{second}")).await?.expect_status(404)?;
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
    let nobody = Sender("a client without a token", None);
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
    for (sender, status) in [(&nobody, 401), (&organizer, 403), (&other, 403), (&administrator, 403)] {
        sender.expect(app.post(&orders).json(&json!({"seats": 1})), &[status]).await?;
    }
    expect_equal("seats left after nothing but refused orders", &seats_left().await?, &before)?;
    let order = place_order(&app, &ada, &event, 2).await?;
    let path = format!("/orders/{order}");

    for (sender, status) in [(&nobody, 401), (&customer, 403), (&organizer, 200), (&other, 403), (&administrator, 200)]
    {
        sender.expect(app.get(&orders), &[status]).await?;
    }
    for (sender, status) in [(&nobody, 401), (&customer, 200), (&organizer, 403), (&other, 403), (&administrator, 200)]
    {
        sender.expect(app.get("/orders"), &[status]).await?;
    }
    for sender in [&customer, &organizer, &administrator] {
        sender.expect(app.get(&path), &[200]).await?.expect_json(json!({"id": order.json(), "seats": 2}))?;
    }
    for sender in [&stranger, &other] {
        sender.expect(app.get(&path), &FORBIDDEN_OR_HIDDEN).await?;
    }
    nobody.expect(app.get(&path), &[401]).await?;

    nobody.expect(app.delete(&path), &[401]).await?;
    for sender in [&stranger, &organizer, &other] {
        sender.expect(app.delete(&path), &FORBIDDEN_OR_HIDDEN).await?;
        let kept = customer.expect(app.get(&path), &[200]).await;
        kept.because(&format!("{} may not cancel this order, so it still exists", sender.0))?;
    }

    // A list leaks as much as a look.
    let opera = make_event(&app, &owner, &event_body(lab)).await?;
    let elsewhere = place_order(&app, &ada, &opera, 1).await?;
    let of_eve = place_order(&app, &eve, &event, 3).await?;
    let lists: [(&str, &Person, &[&Id]); 5] = [
        ("/orders", &ada, &[&order, &elsewhere]),
        ("/orders", &eve, &[&of_eve]),
        ("/orders", &admin, &[&order, &elsewhere, &of_eve]),
        (&orders, &owner, &[&order, &of_eve]),
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
    let second = format!("/orders/{}", place_order(&app, &ada, &event, 1).await?);
    administrator.expect(app.delete(&second), &DONE).await?;
    customer.expect(app.get(&second), &[404]).await?;
    Ok(())
}

async fn expect_ids(app: &App, path: &str, who: &Person, expected: &[&Id]) -> CheckResult {
    let response = app.get(path).bearer(&who.session.access).await?.expect_status(200)?;
    let items: Vec<Value> = response.at("/items")?;
    let mut found: Vec<String> = items.iter().map(|item| Id::of(item).to_string()).collect();
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
    let admin = Person::admin(lab, &app).await?;
    let nobody = Sender("a client without a token", None);
    let customer = Sender("a customer", Some(&ada));
    let an_organizer = Sender("an organizer", Some(&organizer));
    let administrator = Sender("an administrator", Some(&admin));
    let path = format!("/users/{}", ada.id);

    for (sender, status) in [(&nobody, 401), (&customer, 403), (&an_organizer, 403)] {
        sender.expect(app.get("/users"), &[status]).await?;
        for change in [json!({"role": "admin"}), json!({"disabled": true})] {
            sender.expect(app.patch(&path).json(&change), &[status]).await?;
        }
    }
    let kept = role_in_table(lab, &ada.email).await?;
    expect_equal("users.role after nothing but refusals", &kept.as_str(), &"customer")?;
    app.get("/me").bearer(&ada.session.access).await?.expect_status(200).because("nobody could disable the account")?;

    let list = administrator.expect(app.get("/users"), &[200]).await?;
    let items: Vec<Value> = list.at("/items")?;
    for person in [&ada, &organizer, &admin] {
        let listed = items.iter().any(|item| Id::of(item) == person.id);
        list.clone().expect_where(&format!("the account with the id {}", person.id), |_| listed)?;
    }
    list.expect_body_where("a list without password hashes", |body| {
        let body = String::from_utf8_lossy(body);
        !["$2a$", "$2b$", "$2y$"].iter().any(|prefix| body.contains(prefix))
    })?;
    for nonsense in [json!({"role": "emperor"}), json!({"role": "emperor", "disabled": true})] {
        administrator.expect(app.patch(&path).json(&nonsense), &BAD_INPUT).await?;
    }
    app.get("/me").bearer(&ada.session.access).await?.expect_status(200).because("bad input disables nobody")?;
    let changed = administrator.expect(app.patch(&path).json(&json!({"role": "organizer"})), &[200]).await?;
    changed.expect_json(json!({"id": ada.id.json(), "role": "organizer"}))?;
    let now = role_in_table(lab, &ada.email).await?;
    expect_equal("users.role after the change", &now.as_str(), &"organizer")
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

    // What somebody made or ordered in another role gives no rights in this one.
    let no_longer = "who made the event is a customer now, and it is somebody else's order";
    app.get(&of_ada).bearer(token).await?.expect_status_in(&FORBIDDEN_OR_HIDDEN).because(no_longer)?;
    give_role(&app, &admin, &climber, "organizer").await?;
    let promoted = "who placed the order is an organizer now, of other events";
    for request in [app.get(&of_climber), app.delete(&of_climber)] {
        let answer = request.bearer(&climber.session.access).await?;
        answer.expect_status_in(&FORBIDDEN_OR_HIDDEN).because(promoted)?;
    }
    let kept = app.get(&of_climber).bearer(&admin.session.access).await?.expect_status(200);
    kept.because("the order was not cancelled")?;

    give_role(&app, &admin, &deputy, "organizer").await?;
    let made = app.post("/events").bearer(&deputy.session.access).json(&event_body(lab)).await?.expect_status(201);
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
