//! A small world for one test: a cache, an environment and a user of its own.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use lab_services::ServiceId;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::child::{MARK, TASK};

/// A user that is there on every system and that is not root: `daemon`.
const ORDINARY: u32 = 1;

pub(crate) struct World {
    folder: TempDir,
    variables: Vec<(String, String)>,
    user: Option<u32>,
}

impl World {
    /// Everything as it is on this machine, but with an empty cache and no containers. Programs that the machine lacks
    /// are there all the same.
    pub(crate) fn new() -> Self {
        let mut world = Self::bare();
        for program in PROGRAMS.iter() {
            let copy = program.copy_to(&world.path("programs"));
            world = world.set(&program.variable, copy.to_str().expect("a path"));
        }
        world
    }

    /// The same without the programs that the machine lacks.
    fn bare() -> Self {
        let folder = tempfile::Builder::new().prefix("lab-services-").tempdir_in("/tmp").expect("a folder");
        // Servers of another user pass through it.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("permissions");
        let world = Self { folder, variables: Vec::new(), user: None };
        let home = world.path("home");
        fs::create_dir(&home).expect("a home");
        let cache = world.path("cache");
        world
            .set("LAB_CACHE_DIR", cache.to_str().expect("a path"))
            .set("HOME", home.to_str().expect("a path"))
            .set("DOCKER_HOST", "unix:///nowhere/engine.sock")
            .set("RUST_BACKTRACE", "0")
    }

    /// The same for a user who is not root, whoever runs the tests.
    pub(crate) fn of_an_ordinary_user() -> Self {
        let mut world = Self::new();
        if is_root() {
            world.user = Some(ORDINARY);
            for path in [world.folder.path().to_owned(), world.path("home")] {
                std::os::unix::fs::chown(path, Some(ORDINARY), Some(ORDINARY)).expect("chown");
            }
        }
        world
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// A program of the test's own, found before all others.
    pub(crate) fn with_program(self, name: &str, script: &str) -> Self {
        let folder = self.path("bin");
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&file, Permissions::from_mode(0o755)).expect("permissions");
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        self.set("PATH", &path)
    }

