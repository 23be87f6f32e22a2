//! A workspace with the tests' own lab, made once in the target folder, and `cargo lab` run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Once, OnceLock};

use serde_json::Value;

/// The runner under test.
pub const RUNNER: &str = env!("CARGO_BIN_EXE_cargo-lab");

/// The commands that are a program of their own, which is compiled when one of them is first asked for.
const INSTRUCTORS: [&str; 10] =
    ["audit", "bench", "export", "fmt", "grade", "gradebook", "mutant", "new", "new-course", "regrade"];

/// What came of a run.
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: said(&String::from_utf8_lossy(&output.stderr)),
            code: output.status.code(),
        }
    }

    /// Everything a user sees, for a golden copy.
    pub fn golden(&self) -> String {
        let code = self.code.map_or("none".to_owned(), |code| code.to_string());
        format!("exit code {code}\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }

    /// The result as JSON, what differs from run to run masked.
    pub fn json(&self) -> Value {
        let mut value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}\n{}\n{}", self.stdout, self.stderr));
        mask(&mut value);
        value
    }
}

/// Standard error without what depends on how much there was to build.
fn said(stderr: &str) -> String {
    let passing = ["built ", "building ", "waiting for ", "cargo: "];
    let kept = stderr.lines().filter(|line| !passing.iter().any(|start| line.starts_with(start)));
    kept.map(|line| format!("{line}\n")).collect()
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "seed" | "run_id" | "started_at" | "started_us" | "duration_ms" | "at_us" | "sha256"
                    | "manifest_sha256"
                        if !member.is_null() =>
                    {
                        *member = Value::String(format!("[{name}]"));
                    }
                    "port" if member.is_number() => *member = Value::String("[port]".into()),
                    "timings" => *member = Value::String("[timings]".into()),
                    // What the machine is, and what its last build of the suite is known to ask.
                    "environment" => *member = Value::String("[environment]".into()),
                    "expected" if member.is_array() => *member = Value::String("[expected]".into()),
                    _ => mask(member),
                }
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(mask);
            put_first_lines_first(items);
        }
        _ => {}
    }
}

/// What a server logs comes through a pipe, and may be read before or after it answered the first probe: in a golden
/// transcript its first line stands right behind its start.
fn put_first_lines_first(entries: &mut [Value]) {
    for index in 1..entries.len() {
        if entries[index]["line"] != "listening" {
            continue;
        }
        let started = entries[..index].iter().rposition(|entry| entry["mark"]["kind"] == "started");
        if let Some(started) = started {
            entries[started + 1..=index].rotate_right(1);
        }
    }
}

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("lab-runner lies in the repository").to_owned()
}

/// A sample submission.
pub fn submission(name: &str) -> PathBuf {
    repository().join("fixtures/submissions").join(name)
}

/// The folder that all of the tests' own things are in.
pub fn folder() -> PathBuf {
    target().join("runner-tests")
}

pub fn target() -> PathBuf {
    Path::new(RUNNER).ancestors().nth(2).expect("the runner lies in target/debug").to_owned()
}

/// The workspace that is graded in. Made once; every test, and every process of tests, finds it the same.
pub fn workspace() -> &'static Path {
    static WORKSPACE: OnceLock<PathBuf> = OnceLock::new();
    WORKSPACE.get_or_init(|| {
        let root = folder().join("workspace");
        fs::create_dir_all(&root).unwrap();
        let lock = fs::File::create(folder().join("lock")).unwrap();
        lock.lock().unwrap();
        write_workspace(&root, "0.1.0");
        root
    })
}

