//! The same three checks with tokio, reqwest and sqlx alone, against servers that already run.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Runs the three and prints what became of them.
#[allow(clippy::print_stdout, clippy::print_stderr)]
pub fn main(http: &str, database: &str, url: &str) -> ExitCode {
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::FAILURE };
    let outcomes = runtime.block_on(async {
        [
            ("split_request", split_request(http).await),
            ("never_oversold", never_oversold(database, url).await),
            ("backend_terminated", backend_terminated(database, url).await),
        ]
    });
    let mut code = ExitCode::SUCCESS;
    for (name, outcome) in outcomes {
        match outcome {
            Ok(()) => println!("pass {name}"),
            Err(error) => {
                eprintln!("FAIL {name}: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

async fn split_request(base: &str) -> Outcome {
    let address = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    for byte in b"GET /echo/abc HTTP/1.1\r\nHost: lab\r\n\r\n" {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        tokio::task::yield_now().await;
    }
    // Where an answer ends is told by its head, so the head has to be read first. Chunked answers, which are just as
    // right, fail here: a reader for them would be as long as this file.
    let mut answer = Vec::new();
    let mut chunk = [0; 1024];
    let deadline = Instant::now() + Duration::from_secs(10);
    let (head, body) = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let count = tokio::time::timeout(left, stream.read(&mut chunk)).await??;
        if count == 0 {
            return Err(format!("closed after {:?}", String::from_utf8_lossy(&answer)).into());
        }
        answer.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse::<usize>().ok())
                .ok_or("no Content-Length")?;
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        }
    };
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("expected 200, got {head:?}").into());
    }
    if body != "abc" {
        return Err(format!("expected abc, got {body:?}").into());
    }
    Ok(())
}

async fn never_oversold(base: &str, database: &str) -> Outcome {
    let client = reqwest::Client::new();
    let pool = PgPool::connect(database).await?;
    let unique = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
    let event = json!({"title": "Jazz", "starts_at": "2031-05-01T19:30:00Z", "seats": 50, "price_cents": 100});
    let event: Value =
        client.post(format!("{base}/events")).json(&event).send().await?.error_for_status()?.json().await?;
    let customer = json!({"email": format!("a{unique}@example.com"), "balance_cents": 1_000_000});
    let customer: Value =
        client.post(format!("{base}/customers")).json(&customer).send().await?.error_for_status()?.json().await?;
    let id = event["id"].to_string();
    let path = format!("{base}/events/{}/orders", id.trim_matches('"'));
    let mut tasks = Vec::new();
    for _ in 0..200 {
        let request = client.post(&path).json(&json!({"customer_id": customer["id"], "seats": 1}));
        tasks.push(tokio::spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) }));
    }
    let mut sold = 0;
    for task in tasks {
        if task.await?? == 201 {
            sold += 1;
        }
    }
    if sold != 50 {
        return Err(format!("expected 50 orders to be confirmed, got {sold}").into());
    }
    // Other rows may stand here: this database is everybody's.
    let lines: i64 = sqlx::query_scalar(
        "select count(*) from order_lines join orders on orders.id = order_lines.order_id where orders.event_id::text = $1",
    )
    .bind(id.trim_matches('"'))
    .fetch_one(&pool)
    .await?;
    if lines != 50 {
        return Err(format!("expected 50 seats in order_lines, got {lines}").into());
    }
    Ok(())
}

async fn backend_terminated(base: &str, database: &str) -> Outcome {
    let client = reqwest::Client::new();
    let before = client.get(format!("{base}/events")).send().await?.status();
    if before != 200 {
        return Err(format!("expected 200, got {before}").into());
    }
    let pool = PgPool::connect(database).await?;
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
    )
    .execute(&pool)
    .await?;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let status = client.get(format!("{base}/events")).send().await.map(|answer| answer.status().as_u16());
        if matches!(status, Ok(200)) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("10 seconds later the server still answers {status:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
