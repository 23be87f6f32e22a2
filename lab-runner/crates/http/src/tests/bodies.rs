//! What requests carry and answers hold beyond plain bodies: patterns, forms with files, GraphQL, pages.

use serde_json::{Value, json};

use super::{answering, get, message, request};
use crate::json::differences;
use crate::{Part, any_element, any_id, any_string, contains, exactly, walk};

fn places(expected: Value, actual: Value) -> Vec<String> {
    differences(&expected, &actual).into_iter().map(|difference| difference.place).collect()
}

#[test]
fn exactly_allows_no_other_member_at_any_depth() {
    let body = json!({"id": 7, "customer": {"name": "Ada", "password": "secret"}, "more": [{"a": 1, "b": 2}]});
    assert_eq!(places(json!({"customer": {"name": "Ada"}}), body.clone()), [""; 0]);
    assert_eq!(
        places(json!({"customer": exactly(json!({"name": any_string()}))}), body.clone()),
        ["/customer/password"]
    );
    let all = exactly(json!({"id": any_id(), "customer": {"name": "Ada", "password": "secret"}, "more": [{"a": 1}]}));
    assert_eq!(places(all, body), ["/more/0/b"]);
    assert_eq!(places(json!({"a": exactly(json!(5))}), json!({"a": 5.0})), [""; 0]);
    assert_eq!(places(json!({"a": exactly(json!({}))}), json!({})), ["/a"]);
}

#[test]
fn contains_looks_into_strings_and_arrays() {
    let body = json!({"text": "too few seats", "tags": ["jazz", "open air", "late"]});
    let held = json!({"text": contains(json!("seats")), "tags": contains(json!(["late", "jazz"]))});
    assert_eq!(places(held, body.clone()), [""; 0]);
    assert_eq!(places(json!({"text": contains(json!("Seats"))}), body.clone()), ["/text"]);
    assert_eq!(places(json!({"tags": contains(json!(["late", "rock"]))}), body.clone()), ["/tags"]);
    assert_eq!(places(json!({"tags": contains(json!("late"))}), body), ["/tags"]);
}

#[test]
fn any_element_needs_one_that_is_like_it() {
    let body = json!({"errors": [{"field": "name", "code": 1}, {"field": "seats", "code": 2}]});
    assert_eq!(places(json!({"errors": any_element(json!({"field": "seats"}))}), body.clone()), [""; 0]);
    assert_eq!(places(json!({"errors": any_element(exactly(json!({"field": "seats"})))}), body.clone()), ["/errors"]);
    assert_eq!(places(json!({"errors": any_element(json!({"field": "seats", "code": 1}))}), body), ["/errors"]);
}

#[tokio::test]
async fn a_pattern_is_told_in_words() {
    let answer = get("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"tags\":[1]}").await.unwrap();
    let expected = json!({"tags": any_element(json!({"id": any_id()}))});
    let told = message(answer.expect_json(expected));
    let like = r#"an array with an element like {"id":"<an id: a positive whole number or a UUID>"}"#;
    assert_eq!(told, format!("/tags in the JSON body: expected {like}, got [1]"));
}

#[tokio::test]
async fn a_form_with_files_is_what_browsers_send() {
    let peer = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let parts = [Part::text("title", "Hamlet"), Part::file("a \"b\"", "p.png", "image/png", b"\x00lab-kit-form-0")];
    let form = request(&peer, "POST").multipart(&parts);
    assert_eq!(form.media_type.as_deref(), Some("multipart/form-data; boundary=lab-kit-form-1"));
    let body = "--lab-kit-form-1\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nHamlet\r\n\
                --lab-kit-form-1\r\nContent-Disposition: form-data; name=\"a %22b%22\"; filename=\"p.png\"\r\n\
                Content-Type: image/png\r\n\r\n\x00lab-kit-form-0\r\n--lab-kit-form-1--\r\n";
    assert_eq!(form.body.as_deref(), Some(body.as_bytes()));
}

#[tokio::test]
async fn graphql_errors_and_data_are_told_apart() {
    let answer = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let data = get(answer(r#"{"data":{"me":{"id":7}}}"#)).await.unwrap();
    let data = data.expect_graphql_data(json!({"me": {"id": any_id()}})).unwrap();
    assert!(data.expect_graphql_error(json!({})).is_err());
    let refused =
        get(answer(r#"{"data":null,"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}]}"#)).await.unwrap();
    let refused = refused.expect_graphql_error(json!({"extensions": {"code": "FORBIDDEN"}})).unwrap();
    assert!(refused.clone().expect_graphql_error(json!({"extensions": {"code": "NOT_FOUND"}})).is_err());
    assert!(refused.expect_graphql_data(json!(null)).is_err());
    let sent = request(&answering("").await, "POST").graphql("{ me { id } }", json!({"a": 1}));
    let body: Value = serde_json::from_slice(&sent.body.unwrap()).unwrap();
    assert_eq!(body, json!({"query": "{ me { id } }", "variables": {"a": 1}}));
}

#[tokio::test]
async fn a_list_is_walked_to_its_end_and_one_without_an_end_is_not() {
    let peer = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let page = || request(&peer, "GET");
    let mut left = 2;
    let pages = walk(page(), 9, |_| {
        left -= 1;
        Ok((left >= 0).then(page))
    });
    assert_eq!(pages.await.unwrap().len(), 3);
    assert_eq!(message(walk(page(), 4, |_| Ok(Some(page()))).await), "after 4 pages there is still a next one");
}
