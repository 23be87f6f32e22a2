//! Results to be shown: of a lab in which much goes wrong, and of one that means harm.

use serde_json::{Value, json};

/// A transcript while it is written: times are milliseconds since its check began.
#[derive(Default)]
pub struct Story {
    entries: Vec<Value>,
}

impl Story {
    fn push(mut self, at: f64, mut what: Value) -> Self {
        what["at_us"] = json!((at * 1000.0) as u64 + 2_000_000);
        self.entries.push(what);
        self
    }

    pub fn asked(self, at: f64, connection: u64, port: u16, request: &str, body: &str) -> Self {
        let text =
            format!("{request} HTTP/1.1\\r\nHost: 127.0.0.1:{port}\\r\nContent-Type: application/json\\r\n\\r\n{body}");
        self.push(at, json!({"kind": "sent", "connection": connection, "port": port, "text": text}))
    }

    pub fn answered(self, at: f64, connection: u64, status: &str, body: &str) -> Self {
        let text = format!("HTTP/1.1 {status}\\r\nContent-Type: application/json\\r\n\\r\n{body}");
        self.push(at, json!({"kind": "received", "connection": connection, "text": text}))
    }

    pub fn sql(self, at: f64, took: f64, on: u64, statement: &str, answer: &str) -> Self {
        self.waited(at, took, 0.0, on, statement, answer)
    }

    pub fn waited(self, at: f64, took: f64, waited: f64, on: u64, statement: &str, answer: &str) -> Self {
        let us = |ms: f64| (ms * 1000.0) as u64;
        self.push(
            at,
            json!({"kind": "sql", "statement": statement, "answer": answer, "took_us": us(took), "waited_us": us(waited),
                "service": "Postgres", "service_connection": on}),
        )
    }

    pub fn redis(self, at: f64, took: f64, on: u64, command: &str, answer: &str) -> Self {
        self.push(
            at,
            json!({"kind": "redis", "command": command, "answer": answer, "took_us": (took * 1000.0) as u64,
                "service": "Redis", "service_connection": on}),
        )
    }

    pub fn log(self, at: f64, port: u16, line: &str) -> Self {
        self.push(at, json!({"kind": "log", "line": line, "port": port}))
    }

    pub fn note(self, at: f64, text: &str, mark: Value) -> Self {
        self.push(at, json!({"kind": "note", "text": text, "mark": mark}))
    }

    pub fn server(self, at: f64, port: u16, kind: &str, text: &str) -> Self {
        self.note(at, text, json!({"kind": kind, "port": port}))
    }
}

fn check(id: &str, task: u32, title: &str, verdict: &str, story: Story, more: Value) -> Value {
    let passed = verdict == "passed";
    let mut check = json!({
        "id": id, "title": title, "task": task, "points": if passed { 4 } else { 0 }, "max_points": 4, "verdict": verdict,
        "skip_reason": null, "started_us": 2_000_000, "duration_ms": 120, "message": null, "sent": null, "received": null,
        "expected": null, "actual": null, "diff": [], "why": "", "source": "", "hint": null, "hints": [], "reproduce": null,
        "server_log": [], "held_out": false, "counted": true, "transcript": story.entries,
    });
    for (name, value) in more.as_object().unwrap() {
        check[name] = value.clone();
    }
    check
}

fn result(title: &str, checks: Vec<Value>) -> Value {
    json!({
        "schema": "backend-labs/result/v1", "run_id": "20270115T080000Z-0", "runner_version": "0.1.0", "lab": "tiny-2",
        "title": title, "submission": {"kind": "working_tree", "path": "labs/tiny-2-shop", "sha256": null, "left_out": []},
        "suite": {"sha256": null}, "seed": 1_073_227_507,
        "services": {"postgres": {"provider": "native", "version": "PostgreSQL 15.18"}}, "isolation": "none",
        "outcome": "graded", "score": 12, "max_score": 20, "partial": false, "started_at": "2027-01-15T08:00:00Z",
        "duration_ms": 4200, "timings": {}, "diagnostics": null, "notes": [], "checks": checks,
    })
}

