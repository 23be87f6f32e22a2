//! `cargo lab watch`, as plain lines and on a terminal.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::interrupts::processes_with;
use crate::sandbox::{RUNNER, command_in, submission, write_workspace};
use lab_not_tried::not_tried;

/// Longer than any save takes to be checked, also where everything has to be built first.
const SOON: Duration = Duration::from_secs(120);

/// A workspace whose working tree begins as a sample submission.
struct Learner {
    root: PathBuf,
    _keep: tempfile::TempDir,
}

impl Learner {
    fn with(name: &str, version: &str) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        write_workspace(&root, version);
        let learner = Self { root, _keep: keep };
        learner.save(&sample(name));
        learner
    }

    fn lab(&self) -> PathBuf {
        self.root.join("labs/tiny-1-greeter")
    }

    fn main(&self) -> PathBuf {
        self.lab().join("src/main.rs")
    }

    fn save(&self, text: &str) {
        fs::write(self.main(), text).unwrap();
    }

    fn solution(&self) -> String {
        fs::read_to_string(self.lab().join("solution/src/main.rs")).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command_in(&self.root, arguments);
        command.env("LAB_FOLDER", self.root.join("lab"));
        command
    }

    fn watch(&self) -> Lines {
        Lines::of(self.command(&["watch", "tiny-1", "--plain", "--time-limit", "600"]))
    }
}

fn sample(name: &str) -> String {
    fs::read_to_string(submission(name).join("src/main.rs")).unwrap()
}

/// A watching runner that prints lines.
struct Lines {
    runner: Child,
    coming: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(mut command: Command) -> Self {
        let mut runner = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (told, coming) = channel();
        let lines = BufReader::new(runner.stdout.take().unwrap()).lines();
        let complaints = BufReader::new(runner.stderr.take().unwrap()).lines();
        let other = told.clone();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| told.send(line)));
        std::thread::spawn(move || {
            complaints.map_while(Result::ok).try_for_each(|line| other.send(format!("stderr: {line}")))
        });
        Self { runner, coming, seen: Vec::new() }
    }

    /// Waits for a line that contains `text`, and gives those that came before it.
    fn wait_for(&mut self, text: &str) -> Vec<String> {
        self.wait_for_each([text])
    }

    /// Waits for a line for each of `texts`, in any order, and gives what came until the last of them.
    fn wait_for_each<const N: usize>(&mut self, texts: [&str; N]) -> Vec<String> {
        let (deadline, from) = (Instant::now() + SOON, self.seen.len());
        let mut missing = texts.to_vec();
        while !missing.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.coming.recv_timeout(left) else { panic!("no {missing:?} in {:#?}", self.seen) };
            missing.retain(|text| !line.contains(text));
            self.seen.push(line);
        }
        self.seen[from..].to_vec()
    }

    fn end(&mut self) -> Option<i32> {
        signal(self.runner.id(), Signal::INT);
        self.runner.wait().unwrap().code()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.runner.kill();
    }
}

