//! Expectations: what passes, and what a learner reads where it does not.

use serde_json::{Value, json};

use super::{explained, get, message};
use crate::json::differences;
use crate::{Response, absent, any, any_id, any_integer, any_string, any_time};
use lab_protocol::Difference;

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\nAllow: GET\r\nAllow: HEAD\r\n\
                    Content-Length: 5\r\n\r\nhello";

async fn page() -> Response {
    get(PAGE).await.unwrap()
}

async fn body(text: &str) -> Response {
    let length = text.len();
    get(format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{text}"))
        .await
        .unwrap()
}

fn difference(place: &str, expected: &str, actual: &str) -> Difference {
    Difference { place: place.into(), expected: expected.into(), actual: actual.into() }
}

#[tokio::test]
async fn expectations_that_hold_give_the_answer_back() {
    let names_head = |value: &str| value.contains("HEAD");
    page()
        .await
        .expect_status(200)
        .and_then(|r| r.expect_status_in(&[200, 204]))
        .and_then(|r| r.expect_header("Allow", "GET, HEAD"))
        .and_then(|r| r.expect_header_where("allow", "names HEAD", names_head))
        .and_then(|r| r.expect_media_type("text/html"))
        .and_then(|r| r.expect_no_header("location"))
        .and_then(|r| r.expect_body("hello"))
        .and_then(|r| r.expect_body_where("a greeting", |body| body.starts_with(b"h")))
        .and_then(|r| r.expect_where("a short answer", |r| r.body().len() < 10))
        .unwrap();
}

#[tokio::test]
async fn a_wrong_status_is_named() {
    let explanation = explained(page().await.expect_status(201));
    assert_eq!(explanation.message, "expected status 201 Created, got 200 OK");
    assert_eq!(explanation.diff, [difference("status", "201 Created", "200 OK")]);
    assert_eq!(explanation.received.as_deref(), Some(PAGE.replace('\r', "\\r").as_str()));
    assert!(explanation.sent.unwrap().starts_with("GET / HTTP/1.1"));
    assert!(explanation.reproduce.unwrap().ends_with("\ncurl -i http://127.0.0.1:8080/"));
    let failed = message(page().await.expect_status_in(&[400, 422]));
    assert_eq!(failed, "expected status 400 Bad Request or 422 Unprocessable Content, got 200 OK");
}

#[tokio::test]
async fn who_asks_a_check_for_patience_is_told_that_it_has_none() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    let failed = message(get(busy).await.unwrap().expect_status(201));
    assert_eq!(
        failed,
        "expected status 201 Created, got 503 Service Unavailable with `Retry-After: 1`; a check asks again only where \
         the README says so"
    );
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let explanation = explained(page().await.expect_header("allow", "GET"));
    assert_eq!(explanation.message, "expected the field allow to be `GET`, got `GET, HEAD`");
    assert_eq!(explanation.diff, [difference("header allow", "GET", "GET, HEAD")]);
    let explanation = explained(page().await.expect_header("location", "/"));
    assert_eq!(explanation.message, "the response has no field location");
    assert_eq!(explanation.diff, [difference("header location", "/", "(no such field)")]);
    let failed = message(page().await.expect_header_where("allow", "names PUT", |value| value.contains("PUT")));
    assert_eq!(failed, "expected a field allow that names PUT, got `GET, HEAD`");
    let failed = message(page().await.expect_media_type("text/plain"));
    assert_eq!(failed, "expected a body of type text/plain, but Content-Type says `Text/HTML; charset=utf-8`");
    assert_eq!(message(page().await.expect_no_header("allow")), "expected no field allow, got `GET, HEAD`");
}

