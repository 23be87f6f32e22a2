//! A served site, and recordings for it to show. The program is the one that `program` names, as it is shared by tests that
//! link the page's library and tests that do not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A served site, and the workspace that it shows.
pub struct Served {
    pub url: String,
    pub child: Child,
    root: PathBuf,
    _keep: tempfile::TempDir,
}

const MANIFEST: &str = r#"
format_version = 1
id = "tiny-2"
slug = "shop"
title = "SQL databases"
summary = "A box office that never sells a seat twice."
roadmap = [4]
editable = ["src"]

[server]
readiness = { path = "/health" }
"#;

const README: &str = "# Shop\n\nA **box office**. <script>window.harm = 1</script>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\
                      [elsewhere](javascript:alert(1))\n";

impl Served {
    pub fn start(program: &Path, more: &[&str]) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        let lab = root.join("labs/tiny-2-shop");
        std::fs::create_dir_all(lab.join("solution/src")).unwrap();
        std::fs::write(root.join("Cargo.toml"), "[workspace]\n").unwrap();
        std::fs::write(lab.join("Cargo.toml"), "[package]\nname = \"tiny-2-shop\"\n").unwrap();
        std::fs::write(lab.join("lab.toml"), MANIFEST).unwrap();
        std::fs::write(lab.join("README.md"), README).unwrap();
        let course = "title = \"Backend Labs\"\nroadmap = [{ number = 1, title = \"The web\" }, { number = 4, title = \"Databases\" }]\n";
        std::fs::write(root.join("labs/course.toml"), course).unwrap();
        let mut command = Command::new(program);
        command
            .arg("serve")
            .args(more)
            .current_dir(&root)
            .env("LAB_WORKSPACE", &root)
            .env("LAB_FOLDER", root.join("lab"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { url: url.trim().to_owned(), child, root, _keep: keep }
    }

    /// Records a run, as the runner does.
    pub fn record(&self, id: &str, mut result: Value) {
        let mut lines = Vec::new();
        let mut emit = |check: Option<&str>, mut event: Value| {
            event["at"] = json!({"us": lines.len(), "wall": "2027-01-15T08:00:00Z"});
            event["check"] = json!(check);
            lines.push(event.to_string());
        };
        emit(
            None,
            json!({"event": "run_started", "run_id": id, "runner_version": "0", "lab": result["lab"], "title": result["title"],
            "submission": result["submission"]["kind"]}),
        );
        let mut checks = result["checks"].as_array().unwrap().clone();
        let declared: Vec<Value> = checks.iter().map(|check| json!({
            "id": check["id"], "title": check["title"], "task": check["task"], "points": check["max_points"], "needs": [], "why": "",
            "source": "", "hints": [], "held_out": false, "alone": false,
        })).collect();
        emit(
            None,
            json!({"event": "lab_guided", "guide": {"checks": declared, "titles": [], "todos": [], "known": {},
            "learned": null, "next_lab": null, "later_not_asked": false}}),
        );
        for check in &mut checks {
            let of = check["id"].as_str().map(str::to_owned);
            emit(of.as_deref(), json!({"event": "check_started"}));
            // What happened stands in the stream once.
            for entry in check["transcript"].take().as_array().unwrap() {
                emit(of.as_deref(), json!({"event": "transcript", "entry": entry}));
            }
            check["transcript"] = json!([]);
            emit(of.as_deref(), json!({"event": "check_finished", "result": check}));
        }
        result["checks"] = checks.into();
        emit(None, json!({"event": "run_finished", "report": result}));
        let runs = self.root.join("lab/state/runs");
        std::fs::create_dir_all(&runs).unwrap();
        std::fs::write(runs.join(format!("{id}.jsonl")), lines.join("\n") + "\n").unwrap();
    }

    /// The status, the head and the body of the answer to `GET path` with `headers`.
    pub fn get(&self, path: &str, headers: &[&str]) -> (u16, String, String) {
        let address = self.url.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let more: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let host = if headers.iter().any(|line| line.starts_with("Host:")) {
            String::new()
        } else {
            format!("Host: {address}\r\n")
        };
        write!(stream, "GET {path} HTTP/1.1\r\n{host}{more}Connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
    }

    /// The secret part of its address, with slashes around it.
    pub fn path(&self) -> String {
        format!("/{}", self.url.splitn(4, '/').nth(3).unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