fn signal(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(process).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn every_save_is_checked_whatever_it_does_to_the_file() {
    let learner = Learner::with("half-done", "0.1.21");
    let mut lines = learner.watch();
    lines.wait_for("watching tiny-1 Greeter: every save is checked");
    lines.wait_for("failed: echoes: ");
    lines.wait_for("tiny-1: 60 of 100 points");
    // Nothing of this is another content of a file that counts.
    learner.save(&sample("half-done"));
    for passing in [".main.rs.swp", "4913", "main.rs~"] {
        fs::write(learner.main().with_file_name(passing), "passing").unwrap();
    }
    learner.save("fn main() { nonsense }");
    let told = lines.wait_for("build failed: ");
    assert_eq!(told.iter().filter(|line| line.starts_with("changed: ")).count(), 1, "{told:#?}");
    assert!(told.contains(&"changed: labs/tiny-1-greeter/src/main.rs".to_owned()), "{told:#?}");
    let last = told.last().unwrap();
    assert!(last.contains("cannot find value `nonsense`") && last.contains("main.rs:1:13"), "{last}");
    // As vim saves: a new file in place of the old one.
    fs::write(learner.main().with_file_name("new"), learner.solution()).unwrap();
    fs::rename(learner.main(), learner.main().with_file_name("main.rs~")).unwrap();
    fs::rename(learner.main().with_file_name("new"), learner.main()).unwrap();
    lines.wait_for("passed: echoes");
    lines.wait_for("tiny-1: 100 of 100 points, 3 of 3 checks passed");
    fs::remove_dir_all(learner.lab().join("src")).unwrap();
    lines.wait_for("changed: ");
    fs::create_dir(learner.lab().join("src")).unwrap();
    learner.save(&sample("half-done"));
    lines.wait_for("failed: echoes: ");
    assert_eq!(lines.end(), Some(130));
    assert_eq!(processes_with(learner.root.to_str().unwrap()), Vec::<String>::new());
}

#[test]
fn a_changed_manifest_is_read_again_and_a_mistake_in_it_is_told() {
    let learner = Learner::with("half-done", "0.1.70");
    let path = learner.lab().join("lab.toml");
    let manifest = fs::read_to_string(&path).unwrap();
    let mut lines = learner.watch();
    lines.wait_for("tiny-1: 60 of 100 points");
    fs::write(&path, manifest.replace("editable", "editabel")).unwrap();
    // The one is printed and the other a complaint: whichever is read first.
    lines.wait_for_each(["changed: labs/tiny-1-greeter/lab.toml", "did you mean `editable`?"]);
    // Another variable for the server: the greeting is not the one that is asked for.
    fs::write(&path, manifest.replace("GREETING = \"hello\"", "GREETING = \"bye\"")).unwrap();
    learner.save(&learner.solution());
    lines.wait_for("failed: greets: ");
    fs::write(&path, manifest).unwrap();
    lines.wait_for("tiny-1: 100 of 100 points");
    assert_eq!(lines.end(), Some(130));
}

#[test]
fn a_save_ends_the_run_that_goes_on_and_the_later_content_is_what_counts() {
    let learner = Learner::with("hangs", "0.1.22");
    // The lab's folder may be a link.
    let elsewhere = tempfile::tempdir().unwrap();
    let real = elsewhere.path().canonicalize().unwrap().join("greeter");
    fs::rename(learner.lab(), &real).unwrap();
    std::os::unix::fs::symlink(&real, learner.lab()).unwrap();
    let mut lines = learner.watch();
    lines.wait_for("passed: greets");
    // `echoes` waits for an answer now, for ten minutes if nobody ends it. Files may be saved one after the other.
    learner.save("fn main() { nonsense }");
    fs::write(learner.main().with_file_name("other.rs"), "// another file\n").unwrap();
    learner.save(&learner.solution());
    let told = lines.wait_for("tiny-1: 100 of 100 points");
    assert!(told.iter().any(|line| line.starts_with("changed: ")), "{told:#?}");
    assert_eq!(lines.end(), Some(130));
    assert_eq!(processes_with(learner.root.to_str().unwrap()), Vec::<String>::new());
    assert_eq!(fs::read_dir(learner.root.join("lab/scratch")).map_or(0, Iterator::count), 0);
}

/// A watching runner on a terminal of its own, made by `script`, with the shell's `after` run in its place at the end.
struct Screen {
    shell: Child,
    keys: ChildStdin,
    terminal: Arc<Mutex<vt100::Parser>>,
}

impl Screen {
    fn of(learner: &Learner, columns: u16, rows: u16, after: &str) -> Self {
        let typescript = learner.root.join("typescript");
        let line = format!("stty rows {rows} cols {columns}; '{RUNNER}' watch tiny-1; echo \"ended with $?\"; {after}");
        let runner = learner.command(&[]);
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-f", "-c", &line]).arg(typescript).current_dir(&learner.root);
        for (name, value) in runner.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").env_remove("NO_COLOR");
        let mut shell = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let some = |length| NonZero::new(length).unwrap();
        let terminal = Arc::new(Mutex::new(vt100::Parser::new(some(rows), some(columns), 1000)));
        let (drawn, mut out) = (Arc::clone(&terminal), shell.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut bytes) {
                drawn.lock().unwrap().process(&bytes[..count]);
            }
        });
        let keys = shell.stdin.take().unwrap();
        Self { shell, keys, terminal }
    }

    fn text(&self) -> String {
        self.terminal.lock().unwrap().screen().contents()
    }

    fn is_taken(&self) -> bool {
        let terminal = self.terminal.lock().unwrap();
        terminal.screen().alternate_screen() || terminal.screen().hide_cursor()
    }

    fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + SOON;
        while !self.text().contains(text) {
            assert!(Instant::now() < deadline, "no `{text}` in\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn end(mut self) {
        drop(self.keys);
        self.shell.wait().unwrap();
    }
}