/// A server that asks for each row by itself.
pub fn comb() -> Story {
    let mut story = Story::default()
        .server(0.0, 20001, "started", "started the server on port 20001")
        .server(38.0, 20001, "ready", "the server on port 20001 is ready")
        .log(36.0, 20001, "listening on 127.0.0.1:20001")
        .asked(41.0, 1, 20001, "GET /events/7/orders", "")
        .sql(42.1, 0.8, 1, "SELECT id, customer_id FROM orders WHERE event_id = $1", "SELECT 50");
    for number in 0..50 {
        let at = 42.7 + f64::from(number) * 0.62;
        story = story.sql(at, 0.41, 1, "SELECT id, email, credit_cents FROM customers WHERE id = $1", "SELECT 1");
    }
    story.answered(75.2, 1, "200 OK", "[{\"id\":1,\"customer\":{\"email\":\"ada@example.com\"}},…]")
}

/// Two orders for the last seat, a fault, and a server that is stopped.
fn orders() -> Story {
    let update = "UPDATE events SET seats_sold = seats_sold + $1 WHERE id = $2";
    Story::default()
        .server(0.0, 20001, "started", "started the server on port 20001")
        .server(2.0, 20002, "started", "started the server on port 20002")
        .server(31.0, 20001, "ready", "the server on port 20001 is ready")
        .server(33.0, 20002, "ready", "the server on port 20002 is ready")
        .asked(36.0, 1, 20001, "POST /events/7/orders", "{\"customer_id\":3,\"seats\":3}")
        .asked(36.4, 2, 20002, "POST /events/7/orders", "{\"customer_id\":4,\"seats\":2}")
        .sql(37.2, 0.3, 1, "BEGIN", "BEGIN")
        .sql(37.6, 0.3, 2, "BEGIN", "BEGIN")
        .sql(38.9, 0.9, 1, update, "UPDATE 1")
        .sql(41.0, 1.2, 1, "INSERT INTO orders (event_id, customer_id) VALUES ($1, $2) RETURNING id", "INSERT 0 1")
        .sql(43.9, 0.6, 1, "COMMIT", "COMMIT")
        .waited(44.4, 6.1, 5.4, 2, update, "UPDATE 1")
        .answered(45.0, 1, "201 Created", "{\"id\":11}")
        .note(46.0, "Postgres: the connection was cut here by the check", json!({"kind": "cut", "service": "Postgres"}))
        .sql(
            46.1,
            0.7,
            2,
            "INSERT INTO orders (event_id, customer_id) VALUES ($1, $2) RETURNING id",
            "no answer: the connection was closed",
        )
        .log(47.5, 20002, "ERROR order failed error=\"connection closed\"")
        .answered(48.0, 2, "500 Internal Server Error", "{\"error\":\"internal\"}")
        .note(
            52.0,
            "Postgres: its connections are cut, and new ones are refused",
            json!({"kind": "fault", "service": "Postgres"}),
        )
        .asked(54.0, 3, 20001, "GET /events/7", "")
        .answered(58.0, 3, "503 Service Unavailable", "{\"error\":\"unavailable\"}")
        .note(61.0, "Postgres: it is reachable again", json!({"kind": "restored", "service": "Postgres"}))
        .asked(64.0, 3, 20001, "GET /events/7", "")
        .sql(66.0, 0.9, 3, "SELECT id, seats_sold FROM events WHERE id = $1", "SELECT 1")
        .answered(67.0, 3, "200 OK", "{\"id\":7,\"seats_sold\":5}")
        .server(70.0, 20002, "signalled", "sent SIGTERM to the server")
        .server(82.0, 20002, "ended", "the server on port 20002 has ended")
}

/// Thirty requests for one page whose entry has just expired.
fn stampede() -> Story {
    let mut story = Story::default();
    for number in 0..30_u64 {
        let at = number as f64 * 0.12;
        story = story.asked(at, number + 1, 20001, "GET /events/7", "");
        story = story.redis(at + 1.2, 0.3, number % 6 + 1, "GET event:7", "nil");
    }
    for number in 0..30_u64 {
        let at = 22.0 + number as f64 * 0.4;
        story = story.sql(at, 18.0, number % 10 + 1, "SELECT * FROM events WHERE id = $1", "SELECT 1");
        story = story.answered(at + 1.0, number + 1, "200 OK", "{\"id\":7}");
    }
    // Much later, once more.
    story.asked(4_200.0, 31, 20001, "GET /events/7", "").answered(4_203.0, 31, "200 OK", "{\"id\":7}")
}

