//! What a learner asks for beside a grade: the next step, the server's log, the model answer, the starter back.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::assert_golden;
use crate::sandbox::{Ran, command_in, write_workspace};

const LAB: &str = "labs/tiny-1-greeter";

/// A workspace of its own with its own state.
struct Learner {
    root: PathBuf,
    state: PathBuf,
    _keep: tempfile::TempDir,
}

impl Learner {
    /// With the starter as its working tree. Workspaces that build need a version each.
    fn new(version: &str) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        write_workspace(&root, version);
        Self { state: root.join("lab"), root, _keep: keep }
    }

    fn main(&self) -> PathBuf {
        self.root.join(LAB).join("src/main.rs")
    }

    fn writes(&self, program: &Path) {
        fs::copy(program, self.main()).unwrap();
    }

    fn lab(&self, arguments: &[&str]) -> Ran {
        let mut command = command_in(&self.root, arguments);
        command.env("LAB_FOLDER", &self.state);
        // Whatever git says is said of this workspace and of none around it.
        command.env("GIT_CEILING_DIRECTORIES", self.root.parent().unwrap());
        Ran::of(command.output().unwrap())
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]);
        let output = git.args(arguments).current_dir(&self.root).output().expect("this test needs git");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn golden(&self, ran: &Ran) -> String {
        let text = ran.golden().replace(self.root.to_str().unwrap(), "[root]");
        let stamp = |word: &str| word.len() == 19 && word.ends_with('Z') && word.as_bytes()[8] == b'T';
        let masked = |part: &str| if stamp(part) { "[stamp]".to_owned() } else { part.to_owned() };
        text.split('/')
            .map(|part| part.split('\n').map(masked).collect::<Vec<_>>().join("\n"))
            .collect::<Vec<_>>()
            .join("/")
    }
}

#[test]
fn the_next_step_names_task_file_line_and_check_before_anything_is_built() {
    let learner = Learner::new("0.1.7");
    let next = learner.lab(&["next"]);
    assert_golden!("the_next_step", learner.golden(&next));
    let all = learner.lab(&["next", "tini-1"]);
    assert_eq!(all.code, Some(2), "{}", all.golden());
}

