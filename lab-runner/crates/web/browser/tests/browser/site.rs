//! The site of `cargo lab web` as a browser has it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::sample;
use crate::served::Served;

#[tokio::test]
async fn the_course_the_readme_and_the_timelines_are_seen_and_follow_a_run() {
    let served = Served::start(&crate::program(), &[]);
    let Some(browser) = Browser::start(1280, 900).await else { return };
    browser.page.goto(&served.url).await.unwrap();
    let stops = "return [...document.querySelectorAll('svg.wide .stop')].map((one) => one.classList.contains('later'))";
    assert_eq!(browser.run(stops).await, json!([true, false]));
    browser.page.goto(&format!("{}lab/tiny-2", served.url)).await.unwrap();
    let readme = "return [document.querySelector('.readme h1').textContent, document.querySelectorAll('.readme td').length, \
                  document.querySelector('.readme a').getAttribute('href'), typeof window.harm]";
    assert_eq!(browser.run(readme).await, json!(["Shop", 2, "#", "undefined"]));
    assert_eq!(browser.run("return document.querySelectorAll('.tasks a').length").await, 0);
    // A run is recorded meanwhile.
    served.record("20270115T080000Z-1", sample::learners());
    let count = "return document.querySelectorAll('.tasks a').length";
    until(&browser, count, &json!(5)).await;
    browser.page.goto(&format!("{}lab/tiny-2/orders_in_few_statements", served.url)).await.unwrap();
    assert_eq!(browser.run("return document.querySelectorAll('.area .x').length").await, 51);
    // The model answer is not seen yet.
    assert_eq!(browser.run("return document.querySelectorAll('.plot').length").await, 1);
    let closed = browser.run("return document.body.innerText.includes('once all checks of tiny-2 have passed')").await;
    assert_eq!(closed, true);
    // The next run is better, and the open page knows.
    let mut better = sample::learners();
    better["checks"][2]["verdict"] = json!("passed");
    better["checks"][2]["message"] = Value::Null;
    served.record("20270115T080001Z-1", better);
    until(&browser, "return document.querySelector('.check .facts').textContent.includes('passed')", &json!(true))
        .await;
    let (console, asked) = browser.seen().await;
    assert_eq!(console, Vec::<String>::new());
    assert!(asked.iter().all(|url| url.starts_with(&served.url) || url.starts_with("data:")), "{asked:?}");
    browser.end().await;
}

/// Waits until `script` returns `wanted`.
async fn until(browser: &Browser, script: &str, wanted: &Value) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let got = browser.run(script).await;
        if got == *wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{script}: {got}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