/// A copy of the labs with manifests that say where everything else is. Workspaces that build need a `version` each:
/// cargo could not tell their packages apart in the target folder that they share.
pub fn write_workspace(root: &Path, version: &str) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workspace/labs"), &root.join("labs"));
    let text = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let mut manifest: toml::Table = toml::from_str(&text).unwrap();
    let workspace = manifest["workspace"].as_table_mut().unwrap();
    let members = workspace["members"].as_array().unwrap().iter();
    let labs: Vec<_> = members.filter(|member| member.as_str().unwrap().starts_with("labs/")).cloned().collect();
    workspace.insert("members".into(), labs.into());
    workspace.remove("default-members");
    workspace["package"].as_table_mut().unwrap().insert("version".into(), version.into());
    for (_, dependency) in workspace["dependencies"].as_table_mut().unwrap().iter_mut() {
        if let Some(path) = dependency.get("path").and_then(toml::Value::as_str) {
            let absolute = repository().join(path).to_str().unwrap().to_owned();
            dependency.as_table_mut().unwrap().insert("path".into(), absolute.into());
        }
    }
    write_if_new(&root.join("Cargo.toml"), manifest.to_string().as_bytes());
    // The same versions as everywhere, so that nothing is compiled for the tests alone.
    if !root.join("Cargo.lock").exists() {
        fs::copy(repository().join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            write_if_new(&to, &fs::read(entry.path()).unwrap());
        }
    }
}

fn write_if_new(path: &Path, content: &[u8]) {
    if !fs::read(path).is_ok_and(|present| present == content) {
        fs::write(path, content).unwrap();
    }
}

/// `cargo lab` in the workspace, not started yet.
pub fn command(arguments: &[&str]) -> Command {
    command_in(workspace(), arguments)
}

/// `cargo lab` in any workspace.
pub fn command_in(root: &Path, arguments: &[&str]) -> Command {
    if arguments.first().is_some_and(|name| INSTRUCTORS.contains(name)) {
        build_instructor();
    }
    unprepared(root, arguments)
}

/// Has the instructors' program built, once: no test's output and patience are to depend on whether it is. `cargo test
/// --workspace` has built it already.
fn build_instructor() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let ran = Ran::of(unprepared(workspace(), &["fmt", "no-such-lab"]).output().unwrap());
        assert!(ran.code == Some(2) && ran.stderr.contains("no-such-lab"), "{}", ran.golden());
    });
}

fn unprepared(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(RUNNER);
    command
        .args(arguments)
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target())
        .env("LAB_FOLDER", folder().join("lab"))
        // For those that take LAB_FOLDER away: the user's own is never written.
        .env("XDG_STATE_HOME", folder().join("state"))
        .env_remove("LAB_WORKSPACE")
        .env_remove("LAB_SERVICES")
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null());
    command
}

/// Runs `cargo lab` in the workspace.
pub fn lab(arguments: &[&str]) -> Ran {
    Ran::of(command(arguments).output().unwrap())
}

/// Runs `cargo lab check` on a sample submission.
pub fn check(submission_name: &str, more: &[&str]) -> Ran {
    let path = submission(submission_name);
    let mut arguments = vec!["check", "tiny-1", "--submission", path.to_str().unwrap()];
    arguments.extend(more);
    lab(&arguments)
}

/// Compares with a golden copy, what differs from run to run masked.
#[macro_export]
macro_rules! assert_golden {
    ($text:expr) => { $crate::assert_golden!(@ [] $text) };
    ($name:expr, $text:expr) => { $crate::assert_golden!(@ [$name,] $text) };
    (@ [$($name:tt)*] $text:expr) => {{
        let root = $crate::sandbox::repository();
        let workspace = $crate::sandbox::workspace();
        insta::with_settings!({filters => vec![
            (workspace.to_str().unwrap(), "[workspace]"),
            (root.to_str().unwrap(), "[repository]"),
            (r"\d+\.\d s\b", "[time]"),
            (r"seed \d+", "seed [seed]"),
            (r"127\.0\.0\.1:(?:[1-79]\d{3}|8[1-9]\d{2}|80[0-79]\d|808[1-9]|\d{5})\b", "127.0.0.1:[port]"),
            (r"(port|PORT was) \d+", "$1 [port]"),
            (r"\b[b-df-hj-np-tv-z]{3}-[a-z0-9]{10}\b", "[word]"),
            // A drawn word may begin as the wrong answer does.
            (r"\b(at|body) byte [0-3]\b", "$1 byte 0"),
            (r"User-Agent: [A-Za-z-]+/[0-9.]+", "User-Agent: [agent]"),
            (r"thread '([^']+)' \(\d+\)", "thread '$1' ([id])"),
        ], omit_expression => true, prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!($($name)* $text);
        });
    }};
}