#[test]
fn a_lab_is_worked_on_compared_and_begun_anew() {
    let learner = Learner::new("0.1.8");
    // Nothing is known before the first run, and the solution is not for those who have not tried.
    let none = learner.lab(&["logs"]);
    assert_eq!(none.code, Some(2), "{}", none.golden());
    assert!(none.stderr.contains("no run of tiny-1 is on record"), "{}", none.golden());
    let early = learner.lab(&["solution"]);
    assert_eq!(early.code, Some(2), "{}", early.golden());
    assert!(early.stderr.contains("it was not checked yet") && early.stderr.contains("--anyway"), "{}", early.golden());
    let unknown = learner.lab(&["reset", "--yes"]);
    assert!(unknown.stderr.contains("the starter of tiny-1 is not known here"), "{}", unknown.golden());

    // What was there at the first check is the starter, where neither course nor git has it.
    learner.lab(&["check", "tiny-1"]);
    learner.writes(&crate::sandbox::submission("panics-later").join("src/main.rs"));
    fs::write(learner.main().with_file_name("notes.rs"), "// mine\n").unwrap();
    let checked = learner.lab(&["check", "tiny-1"]);
    assert_eq!(checked.code, Some(1), "{}", checked.golden());
    let logs = learner.lab(&["logs"]);
    assert_eq!(logs.code, Some(0), "{}", logs.golden());
    assert!(logs.stdout.contains("✓ greets") && logs.stdout.contains("panicked"), "{}", logs.golden());
    let one = learner.lab(&["logs", "tiny-1", "greets"]);
    assert!(one.stdout.contains("✓ greets") && !one.stdout.contains("✗"), "{}", one.golden());
    let wrong = learner.lab(&["logs", "tiny-1", "greet"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("did you mean `greets`?"), "{}", wrong.golden());

    // Nothing without an answer, nothing lost with one.
    let asked = learner.lab(&["reset", "tiny-1"]);
    assert_eq!(asked.code, Some(2), "{}", asked.golden());
    assert!(asked.stderr.contains("`--yes` does it without asking"), "{}", asked.golden());
    let mine = fs::read_to_string(learner.main()).unwrap();
    let reset = learner.lab(&["reset", "tiny-1", "src/main.rs", "--yes"]);
    assert_eq!(reset.code, Some(0), "{}", reset.golden());
    assert!(reset.stdout.contains("the course carries no starter, and git knows none"), "{}", reset.golden());
    let starter =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workspace").join(LAB).join("src/main.rs"));
    assert_eq!(fs::read_to_string(learner.main()).unwrap(), starter.unwrap());
    assert!(learner.main().with_file_name("notes.rs").exists(), "it was not named");
    let kept = reset.stdout.lines().find_map(|line| line.split_once("kept in ")).unwrap().1;
    assert_eq!(fs::read_to_string(Path::new(kept).join("src/main.rs")).unwrap(), mine);

    // With all points on record the solution is open.
    learner.writes(&learner.root.join(LAB).join("solution/src/main.rs"));
    let passed = learner.lab(&["check", "tiny-1"]);
    assert_eq!(passed.code, Some(0), "{}", passed.golden());
    let solution = learner.lab(&["solution"]);
    assert_eq!(solution.code, Some(0), "{}", solution.golden());
    assert!(
        solution.stdout.contains("src/notes.rs") && solution.stdout.contains("only yours"),
        "{}",
        solution.golden()
    );
    let done = learner.lab(&["next", "tiny-1"]);
    assert!(done.stdout.contains("every task of this lab is done"), "{}", done.golden());
}

#[test]
fn the_starter_is_the_courses_own_whatever_the_learner_has_committed() {
    let learner = Learner::new("0.1.0");
    learner.git(&["init", "--quiet"]);
    learner.git(&["add", "labs", "Cargo.toml"]);
    learner.git(&["commit", "--quiet", "-m", "the course"]);
    let starter = fs::read_to_string(learner.main()).unwrap();
    fs::write(learner.main(), "fn main() { panic!(\"\u{1b}[31mmine\") }\n").unwrap();
    learner.git(&["commit", "--quiet", "-am", "my work"]);
    fs::create_dir(learner.main().with_file_name("more")).unwrap();
    fs::write(learner.main().with_file_name("more/mod.rs"), "// mine\n").unwrap();

    let solution = learner.lab(&["solution", "tiny-1", "src/main.rs", "--anyway"]);
    assert_eq!(solution.code, Some(0), "{}", solution.golden());
    assert!(solution.stdout.contains("- fn main() { panic!(\"\\u{1b}[31mmine\") }"), "{}", solution.golden());
    let unknown = learner.lab(&["solution", "tiny-1", "src/mian.rs", "--anyway"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("did you mean `src/main.rs`?"), "{}", unknown.golden());

    let reset = learner.lab(&["reset", "tiny-1", "--yes"]);
    assert_eq!(reset.code, Some(0), "{}", reset.golden());
    assert!(reset.stdout.contains("as the course has it in commit "), "{}", reset.golden());
    assert_eq!(fs::read_to_string(learner.main()).unwrap(), starter);
    assert!(!learner.main().with_file_name("more").exists());
    let kept = reset.stdout.lines().find_map(|line| line.split_once("kept in ")).unwrap().1;
    assert_eq!(fs::read_to_string(Path::new(kept).join("src/more/mod.rs")).unwrap(), "// mine\n");
    let again = learner.lab(&["reset", "tiny-1"]);
    assert!(again.code == Some(0) && again.stdout.contains("the starter's already"), "{}", again.golden());

    // What leads elsewhere is not written through.
    let elsewhere = learner.root.join("elsewhere.rs");
    fs::write(&elsewhere, "not the lab's").unwrap();
    fs::remove_file(learner.main()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, learner.main()).unwrap();
    let linked = learner.lab(&["reset", "tiny-1", "--yes"]);
    assert!(linked.code == Some(4) && linked.stderr.contains("is a link"), "{}", linked.golden());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "not the lab's");
}

/// `cargo lab try` while it holds: what it has said so far, up to the line after which the server's log follows.
struct Trying {
    runner: std::process::Child,
    said: Vec<String>,
}

impl Trying {
    fn start(learner: &Learner, arguments: &[&str]) -> Self {
        let mut command = command_in(&learner.root, arguments);
        command.env("LAB_FOLDER", &learner.state).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut runner = command.spawn().unwrap();
        let mut lines = BufReader::new(runner.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        for line in lines.by_ref() {
            said.push(line);
            if said.last().unwrap().starts_with("the server's log follows") {
                break;
            }
        }
        std::thread::spawn(move || lines.count());
        Self { runner, said }
    }

    /// The line that follows the one that is `title`.
    fn after(&self, title: &str) -> &str {
        let at = self.said.iter().position(|line| line == title);
        &self.said[at.unwrap_or_else(|| panic!("no `{title}`: {:#?}", self.said)) + 1]
    }

    fn server(&self) -> String {
        let line = self.said.iter().find_map(|line| line.trim().strip_prefix("server"));
        line.unwrap_or_else(|| panic!("no server: {:#?}", self.said)).trim().to_owned()
    }

    /// Presses Enter, and gives the exit code.
    fn ends(mut self) -> Option<i32> {
        self.runner.stdin.take().unwrap().write_all(b"\n").unwrap();
        self.runner.wait().unwrap().code()
    }
}

#[test]
fn a_check_is_tried_and_its_server_stands_until_enter() {
    let learner = Learner::new("0.1.9");
    let none = learner.lab(&["try"]);
    assert!(none.code == Some(2) && none.stderr.contains("no check has failed yet"), "{}", none.golden());
    learner.writes(&crate::sandbox::submission("half-done").join("src/main.rs"));
    let checked = learner.lab(&["check", "tiny-1", "--seed", "42"]);
    assert_eq!(checked.code, Some(1), "{}", checked.golden());

    let trying = Trying::start(&learner, &["try"]);
    assert!(trying.said[0].starts_with("✗ echoes"), "{:#?}", trying.said);
    assert!(trying.said.iter().any(|line| line == "export GREETING=hello"), "{:#?}", trying.said);
    // The line works as it stands, and shows what the check saw: the same word, from the same seed.
    let line = trying.after("what the check saw").to_owned();
    assert!(line.starts_with("curl -i http://127.0.0.1:") && line.contains("/echo/"), "{line}");
    let pasted = Command::new("sh").args(["-c", &line]).output().unwrap();
    let answer = String::from_utf8_lossy(&pasted.stdout).into_owned();
    assert!(answer.ends_with("what?"), "{line}: {answer}");
    let address = trying.server().trim_start_matches("http://").to_owned();
    let other = Trying::start(&learner, &["try", "tiny-1", "echoes", "--seed", "42"]);
    let word = |line: &str| line.rsplit('/').next().unwrap().to_owned();
    assert_eq!(word(other.after("what the check saw")), word(&line));
    assert_eq!(other.ends(), Some(1));
    assert_eq!(trying.ends(), Some(1));
    assert!(std::net::TcpStream::connect(&address).is_err(), "the server at {address} is still there");

    // What passes is not held, unless that is asked for.
    let passes = learner.lab(&["try", "tiny-1", "greets"]);
    assert_eq!(passes.code, Some(0), "{}", passes.golden());
    assert!(passes.stdout.contains("cargo lab try tiny-1 greets --hold"), "{}", passes.golden());
    let held = Trying::start(&learner, &["try", "tiny-1", "greets", "--hold"]);
    assert!(held.server().starts_with("http://127.0.0.1:"));
    assert_eq!(held.ends(), Some(0));
    let unknown = learner.lab(&["try", "tiny-1", "greet"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.golden());

    // A server that has died is started again, so that there is something to look at.
    learner.writes(&crate::sandbox::submission("panics-later").join("src/main.rs"));
    let trying = Trying::start(&learner, &["try", "tiny-1", "echoes"]);
    assert!(trying.said.iter().any(|line| line.contains("it was started again")), "{:#?}", trying.said);
    assert!(trying.server().starts_with("http://127.0.0.1:"));
    assert_eq!(trying.ends(), Some(1));
}

#[test]
fn what_a_server_of_ones_own_command_has_from_the_shell_is_not_told_again() {
    let learner = Learner::new("0.1.9");
    let source = crate::sandbox::submission("half-done").join("src/main.rs");
    let built = Command::new("rustc").args(["-o", "server"]).arg(source).current_dir(&learner.root).status().unwrap();
    assert!(built.success());
    let command = ["try", "tiny-1", "echoes", "--command", "./server"];
    let trying = Trying::start(&learner, &command);
    let exported = |line: &str| Some(line.strip_prefix("export ")?.split('=').next()?.to_owned());
    let told: Vec<_> = trying.said.iter().filter_map(|line| exported(line)).collect();
    assert_eq!(told, ["GREETING", "SECRET"], "{:#?}", trying.said);
    assert_eq!(trying.ends(), Some(1));
}

#[test]
fn a_course_without_a_solution_says_so() {
    let learner = Learner::new("0.1.0");
    fs::remove_dir_all(learner.root.join(LAB).join("solution")).unwrap();
    let ran = learner.lab(&["solution", "--anyway"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("comes without the solution of tiny-1"), "{}", ran.golden());
}
