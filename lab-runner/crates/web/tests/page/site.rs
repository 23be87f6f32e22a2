//! The site of `cargo lab web`: who gets an answer, and what stands beside a check.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::sample;
use crate::served::Served;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lab-web");

#[test]
fn only_whoever_has_the_address_gets_an_answer_and_no_other_origin_reads_it() {
    let served = Served::start(PROGRAM.as_ref(), &[]);
    let (path, own) = (served.path(), served.url.split('/').nth(2).unwrap().to_owned());
    assert!(own.starts_with("127.0.0.1:") && path.len() >= 34, "{}", served.url);
    let (status, head, body) = served.get(&path, &[]);
    assert_eq!(status, 200);
    assert!(body.contains("Backend Labs") && body.contains("tiny-2"));
    for wanted in [
        "content-security-policy: default-src 'none'",
        "frame-ancestors 'none'",
        "cache-control: no-store",
        "x-frame-options: deny",
        "referrer-policy: no-referrer",
        "cross-origin-resource-policy: same-origin",
        "x-content-type-options: nosniff",
    ] {
        assert!(head.contains(wanted), "{wanted}: {head}");
    }
    assert!(!head.contains("access-control") && !head.contains("'unsafe-inline'"), "{head}");
    // A name that was made to lead here, another page's request, and a guess.
    let port = own.split(':').nth(1).unwrap();
    for (path, headers, status) in [
        (path.clone(), vec![format!("Host: evil.example:{port}")], 421),
        (path.clone(), vec!["Origin: http://evil.example".to_owned()], 403),
        (path.clone(), vec!["Sec-Fetch-Site: cross-site".to_owned()], 403),
        ("/".to_owned(), vec![], 404),
        ("/changes".to_owned(), vec![], 404),
        ("/00000000000000000000000000000000/".to_owned(), vec![], 404),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let (got, head, body) = served.get(&path, &headers);
        assert_eq!(got, status, "{path} {headers:?}");
        assert!(!body.contains("Backend Labs") && !head.contains("access-control"), "{head}");
    }
    let missing = served.get(&format!("{path}lab/step-99"), &[]);
    assert_eq!(missing.0, 404);
}

#[test]
fn it_ends_with_whoever_started_it() {
    let mut served = Served::start(PROGRAM.as_ref(), &[]);
    drop(served.child.stdin.take());
    let deadline = Instant::now() + Duration::from_secs(20);
    while served.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_model_answer_stands_beside_it_on_the_same_scale_where_that_is_wanted() {
    let served = Served::start(PROGRAM.as_ref(), &["--anyway"]);
    let mut solution = sample::learners();
    solution["submission"]["kind"] = json!("solution");
    solution["checks"][2]["verdict"] = json!("passed");
    served.record("20270115T080000Z-1", solution);
    served.record("20270115T080001Z-1", sample::learners());
    let (status, _, body) = served.get(&format!("{}lab/tiny-2/orders_in_few_statements", served.path()), &[]);
    assert_eq!(status, 200);
    let scales: Vec<&str> = body.split("data-scale=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(scales.len(), 2, "{body}");
    assert_eq!(scales[0], scales[1]);
    assert!(body.contains("The model answer"));
}