/// What a learner sees who has begun.
pub fn learners() -> Value {
    let failed = json!({
        "message": "After an order that was answered 500, two seats are gone.", "expected": "seats_sold 3", "actual": "seats_sold 5",
        "why": "Either all of an order is there or nothing of it.", "source": "PostgreSQL manual, 3.4 Transactions",
        "hints": ["Which statements belong together?", "What does Postgres do with a transaction whose connection is gone?"],
    });
    let n_plus_one = json!({
        "message": "GET /events/7/orders took 51 statements for 50 orders", "expected": "at most 3 statements", "actual": "51",
        "why": "The number of statements must not grow with the number of rows.", "source": "\"SQL Antipatterns\"",
        "hints": ["Could the database bring both together?"],
    });
    let skipped = json!({"skip_reason": {"kind": "needs_failed", "check": "order_all_or_nothing"}, "started_us": null});
    result(
        "SQL databases",
        vec![
            check("schema", 1, "the first start creates the tables", "passed", comb(), json!({})),
            check(
                "order_all_or_nothing",
                6,
                "an order that fails half-way leaves nothing behind",
                "failed",
                orders(),
                failed,
            ),
            check("orders_in_few_statements", 4, "a list of orders takes few statements", "failed", comb(), n_plus_one),
            check("stampede", 5, "an expired entry is made once", "passed", stampede(), json!({})),
            check("never_oversold", 6, "no seat is sold twice", "skipped", Story::default(), skipped),
        ],
    )
}

/// Markup and controls wherever a submission can write.
pub const HOSTILE: &str = "</script></pre></style><script>window.harm = 1</script><img src=x onerror=\"window.harm = 2\">\
    <iframe src='http://203.0.113.1/'></iframe>\" onmouseover=\"window.harm = 3\" ' &lt;b&gt; \u{202e}desrever\u{1b}[2J\u{0}";

/// A result in which everything that a submission can write is [`HOSTILE`].
pub fn hostile() -> Value {
    let story = Story::default()
        .asked(1.0, 1, 20001, &format!("GET /{HOSTILE}"), HOSTILE)
        .sql(2.0, 0.5, 1, &format!("SELECT '{HOSTILE}'"), HOSTILE)
        .sql(3.0, 0.5, 1, &format!("SELECT '{HOSTILE}'"), HOSTILE)
        .redis(3.5, 0.2, 1, HOSTILE, HOSTILE)
        .log(4.0, 20001, HOSTILE)
        .note(5.0, HOSTILE, Value::Null)
        .answered(6.0, 1, HOSTILE, HOSTILE);
    let texts = json!({
        "message": HOSTILE, "expected": HOSTILE, "actual": HOSTILE, "why": HOSTILE, "source": HOSTILE, "hints": [HOSTILE],
    });
    let mut result = result(HOSTILE, vec![check("hostile", 1, HOSTILE, "failed", story, texts)]);
    result["submission"]["path"] = json!(HOSTILE);
    result["notes"] = json!([HOSTILE]);
    result["services"]["postgres"]["version"] = json!(HOSTILE);
    result["diagnostics"] = json!({"message": HOSTILE, "details": [HOSTILE], "omitted": 0, "hints": [HOSTILE]});
    result
}

/// A result as large as they come: every transcript is full.
pub fn largest() -> Value {
    let full = |number: usize| {
        let mut story = Story::default();
        for at in 0..500_u32 {
            let (at, connection) = (f64::from(at) * 4.0, u64::from(at) + 1);
            let body = "0123456789abcdef".repeat(120);
            story = story.asked(at, connection, 20001, &format!("POST /things/{at}"), &body);
            story = story.sql(at + 1.0, 0.5, 1, &format!("SELECT {at} -- {body}"), "SELECT 1");
            story = story.log(at + 2.0, 20001, &format!("{at} {body}"));
            story = story.answered(at + 3.0, connection, "200 OK", &body);
        }
        let verdict = if number.is_multiple_of(2) { "failed" } else { "passed" };
        check(&format!("check_{number}"), 1, "everything is large", verdict, story, json!({"message": "it is large"}))
    };
    result("Large", (0..8).map(full).collect())
}
