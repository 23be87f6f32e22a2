//! Tests of the whole box office, each on a database of its own. `cargo lab test 6 --solution` runs them with a Postgres.

mod app;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Executor as _, PgPool};

use app::TestApp;

#[sqlx::test(migrations = false)]
async fn a_server_that_waits_for_its_database_lives_and_is_not_ready(pool: PgPool) {
    let (app, store) = TestApp::starting(&pool, &[]);
    assert_eq!(app.get("/livez").await.status, StatusCode::OK);
    assert_eq!(app.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let refused = app.get("/events").await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));

    store.prepare().await.unwrap();
    app.lifecycle.enter(crate::lifecycle::Phase::Serving);
    assert_eq!(app.get("/readyz").await.status, StatusCode::OK);
    app.lifecycle.enter(crate::lifecycle::Phase::Draining);
    assert_eq!(app.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(app.get("/events").await.status, StatusCode::OK, "whoever has not heard it yet is still answered");
}

#[sqlx::test(migrations = false)]
async fn only_who_shows_the_token_writes(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    for shown in [None, Some("Bearer "), Some("Bearer s3cre"), Some("s3cret")] {
        let request = TestApp::request(Method::POST, "/events");
        let request = shown.into_iter().fold(request, |request, value| request.header("authorization", value));
        let refused = app.send(request, json!({ "title": "Jazz", "seats": 1 })).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (StatusCode::UNAUTHORIZED, Some("Bearer")));
    }
    assert_eq!(app.get("/events").await.json(), json!({ "items": [] }));
}

#[sqlx::test(migrations = false)]
async fn an_order_is_written_under_both_names_of_its_buyer(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    let event = app.event(3).await;
    let order = app.order(event, 2).await;
    assert_eq!(order.status, StatusCode::CREATED, "{}", order.text);
    let names: (String, String) = sqlx::query_as("SELECT customer, buyer FROM orders").fetch_one(&pool).await.unwrap();
    assert_eq!(names, ("Ada".into(), "Ada".into()));
    assert_eq!(app.order(event, 2).await.status, StatusCode::CONFLICT);
    assert_eq!(app.get("/tally").await.json(), json!({ "orders": 1, "seats": 2 }));
}

#[sqlx::test(migrations = false)]
async fn the_orders_of_version_1_get_their_buyers_before_the_server_is_ready_and_after(pool: PgPool) {
    const VERSION_1: &str = "INSERT INTO orders (event_id, customer, seats) VALUES (1, $1, 1) RETURNING id";
    let migrator = sqlx::migrate!();
    migrator.run_to(1, &pool).await.unwrap();
    pool.execute("INSERT INTO events (title, seats) VALUES ('Jazz', 9)").await.unwrap();
    let old: i64 = sqlx::query_scalar(VERSION_1).bind("Bob").fetch_one(&pool).await.unwrap();

    let app = TestApp::start(&pool, &[]).await;
    let meanwhile: i64 = sqlx::query_scalar(VERSION_1).bind("Eve").fetch_one(&pool).await.unwrap();
    for (id, buyer) in [(old, "Bob"), (meanwhile, "Eve")] {
        assert_eq!(app.get(&format!("/orders/{id}")).await.json()["buyer"], buyer);
    }
}

#[sqlx::test(migrations = false)]
async fn a_full_server_refuses_at_once_and_says_how_it_is(pool: PgPool) {
    let app = TestApp::start(&pool, &[("MAX_IN_FLIGHT", "1")]).await;
    let event = app.event(3).await;
    let mut lock = pool.begin().await.unwrap();
    lock.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let waiting = tokio::spawn({
        let app = app.clone();
        async move { app.order(event, 1).await.status }
    });
    blocked(&pool).await;

    let refused = app.get("/events").await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    for probe in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(app.get(probe).await.status, StatusCode::OK, "{probe}");
    }
    lock.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap(), StatusCode::CREATED);
    assert_eq!(app.get("/events").await.status, StatusCode::OK);
}

#[sqlx::test(migrations = false)]
async fn a_request_whose_time_is_over_has_no_effect_later(pool: PgPool) {
    let app = TestApp::start(&pool, &[("REQUEST_TIMEOUT_MS", "300")]).await;
    let event = app.event(3).await;
    let mut lock = pool.begin().await.unwrap();
    lock.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await.unwrap();
    assert_eq!(app.order(event, 1).await.status, StatusCode::SERVICE_UNAVAILABLE);
    lock.commit().await.unwrap();

    // Whatever of the order still runs has to end before this lock can be had.
    let mut lock = pool.begin().await.unwrap();
    lock.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(&mut *lock).await.unwrap();
    lock.commit().await.unwrap();
    assert_eq!(orders, 0);
    assert_eq!(app.get(&format!("/events/{event}")).await.json()["seats_left"], 3);
}

#[sqlx::test(migrations = false)]
async fn a_panic_ends_one_request_is_counted_and_keeps_no_place(pool: PgPool) {
    let app = TestApp::start(&pool, &[("MAX_IN_FLIGHT", "1")]).await;
    for _ in 0..2 {
        assert_eq!(app.post("/drill/panic", Value::Null).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert_eq!(app.get("/tally").await.status, StatusCode::OK);
    assert!(app.get("/metrics").await.text.contains("\nhttp_panics_total 2\n"));
}

#[sqlx::test(migrations = false)]
async fn ids_and_unknown_paths_make_no_new_series(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    app.get("/events/1").await;
    app.get("/nowhere/1").await;
    let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    let before = series(&app.get("/metrics").await.text);
    // The request for the metrics is itself counted once it was answered.
    let before = before.max(series(&app.get("/metrics").await.text));
    for id in 2..20 {
        app.get(&format!("/events/{id}")).await;
        app.get(&format!("/nowhere/{id}")).await;
    }
    let text = app.get("/metrics").await.text;
    assert_eq!(series(&text), before, "{text}");
    assert!(text.contains(r#"http_requests_total{method="GET",route="/events/{id}",status="404"} 19"#), "{text}");
}

#[sqlx::test(migrations = false)]
async fn a_plain_request_id_comes_back_and_any_other_is_replaced(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    let id_for = async |sent: &str| {
        let request = TestApp::request(Method::GET, "/events").header("x-request-id", sent);
        let answer = app.send(request, Value::Null).await;
        answer.header("x-request-id").expect("every response has an id").to_owned()
    };
    assert_eq!(id_for("order-7_a.b").await, "order-7_a.b");
    for strange in ["", "two words", "a\"b", &"x".repeat(65)] {
        assert_ne!(id_for(strange).await, strange);
    }
}

/// Waits until a statement waits for a lock.
async fn blocked(pool: &PgPool) {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..500 {
        let waiting: i64 = sqlx::query_scalar(query).fetch_one(pool).await.unwrap();
        if waiting > 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nothing waited for the lock within 5 s");
}