#[tokio::test]
async fn a_wrong_body_is_shown_where_it_differs() {
    let explanation = explained(page().await.expect_body("help!"));
    assert_eq!(explanation.message, "the body differs at byte 3, counted from 0: expected `help!`, got `hello`");
    assert_eq!(explanation.diff[0].place, "body byte 3");
    let failed = message(page().await.expect_body("hello, world"));
    assert_eq!(failed, "the body ends too early: expected 12 bytes, got 5 bytes");
    let failed = message(page().await.expect_body("hel"));
    assert_eq!(failed, "the body should end after 3 bytes, but `lo` follows");
    let zipped = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\u{1f}\u{8b}";
    let failed = message(get(zipped).await.unwrap().expect_body("hi"));
    assert!(failed.starts_with("the body differs at byte 0"), "{failed}");
    let zipped = [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n".as_slice(), &[0x1f, 0x8b, 8]].concat();
    let failed = message(get(zipped).await.unwrap().expect_body("hi"));
    assert!(failed.starts_with("the body is compressed with gzip: expected `hi`"), "{failed}");
    let failed = message(page().await.expect_empty_body());
    assert_eq!(failed, "expected an empty body, got 5 bytes: `hello`");
    let failed = message(page().await.expect_body_where("a farewell", |_| false));
    assert_eq!(failed, "the body is not a farewell: `hello`");
    assert_eq!(message(page().await.expect_where("a long answer", |_| false)), "expected a long answer");
}

#[tokio::test]
async fn json_may_hold_more_than_expected() {
    let response = body(r#"{"id": 7, "name": "x", "tags": [1, 2.0], "more": {"a": null, "b": 5}}"#).await;
    response
        .expect_json(json!({"id": 7.0, "tags": [1, 2], "more": {"a": null}}))
        .and_then(|r| r.expect_json_where("/id", "a positive number", |id| id.as_u64() > Some(0)))
        .and_then(|r| r.expect_json_without("/password"))
        .unwrap();
}

#[tokio::test]
async fn json_that_differs_is_listed_place_by_place() {
    let response = body(r#"{"id": 7, "a/b": {"x": 1}, "items": [1, 2, 3], "gone": 1}"#).await;
    let expected = json!({"id": "7", "a/b": {"x": 2}, "items": [1, 9], "none": true, "gone": absent()});
    let explanation = explained(response.expect_json(expected));
    let mut found = explanation.diff;
    found.sort_by(|a, b| a.place.cmp(&b.place));
    assert_eq!(
        found,
        [
            difference("/a~1b/x", "2", "1"),
            difference("/gone", "no such member", "1"),
            difference("/id", "\"7\"", "7"),
            difference("/items/1", "9", "2"),
            difference("/items/2", "(nothing)", "3"),
            difference("/none", "true", "(nothing)"),
        ]
    );
    assert!(explanation.message.starts_with("the JSON body differs in 6 places: "), "{}", explanation.message);
    let failed = message(body("[]").await.expect_json(json!({})));
    assert_eq!(failed, "(the whole body) in the JSON body: expected {}, got []");
}

#[test]
fn a_long_list_of_differences_is_cut() {
    let expected: Vec<_> = (0..50).collect();
    let found = differences(&json!(expected), &json!([]));
    assert_eq!((found.len(), found[20].place.as_str()), (21, "30 more"));
}

#[test]
fn stand_ins_take_what_they_say() {
    let fits = |expected: Value, actual: Value| differences(&json!({"x": expected}), &json!({"x": actual})).is_empty();
    for id in [json!(1), json!(5.0), json!("0195e2a0-6e4f-7c3b-9d53-1c7a3f0e2b11")] {
        assert!(fits(any_id(), id));
    }
    for no_id in [json!(0), json!(-1), json!(1.5), json!("1"), json!(null), json!("0195e2a06e4f7c3b9d531c7a3f0e2b11")] {
        assert!(!fits(any_id(), no_id));
    }
    assert!(
        fits(any_time(), json!("2026-01-31T19:30:00.123Z")) && fits(any_time(), json!("2026-01-31T19:30:00+00:00"))
    );
    assert!(!fits(any_time(), json!("2026-01-31T19:30:00+01:00")) && !fits(any_time(), json!("2026-01-31")));
    assert!(fits(any(), json!(null)) && fits(any_string(), json!("")) && !fits(any_integer(), json!(1.5)));
    assert!(!differences(&json!({"x": any()}), &json!({})).is_empty());
    assert!(differences(&json!({"x": absent()}), &json!({})).is_empty());
    assert!(differences(&json!(18_446_744_073_709_551_615u64), &json!(18_446_744_073_709_551_614u64)).len() == 1);
}

#[tokio::test]
async fn stand_ins_are_shown_in_words() {
    let explanation = explained(body(r#"{"id": "x"}"#).await.expect_json(json!({"id": any_id()})));
    assert_eq!(
        explanation.message,
        "/id in the JSON body: expected an id: a positive whole number or a UUID, got \"x\""
    );
    assert!(explanation.expected.unwrap().contains("<an id: a positive whole number or a UUID>"));
}

#[tokio::test]
async fn what_is_no_json_is_told_with_its_type() {
    let failed = message(page().await.json());
    assert_eq!(
        failed,
        "the body is not JSON: expected value at line 1 column 1 (its Content-Type is `Text/HTML; charset=utf-8`); it \
         begins with `hello`"
    );
    let failed = message(get("HTTP/1.1 204 \r\n\r\n").await.unwrap().json());
    assert_eq!(failed, "the body is not JSON: it is empty (it has no Content-Type)");
}

#[tokio::test]
async fn values_are_taken_by_pointer() {
    let response = body(r#"{"items": [{"id": 7}], "name": "x"}"#).await;
    assert_eq!(response.at::<u64>("/items/0/id").unwrap(), 7);
    let failed = message(response.at::<u64>("/items/0/price"));
    assert_eq!(failed, "the JSON body has nothing at /items/0/price: /items/0 has the members `id`");
    let failed = message(response.at::<u64>("/items/1/id"));
    assert_eq!(failed, "the JSON body has nothing at /items/1/id: /items is an array of 1 items");
    let failed = message(response.at::<u64>("/id"));
    assert_eq!(failed, "the JSON body has nothing at /id: the body has the members `items`, `name`");
    let failed = message(response.at::<u64>("/name"));
    assert_eq!(failed, "/name does not have the expected type: invalid type: string \"x\", expected u64");
    let failed = message(response.clone().expect_json_where("/name", "a number", Value::is_number));
    assert_eq!(failed, "/name in the JSON body: expected a number, got \"x\"");
    let failed = message(response.expect_json_without("/name"));
    assert_eq!(failed, "/name in the JSON body: expected nothing there, got \"x\"");
}