/// Whether there are terminals to be had: `script` of util-linux.
fn has_terminals() -> bool {
    let has = cfg!(target_os = "linux") && Command::new("script").arg("--version").output().is_ok();
    if !has {
        not_tried("terminals", "the program `script` of util-linux is missing");
    }
    has
}

/// The process that has `part` as its program, below `root` or watching it.
fn process(part: &str, root: &Path) -> u32 {
    let of = |entry: fs::DirEntry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let first = line.split(|byte| *byte == 0).next()?.to_owned();
        let here = fs::read_link(entry.path().join("cwd")).ok()?.starts_with(root);
        let named = String::from_utf8_lossy(&first).ends_with(part);
        (here && named).then(|| entry.file_name().to_str()?.parse().ok()).flatten()
    };
    fs::read_dir("/proc").unwrap().flatten().find_map(of).unwrap_or_else(|| panic!("no {part} runs"))
}

#[test]
fn the_screen_follows_saves_and_keys_and_gives_the_terminal_back() {
    if !has_terminals() {
        return;
    }
    let learner = Learner::with("half-done", "0.1.23");
    let mut screen = Screen::of(&learner, 80, 24, "stty -a");
    screen.wait_for("waiting for a save");
    assert!(screen.is_taken());
    screen.wait_for("✗ echoes   GET /echo/{word} gives the word back");
    screen.wait_for("q quit");
    screen.press("t");
    screen.wait_for("transcript of echoes");
    screen.press("\u{1b}");
    screen.wait_for("mend this one and save");
    learner.save(&learner.solution());
    screen.wait_for("just passed: echoes");
    screen.wait_for("100 of 100 points");
    screen.press("q");
    screen.wait_for("ended with 0");
    screen.wait_for("isig icanon iexten");
    assert!(!screen.is_taken());
    let left = screen.text();
    let result = |line: &str| line.starts_with("tiny-1 Greeter  ") && line.ends_with("100 of 100 points");
    assert!(left.lines().any(result), "the result stays where the screen was: {left}");
    screen.end();
    assert_eq!(processes_with(learner.root.to_str().unwrap()), Vec::<String>::new());
}

#[test]
fn the_terminal_is_given_back_however_either_side_ends() {
    if !has_terminals() {
        return;
    }
    let learner = Learner::with("half-done", "0.1.24");
    let begin = |after: &str| {
        let screen = Screen::of(&learner, 24, 10, after);
        screen.wait_for("✗ echoes");
        assert!(screen.is_taken());
        screen
    };
    let given_back = |screen: &Screen| {
        let deadline = Instant::now() + SOON;
        while screen.is_taken() {
            assert!(Instant::now() < deadline, "{}", screen.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let ended = |screen: Screen, code: &str| {
        screen.wait_for(&format!("ended with {code}"));
        given_back(&screen);
        screen.end();
    };
    let mut screen = begin("true");
    screen.press("\u{3}");
    ended(screen, "130");
    let screen = begin("true");
    signal(process("cargo-lab", &learner.root), Signal::TERM);
    ended(screen, "130");
    let screen = begin("true");
    signal(process("lab-watch", &learner.root), Signal::KILL);
    ended(screen, "70");
    // The shell may speak before the other side has given the terminal back, on the screen that goes with it.
    let mut screen = begin("read -r line; echo \"said $line\"");
    signal(process("cargo-lab", &learner.root), Signal::KILL);
    given_back(&screen);
    screen.press("x\n");
    screen.wait_for("said x");
    screen.end();
    let deadline = Instant::now() + SOON;
    while !processes_with(learner.root.to_str().unwrap()).is_empty() {
        assert!(Instant::now() < deadline, "{:?}", processes_with(learner.root.to_str().unwrap()));
        std::thread::sleep(Duration::from_millis(20));
    }
}
