//! Tests of the whole box office. `cargo lab test 8 --solution` runs them with a Postgres, an object store and a NATS.

mod app;

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::Value;
use sqlx::PgPool;

use crate::shutdown::Stop;
use crate::store::{Begun, Overtaken};
use crate::uploads::stored;
use app::TestApp;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
/// As large as a part is by default.
const PART: usize = 5 * 1024 * 1024;

#[sqlx::test(migrations = false)]
async fn what_was_found_right_is_a_file_whose_bytes_never_change(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    let upload = app.announce("image/png", PNG).await;
    assert_eq!(app.complete(&upload).await.status, StatusCode::CONFLICT);
    assert_eq!(app.bring(&upload.json, PNG).await, StatusCode::OK);
    let completed = app.complete(&upload).await;
    assert_eq!((completed.status, app.complete(&upload).await.json), (StatusCode::OK, completed.json.clone()));
    assert_eq!(app.bring(&upload.json, &PNG.to_ascii_uppercase()).await, StatusCode::OK);
    assert_eq!(app.download(completed.text("file")).await, PNG);
}

#[sqlx::test(migrations = false)]
async fn nothing_is_left_of_what_was_not_as_announced(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    let upload = app.announce("image/png", PNG).await;
    assert_eq!(app.bring(&upload.json, &[PNG, b"longer"].concat()).await, StatusCode::FORBIDDEN);
    assert_eq!(app.bring(&upload.json, &PNG.to_ascii_uppercase()).await, StatusCode::OK);
    for _ in 0..2 {
        assert_eq!(app.complete(&upload).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let text = app.announce("image/png", b"only a text").await;
    assert_eq!(app.bring(&text.json, b"only a text").await, StatusCode::OK);
    assert_eq!(app.complete(&text).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(app.keys().await.is_empty());
}

#[sqlx::test(migrations = false)]
async fn an_upload_in_parts_goes_on_where_it_was(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    let whole = [PNG, &vec![7; 2 * PART]].concat();
    let (first, second, third) = (&whole[..PART], &whole[PART..2 * PART], &whole[2 * PART..]);
    let upload = app.announce("image/png", &whole).await;
    let path = format!("/uploads/{}", upload.text("id"));
    assert_eq!(app.bring(&upload.json["parts"][1], second).await, StatusCode::OK);
    assert_eq!(app.complete(&upload).await.status, StatusCode::CONFLICT);
    let parts = app.get(&path).await.json["parts"].clone();
    assert_eq!(parts.as_array().map(Vec::len), Some(3));
    assert_eq!((&parts[0]["done"], &parts[1]["done"], &parts[1]["url"]), (&false.into(), &true.into(), &Value::Null));
    assert_eq!(app.bring(&parts[0], first).await, StatusCode::OK);
    assert_eq!(app.bring(&parts[2], third).await, StatusCode::OK);
    let completed = app.complete(&upload).await;
    assert!(app.download(completed.text("file")).await == whole);

    let unwanted = app.announce("image/png", &whole).await;
    assert_eq!(app.bring(&unwanted.json["parts"][0], first).await, StatusCode::OK);
    let path = format!("/uploads/{}", unwanted.text("id"));
    assert_eq!(app.send("s3cret", Method::DELETE, &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
    assert!(app.bucket.multipart_uploads(None).await.unwrap().found.is_empty());
}

#[sqlx::test(migrations = false)]
async fn what_is_somebody_elses_is_not_there(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    let upload = app.announce("image/png", PNG).await;
    app.bring(&upload.json, PNG).await;
    let file = app.complete(&upload).await;
    let (upload, file) = (format!("/uploads/{}", upload.text("id")), format!("/files/{}", file.text("file")));
    for (method, path) in [
        (Method::GET, upload.clone()),
        (Method::DELETE, upload.clone()),
        (Method::POST, format!("{upload}/complete")),
        (Method::GET, file),
    ] {
        let status = async |token| app.send(token, method.clone(), &path, &Value::Null).await.status;
        assert_eq!(status("hunter2").await, StatusCode::NOT_FOUND, "{method} {path}");
        assert_eq!(status("hunter").await, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_ne!(status("s3cret").await, StatusCode::NOT_FOUND, "{method} {path}");
    }
}

/// One test for all that needs the broker, whose streams have one name for everybody.
#[sqlx::test(migrations = false)]
async fn a_ticket_is_printed_once_and_what_cannot_be_printed_is_put_aside(pool: PgPool) {
    let app = TestApp::start(&pool, &[("JOB_MAX_TRIES", "2"), ("JOB_RETRY_MS", "10")]).await;
    let (poison, job) = (app.ticket("Łukasz").await, app.ticket("José").await);
    let stop = Stop::default();
    let consumer = app.worker.prepare().await;
    let working = async { tokio::join!(app.relay.run(&stop), app.worker.run(&consumer, &stop)) };
    let watching = async {
        let done = app.job(&job, "done").await;
        let ticket = app.download(done.text("file")).await;
        assert!(ticket.ends_with(b"\nname Jos\xe9\n"));
        assert_eq!(app.job(&poison, "failed").await.json["tries"], 2);
        stop.begin();
    };
    tokio::join!(working, watching);
    assert_eq!(app.keys().await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn only_the_newest_try_finishes_a_job(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    let job = app.ticket("Ada").await.parse().unwrap();
    let begin = async || match app.store.begin_try(job).await.unwrap() {
        Begun::Print(_, file) => file,
        other => panic!("{other:?}"),
    };
    let (paused, newer) = (begin().await, begin().await);
    assert!(!app.store.finish_try(job, paused).await.unwrap());
    assert!(app.store.finish_try(job, newer).await.unwrap());
    assert!(!app.store.finish_try(job, newer).await.unwrap());
    assert!(matches!(app.store.begin_try(job).await.unwrap(), Begun::Done));
}

#[sqlx::test(migrations = false)]
async fn whoever_was_overtaken_writes_nothing_any_more(pool: PgPool) {
    let app = TestApp::start(&pool, &[]).await;
    let (moment, long) = (Duration::from_millis(1), Duration::from_secs(60));
    let first = app.store.take_lease(moment).await.unwrap().unwrap();
    assert_eq!(app.store.report_sweep(first, 1).await.unwrap(), Ok(()));
    tokio::time::sleep(moment * 2).await;
    assert!(app.store.keep_lease(first, moment).await.unwrap(), "nobody has taken it");
    tokio::time::sleep(moment * 2).await;
    let second = app.store.take_lease(long).await.unwrap().unwrap();
    assert_eq!(app.store.take_lease(long).await.unwrap(), None);
    assert!(!app.store.keep_lease(first, long).await.unwrap());
    assert_eq!(app.store.report_sweep(first, 5).await.unwrap(), Err(Overtaken));
    assert_eq!(app.store.report_sweep(second, 3).await.unwrap(), Ok(()));
    let sweeps = app.get("/sweeps").await.json;
    assert_eq!(sweeps, serde_json::json!([{ "token": 1, "removed": 1 }, { "token": 2, "removed": 3 }]));
}

#[sqlx::test(migrations = false)]
async fn the_sweeper_removes_what_is_over_and_nothing_else(pool: PgPool) {
    let quick = [("SWEEP_EVERY_MS", "50"), ("SWEEP_AFTER_MS", "1500")];
    let app = TestApp::start(&pool, &quick).await;
    let (complete, coming, late) =
        tokio::join!(app.announce("image/png", PNG), app.announce("image/png", PNG), app.announce("image/png", PNG));
    for upload in [&complete, &coming, &late] {
        assert_eq!(app.bring(&upload.json, PNG).await, StatusCode::OK);
    }
    let file = app.complete(&complete).await;
    sqlx::query("UPDATE uploads SET expires_at = now() - interval '1 hour' WHERE id = $1::uuid")
        .bind(late.text("id"))
        .execute(&pool)
        .await
        .unwrap();
    app.bucket.put("of nobody", "text/plain", b"left".to_vec()).await.unwrap();
    let stop = Stop::default();
    let watching = async {
        for _ in 0..1_000 {
            if app.keys().await.len() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.begin();
    };
    tokio::join!(app.sweeper.run(&stop), watching);
    let file = stored(file.text("file").parse().unwrap());
    assert_eq!(app.keys().await, [file, format!("incoming/{}", coming.text("id"))]);
    assert_eq!(app.get(&format!("/uploads/{}", late.text("id"))).await.text("state"), "expired");
    assert_eq!(app.complete(&late).await.status, StatusCode::CONFLICT);
}