    /// The value of a variable that was set.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().rev().find(|(set, _)| set == name).map(|(_, value)| value.as_str())
    }

    /// The folder in memory that this world's instances may be in.
    fn memory(&self) -> PathBuf {
        Path::new("/dev/shm").join(format!("backend-labs-{}", self.owner()))
    }

    /// What the names of this world's containers and folders hold, and those of no other test that runs beside it.
    pub(crate) fn owner(&self) -> String {
        let user = self.user.unwrap_or_else(|| rustix::process::geteuid().as_raw());
        let digest = hex::encode(Sha256::digest(self.cache().as_os_str().as_encoded_bytes()));
        format!("{user}-{}", &digest[..8])
    }

    /// The folders that instances may be in.
    pub(crate) fn instance_folders(&self) -> [PathBuf; 2] {
        [self.memory(), self.cache().join("instances")]
    }

    /// The names of all instances' folders.
    pub(crate) fn instances(&self) -> Vec<String> {
        let entries = self.instance_folders().into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        names.filter(|name| !name.ends_with(".lock")).collect()
    }

    pub(crate) fn start(&self, provider: &str, wanted: &str) -> Started {
        let mut talk = self.spawn(&format!("start {provider} {wanted}"));
        let mut progress = Vec::new();
        loop {
            let line = talk.next().expect("an answer of the child");
            match line["progress"].as_str() {
                Some(text) => progress.push(text.to_owned()),
                None => return Started { talk, progress, answer: line },
            }
        }
    }

    /// Has the child do what is done at once.
    pub(crate) fn run(&self, task: &str) -> Value {
        self.spawn(task).next().expect("an answer of the child")
    }

    /// Whether `down` has nothing to do.
    pub(crate) fn removes_nothing(&self) -> bool {
        let report = self.run("down kept");
        ["done", "in_use", "failed"].iter().all(|list| report[list].as_array().is_some_and(Vec::is_empty))
    }

    fn spawn(&self, task: &str) -> Talk {
        let mut program = std::env::current_exe().expect("our own path");
        if self.user.is_some() {
            // An ordinary user may not reach the folder that root builds in.
            let copy = self.path("child");
            if !copy.exists() {
                // Not by our own hand: what another thread starts meanwhile would inherit the open file, and a file
                // that is open for writing cannot be started ("text file busy").
                assert!(Command::new("cp").args([&program, &copy]).status().expect("cp").success());
            }
            program = copy;
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "umask \"${UMASK:-022}\" && exec \"$0\" \"$@\""]).arg(&program);
        command.args(["--ignored", "--exact", "child::child", "--nocapture"]).env(TASK, task);
        for service in ServiceId::all() {
            ["URL", "BIN", "IMAGE"].iter().for_each(|what| {
                command.env_remove(service.variable(what));
            });
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).current_dir("/");
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the child");
        let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        Talk { stdin: child.stdin.take(), child, lines }
    }

    /// The processes that this world's servers still are: in one of its folders, or started with one.
    pub(crate) fn processes(&self) -> Vec<String> {
        let folders = self.instance_folders().map(|folder| folder.to_string_lossy().into_owned());
        let ours = |text: &str| folders.iter().any(|folder| text.contains(folder));
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok) {
            let process = entry.path();
            let words = fs::read(process.join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            let place = fs::read_link(process.join("cwd")).unwrap_or_default();
            if ours(&words) || ours(&place.to_string_lossy()) {
                found.push(format!("{} {words}", entry.file_name().to_string_lossy()));
            }
        }
        found
    }

    /// Waits until no server is left, which takes them a moment after their parent was killed.
    pub(crate) fn wait_for_silence(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.processes().is_empty() {
            assert!(Instant::now() < deadline, "still there: {:?}", self.processes());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A service's program that was downloaded because the machine has none.
struct Downloaded {
    variable: String,
    /// The folder of its package, and the program in it.
    package: PathBuf,
    program: &'static str,
}

/// Found out once, and kept in the target folder for the next time.
static PROGRAMS: LazyLock<Vec<Downloaded>> = LazyLock::new(|| {
    let can_be_had = |service: &ServiceId| service.program().is_some_and(|program| !program.wheels().is_empty());
    let missing = |service: &ServiceId| World::bare().start("native", service.id()).failed();
    ServiceId::all().into_iter().filter(can_be_had).filter(missing).map(Downloaded::get).collect()
});

impl Downloaded {
    fn get(service: ServiceId) -> Self {
        let wheels = service.program().expect("a program").wheels();
        let name = format!("{}-{}", wheels[0].package, wheels[0].version);
        let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
        if !package.exists() {
            let world = World::bare();
            world.start("embedded", service.id()).stop();
            let unfinished = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
            copy(&world.cache().join("programs").join(&name), unfinished.path());
            // Another test program may have been faster.
            let _ = fs::rename(unfinished.path().join(&name), &package);
        }
        let program = wheels.iter().map(|wheel| wheel.program).find(|program| package.join(program).exists());
        Self { variable: service.variable("BIN"), package, program: program.expect("a program in the package") }
    }

    /// Where other users can reach it, too.
    fn copy_to(&self, folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).expect("a folder");
        copy(&self.package, folder);
        folder.join(self.package.file_name().expect("a name")).join(self.program)
    }
}

/// By links where that can be: one of the programs has 150 MB.
fn copy(from: &Path, to: &Path) {
    let copied = |how: &str| Command::new("cp").arg(how).args([from, to]).stderr(Stdio::null()).status().expect("cp");
    assert!(copied("-Rl").success() || copied("-Rf").success());
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.memory());
    }
}

/// A child and what it says.
pub(crate) struct Talk {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    fn next(&mut self) -> Option<Value> {
        let lines = self.lines.by_ref().map_while(Result::ok);
        let line = lines.filter_map(|line| line.strip_prefix(MARK).map(str::to_owned)).next()?;
        Some(serde_json::from_str(&line).expect("JSON"))
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// A child that was told to start services.
pub(crate) struct Started {
    talk: Talk,
    pub(crate) progress: Vec<String>,
    answer: Value,
}

impl Started {
    pub(crate) fn url(&self, service: &str) -> String {
        self.fact(service, "url")
    }

    pub(crate) fn provider(&self, service: &str) -> String {
        self.fact(service, "provider")
    }

    pub(crate) fn version(&self, service: &str) -> String {
        self.fact(service, "version")
    }

    fn fact(&self, service: &str, name: &str) -> String {
        self.answer[service][name].as_str().unwrap_or_else(|| panic!("no {service}: {}", self.answer)).to_owned()
    }

    pub(crate) fn milliseconds(&self) -> u64 {
        self.answer["milliseconds"].as_u64().unwrap_or_else(|| panic!("not ready: {}", self.answer))
    }

    /// The error, its hints after it; its code must be that of infrastructure.
    pub(crate) fn error(&self) -> String {
        let error = self.answer["error"].as_str().unwrap_or_else(|| panic!("no error: {}", self.answer));
        assert_eq!(self.answer["code"], 4);
        let hints = self.answer["hints"].as_array().into_iter().flatten().filter_map(Value::as_str);
        hints.fold(error.to_owned(), |text, hint| format!("{text}\nhint: {hint}"))
    }

    /// Whether it could not be started.
    fn failed(&self) -> bool {
        self.answer["error"].is_string()
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) {
        drop(self.talk.stdin.take());
        assert_eq!(self.talk.next().expect("a last word")["stopped"], true);
        assert!(self.talk.child.wait().expect("an end").success());
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.talk.child.kill().expect("a kill");
        self.talk.child.wait().expect("an end");
    }
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
