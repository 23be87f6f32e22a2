//! Tests of the whole box office, each on a database of its own. `cargo lab test 2 --solution` runs them with a Postgres.

mod app;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::task::JoinSet;

use app::TestApp;

#[sqlx::test(migrations = false)]
async fn an_order_takes_seats_and_credit_and_its_cancelling_gives_both_back_once(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let (event, ada) = (app.event("Jazz", 10, 1_500).await, app.customer("ada@example.org", 5_000).await);

    let (status, order) = app.order(event, ada, 3).await;
    assert_eq!((status, &order["total_cents"]), (StatusCode::CREATED, &json!(4_500)));
    assert_eq!((app.seats_left(event).await, balance(&pool, ada).await), (7, 500));

    let cancel = format!("/orders/{}/cancel", order["id"]);
    assert_eq!(app.post(&cancel, Value::Null).await.0, StatusCode::OK);
    assert_eq!((app.seats_left(event).await, balance(&pool, ada).await), (10, 5_000));

    assert_eq!(app.post(&cancel, Value::Null).await.0, StatusCode::CONFLICT);
    assert_eq!((app.seats_left(event).await, balance(&pool, ada).await), (10, 5_000));
}

#[sqlx::test(migrations = false)]
async fn an_order_that_cannot_be_paid_leaves_nothing_behind(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let (event, ada) = (app.event("Jazz", 10, 1_500).await, app.customer("ada@example.org", 1_499).await);
    assert_eq!(app.order(event, ada, 1).await.0, StatusCode::CONFLICT);
    assert_eq!((app.seats_left(event).await, balance(&pool, ada).await), (10, 1_499));
}

#[sqlx::test(migrations = false)]
async fn as_many_of_those_who_order_at_once_get_a_seat_as_there_are_seats(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let (event, ada) = (app.event("Jazz", 5, 100).await, app.customer("ada@example.org", 10_000).await);
    let orders: JoinSet<StatusCode> = (0..20)
        .map(|_| {
            let app = app.clone();
            async move { app.order(event, ada, 1).await.0 }
        })
        .collect();
    let answers = orders.join_all().await;
    let count = |wanted| answers.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(StatusCode::CREATED), count(StatusCode::CONFLICT)), (5, 15));
    assert_eq!((app.seats_left(event).await, balance(&pool, ada).await), (0, 9_500));
}

#[sqlx::test(migrations = false)]
async fn credit_sent_both_ways_at_once_is_neither_made_nor_lost(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let (ada, bob) = (app.customer("ada@example.org", 100).await, app.customer("bob@example.org", 100).await);
    let transfers: JoinSet<StatusCode> = (0..20)
        .map(|number| {
            let (app, (from, to)) = (app.clone(), if number % 2 == 0 { (ada, bob) } else { (bob, ada) });
            let body = json!({ "from_customer_id": from, "to_customer_id": to, "amount_cents": 30 });
            async move { app.post("/transfers", body).await.0 }
        })
        .collect();
    let answers = transfers.join_all().await;
    assert!(answers.iter().all(|status| matches!(*status, StatusCode::CREATED | StatusCode::CONFLICT)), "{answers:?}");
    let (ada, bob) = (balance(&pool, ada).await, balance(&pool, bob).await);
    assert!(ada + bob == 200 && ada >= 0 && bob >= 0, "{ada} and {bob}");
}

#[sqlx::test(migrations = false)]
async fn an_address_belongs_to_one_customer_whatever_its_case(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    app.customer("Ada@Example.org", 0).await;
    let (status, refusal) = app.post("/customers", json!({ "email": "ada@example.ORG" })).await;
    assert_eq!((status, refusal), (StatusCode::CONFLICT, json!({ "error": "the e-mail address is taken" })));
}

#[sqlx::test(migrations = false)]
async fn a_walk_through_the_pages_meets_each_event_once_though_all_begin_at_the_same_time(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(app.event(&format!("Night {number}"), 1, 100).await);
    }
    let (mut met, mut path) = (Vec::new(), "/events?limit=3".to_owned());
    loop {
        let (status, page) = app.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        met.extend(page["items"].as_array().unwrap().iter().map(|event| event["id"].as_i64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/events?limit=3&after={next}");
    }
    assert_eq!(met, made);
}

#[sqlx::test(migrations = false)]
async fn a_search_takes_every_character_for_itself(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    for title in ["100 % Jazz", "100 x Jazz", r"back\slash"] {
        app.event(title, 1, 100).await;
    }
    for (query, title) in [("0%20%25%20j", "100 % Jazz"), (r"k%5Cs", r"back\slash")] {
        let (_, page) = app.get(&format!("/events?q={query}")).await;
        let titles: Vec<&Value> = page["items"].as_array().unwrap().iter().map(|event| &event["title"]).collect();
        assert_eq!(titles, [title], "{query}");
    }
}

#[sqlx::test(migrations = false)]
async fn what_postgres_says_of_an_error_reaches_no_client(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    sqlx::query("ALTER TABLE events RENAME COLUMN title TO name").execute(&pool).await.unwrap();
    let (status, refusal) = app.get("/events").await;
    assert_eq!((status, refusal), (StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": "internal server error" })));
}

/// What the database itself has of a customer.
async fn balance(pool: &PgPool, customer: i64) -> i64 {
    let query = sqlx::query_scalar("SELECT balance_cents FROM customers WHERE id = $1").bind(customer);
    query.fetch_one(pool).await.expect("the customer is there")
}
