//! The whole program, as a shell meets it: arguments, streams, files, signals, exit codes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

const ORDER: &str = r#"{"id":"1","event":"Jazz","seats":2,"price":"12.50","at":"2026-03-01T19:00:00+01:00"}"#;
const CANONICAL: &str =
    concat!(r#"{"at":"2026-03-01T18:00:00Z","event":"Jazz","id":"1","price":"12.50","seats":2}"#, "\n");
const REPORT: &str = concat!(
    r#"{"event":"Jazz","first":"2026-03-01T18:00:00Z","last":"2026-03-01T18:00:00Z","orders":1,"revenue":"25.00","seats":2}"#,
    "\n"
);

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_step-11-fundamentals"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = start(arguments);
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it ends");
    // It may end without reading everything.
    let _ = writer.join().expect("the writer ends");
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// A folder of a test's own, which ends with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    fn files(&self) -> usize {
        fs::read_dir(&self.0).expect("a folder").count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn wrong_arguments_and_missing_files_give_exit_code_2() {
    for arguments in [&[][..], &["sell"], &["import", "--jobs", "0"], &["report", "no such file"]] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn bad_lines_are_told_by_number_and_the_others_go_on() {
    let input = format!("{ORDER}\r\n\n{{]\n{ORDER}\n\u{feff}\n{ORDER}");
    let output = run(&["import"], input.as_bytes());
    assert_eq!(text(&output.stdout), CANONICAL.repeat(3));
    let numbers: Vec<_> = text(&output.stderr).lines().map(|line| line.split(':').next().expect("a number")).collect();
    assert_eq!(numbers, ["line 3", "line 5"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn more_jobs_give_the_same_bytes() {
    let lines: Vec<_> = (0..20_000)
        .map(|number| match number % 97 {
            0 => format!("{{{number}"),
            _ => ORDER.replace("\"1\"", &format!("\"{number}\"")).replace("Jazz", &format!("Jazz {}", number % 7)),
        })
        .collect();
    let input = lines.join("\n");
    for command in ["import", "report"] {
        let one = run(&[command], input.as_bytes());
        for jobs in ["2", "7"] {
            assert_eq!(run(&[command, "--jobs", jobs], input.as_bytes()), one, "{command} --jobs {jobs}");
        }
    }
}

#[test]
fn a_revenue_that_is_too_large_gives_exit_code_2_and_no_output() {
    let order = ORDER.replace(":2", ":1").replace("12.50", "92233720368547758.07");
    let output = run(&["report"], format!("{order}\n{order}\n").as_bytes());
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

#[test]
fn an_output_file_is_replaced_at_the_end_and_nothing_stays_beside_it() {
    let folder = Folder::new("replaced");
    let file = folder.path("orders");
    fs::write(&file, format!("{ORDER}\n")).expect("a file");
    let output = run(&["import", &file, "--output", &file], b"");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
    assert_eq!(fs::read_to_string(&file).expect("a file"), CANONICAL);
    assert_eq!(run(&["import", "--output", &folder.path("no/such")], b"").status.code(), Some(2));
    assert_eq!(folder.files(), 1);
}

#[test]
fn a_killed_program_leaves_the_old_file() {
    let folder = Folder::new("killed");
    let file = folder.path("orders");
    fs::write(&file, "old").expect("a file");
    let mut child = start(&["import", "--output", &file]);
    tell_and_wait(&mut child);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert_eq!(fs::read_to_string(&file).expect("a file"), "old");
}

#[test]
fn an_interrupted_report_is_of_what_was_read() {
    let mut child = start(&["report"]);
    tell_and_wait(&mut child);
    interrupt(&child);
    let mut report = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut report).expect("UTF-8");
    assert_eq!(report, REPORT);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn an_interrupted_import_leaves_the_old_file() {
    let folder = Folder::new("interrupted");
    let file = folder.path("orders");
    fs::write(&file, "old").expect("a file");
    let mut child = start(&["import", "--output", &file]);
    tell_and_wait(&mut child);
    // `wait` would close it, and the end of the input is another end.
    let input = child.stdin.take();
    interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    drop(input);
    assert_eq!(fs::read_to_string(&file).expect("a file"), "old");
    assert_eq!(folder.files(), 1);
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let mut child = start(&["import"]);
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("a pipe");
    let lines = format!("{ORDER}\n").repeat(1_000);
    while stdin.write_all(lines.as_bytes()).is_ok() {}
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stderr), "");
}

/// Writes an order, a bad line and half a line, and waits until the bad one is told: then the order is read, too.
fn tell_and_wait(child: &mut Child) {
    let stdin = child.stdin.as_mut().expect("a pipe");
    stdin.write_all(format!("{ORDER}\n{{]\n{{\"id\"").as_bytes()).expect("it reads");
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().expect("a pipe")).read_line(&mut line).expect("UTF-8");
    assert!(line.starts_with("line 2: "), "{line}");
}

fn interrupt(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
}
