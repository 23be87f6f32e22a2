//! The child: does one thing with services and says on stdout, in lines of JSON, what came of it.

use std::io::Read as _;
use std::time::Instant;

use clap::ValueEnum as _;
use lab_services::{self as services, Choice, Service, Wanted};
use serde_json::{Value, json};

/// What the child is to do.
pub(crate) const TASK: &str = "LAB_TEST_TASK";
/// Begins each line that is meant for the parent: the test harness writes to stdout as well.
pub(crate) const MARK: &str = "@services ";

#[test]
#[ignore = "this is the child that the other tests start"]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let words: Vec<&str> = task.split(' ').collect();
    runtime.block_on(async {
        match words[..] {
            ["start", provider, wanted] => start(provider, wanted).await,
            ["down", which] => {
                let report = services::down(which == "all").await.expect("a cache");
                say(&json!({"text": report.to_string(), "code": report.exit_code()}));
            }
            ["doctor", fix] => {
                let report = services::doctor(fix == "fix", |_| false, &|_| {}).await.expect("a report");
                say(&json!({"text": report.to_string(), "hints": report.hints, "code": report.exit_code()}));
            }
            _ => panic!("what is `{task}`?"),
        }
    });
}

async fn start(provider: &str, wanted: &str) {
    let choice = Choice::from_str(provider, true).expect("a provider");
    let wanted = Wanted { postgres: wanted.contains("postgres"), redis: wanted.contains("redis") };
    let began = Instant::now();
    let progress = |text: String| say(&json!({"progress": text}));
    match services::start(choice, wanted, &progress).await {
        Err(error) => say(&json!({"error": error.to_string(), "hints": error.hints(), "code": error.exit_code()})),
        Ok(ready) => {
            let milliseconds = began.elapsed().as_millis();
            say(&json!({
                "postgres": ready.postgres.as_ref().map(told),
                "redis": ready.redis.as_ref().map(told),
                "milliseconds": milliseconds,
            }));
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            ready.shutdown().await;
            say(&json!({"stopped": true}));
        }
    }
}

fn told(service: &Service) -> Value {
    json!({"url": service.url, "provider": service.provider.name(), "version": service.version})
}

fn say(line: &Value) {
    println!("\n{MARK}{line}");
}
