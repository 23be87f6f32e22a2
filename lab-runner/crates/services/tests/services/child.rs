//! The child: does one thing with services and says on stdout, in lines of JSON, what came of it.

use std::io::Read as _;
use std::time::Instant;

use clap::ValueEnum as _;
use lab_services::{Endpoint, Examination, ProviderChoice, ServiceId, ServicePool};
use serde_json::{Value, json};

use super::resp::spin;

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
            ["start", provider, ids] => start(provider, ids).await,
            ["pool", ids] => pool(ids).await,
            ["replace", provider, ids] => replace(provider, ids).await,
            ["down", which] => {
                let report = lab_services::down(which == "all").await.expect("a cache");
                say(&json!({"done": report.done, "in_use": report.in_use, "failed": report.failed, "code": report.exit_code()}));
            }
            ["doctor", fix] => {
                let examination = Examination { fix: fix == "fix", ..Examination::default() };
                let report = lab_services::doctor(examination, |_| false, &|_| {}).await.expect("a report");
                let taken = |service: ServiceId| Some(format!("{service} from {}", report.first(service)?));
                let taken: Vec<String> = ServiceId::all().into_iter().filter_map(taken).collect();
                let missing: Vec<&str> = report.missing().into_iter().map(ServiceId::name).collect();
                let mut told = json!(report);
                told["taken"] = json!(taken);
                told["missing"] = json!(missing);
                told["code"] = json!(report.exit_code());
                say(&told);
            }
            _ => panic!("what is `{task}`?"),
        }
    });
}

fn services(ids: &str) -> Vec<ServiceId> {
    ids.split(',').map(|id| ServiceId::find(id).unwrap_or_else(|| panic!("there is no service `{id}`"))).collect()
}

async fn start(provider: &str, ids: &str) {
    let choice = ProviderChoice::from_str(provider, true).expect("a provider");
    let began = Instant::now();
    let progress = |text: String| say(&json!({"progress": text}));
    match lab_services::start(choice, &services(ids), &progress).await {
        Err(error) => {
            say(&json!({"error": lab_protocol::in_full(&error), "hints": error.hints(), "code": error.exit_code()}))
        }
        Ok(running) => {
            let milliseconds = began.elapsed().as_millis();
            let mut line = json!({"milliseconds": milliseconds});
            for (service, endpoint) in running.endpoints.iter() {
                line[service.id()] = describe(endpoint);
            }
            say(&line);
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            running.shutdown().await;
            say(&json!({"stopped": true}));
        }
    }
}

/// What a suite is told that asks a pool for services, twice.
async fn pool(ids: &str) {
    let pool = ServicePool::new(ProviderChoice::Native);
    let first = pool.get(&services(ids), &|_| {}).await.expect("services");
    let second = pool.get(&services(ids), &|_| {}).await.expect("services");
    say(&json!({"for_suite": first.for_suite(), "kept": first == second}));
    pool.shutdown().await;
}

/// A script that cannot be stopped keeps Redis from answering: another is put in its place, and asked for again by who has
/// not heard of it.
async fn replace(provider: &str, ids: &str) {
    let all = services(ids);
    let pool = ServicePool::new(ProviderChoice::from_str(provider, true).expect("a provider"));
    let before = pool.get(&all, &|_| {}).await.expect("services");
    let ended = before.get(all[0]).expect("the first").url.clone();
    let _spinning = spin(&ended);
    let next = pool.replace(all[0], &ended, &|_| {}).await.expect("another");
    let again = pool.replace(all[0], &ended, &|_| {}).await.expect("the same");
    let after = pool.get(&all, &|_| {}).await.expect("services");
    say(&json!({
        "another": next.url != ended,
        "same_for_all": again == next && after.get(all[0]) == Some(&next),
        "others_kept": all[1..].iter().all(|other| before.get(*other) == after.get(*other)),
        "url": next.url,
    }));
    pool.shutdown().await;
}

fn describe(endpoint: &Endpoint) -> Value {
    json!({"url": endpoint.url, "provider": endpoint.provider.name(), "version": endpoint.version})
}

fn say(line: &Value) {
    println!("\n{MARK}{line}");
}
