//! Private services for these tests, from the programs on the machine, else from those
//! that `cargo lab` downloads into the user's cache where a machine has none.
//!
//! `LAB_TEST_POSTGRES_URL` and `LAB_TEST_REDIS_URL` name others. Each private server is watched by a small shell
//! that ends it and removes its folder when the test program is gone, however it went.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use lab_services::{ProviderChoice, ServiceId};
use tempfile::TempDir;

/// The user that servers run as where the tests run as root, which Postgres does not.
const NOBODY: u32 = 65534;
/// How long a server may take to be ready, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// The administrator's password of a Postgres that asks for one.
const PASSWORD: &str = "administrator";
/// Starts the server, and waits for the end of its own standard input.
const WATCH: &str = r#"folder=$1; shift; "$@" >"$folder/log" 2>&1 & server=$!
echo $server >"$folder/pid"
read -r _; kill -INT $server; wait $server; rm -rf "$folder""#;

/// Makes a disk and a cluster on it, and then does the same.
const SMALL_DISK: &str = r#"folder=$1 size=$2 user=$3 initdb=$4; shift 4
mount -t tmpfs -o size="${size}m,uid=$user,gid=$user,mode=700" none "$folder" && cd /
as="setpriv --reuid=$user --regid=$user --clear-groups"
$as "$initdb" -D "$folder/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync   --wal-segsize=1 >/dev/null 2>&1
$as "$@" -c min_wal_size=2MB -c max_wal_size=8MB >"$folder/log" 2>&1 & server=$!
read -r _; kill -INT $server; wait $server; umount "$folder" && rmdir "$folder""#;

static POSTGRES: LazyLock<PrivatePostgres> = LazyLock::new(PrivatePostgres::start);
static REDIS: LazyLock<PrivateRedis> = LazyLock::new(PrivateRedis::start);

/// The administrator's URL of the Postgres that all tests share.
pub fn postgres_url() -> String {
    std::env::var("LAB_TEST_POSTGRES_URL").unwrap_or_else(|_| POSTGRES.url())
}

/// The administrator's URL of the Redis that all tests share.
pub fn redis_url() -> String {
    std::env::var("LAB_TEST_REDIS_URL").unwrap_or_else(|_| REDIS.url())
}

/// A Postgres of one test's own, to be killed.
pub struct PrivatePostgres {
    port: u16,
    folder: PathBuf,
    bin: PathBuf,
    _watcher: Watcher,
}

impl PrivatePostgres {
    /// Starts one that lets everybody in, and waits until it serves.
    pub fn start() -> Self {
        Self::with_authentication("trust")
    }

    /// Starts one that asks for passwords on 127.0.0.1, but not its administrator's on the socket in its folder.
    pub fn with_passwords() -> Self {
        let server = Self::with_authentication("scram-sha-256");
        let set = format!("alter role postgres password '{PASSWORD}'");
        run(server.psql("postgres").args(["-c", &set]));
        server
    }

    /// Starts one whose disk holds so many megabytes: a file system in memory that only it sees, and that goes with it.
    /// `None` where we may make none, which needs root and the program `unshare`.
    pub fn on_a_small_disk(megabytes: u32) -> Option<Self> {
        let allowed = Command::new("unshare").args(["--mount", "true"]).stderr(Stdio::null()).status();
        if !allowed.is_ok_and(|status| status.success()) {
            return None;
        }
        let (bin, folder, port) = (postgres_programs(), folder(), free_port());
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--propagation", "private", "sh", "-c", SMALL_DISK, "small"]).arg(&folder);
        shell.args([megabytes.to_string(), NOBODY.to_string(), bin.join("initdb").display().to_string()]);
        shell.args(postgres_command(&bin, &folder, port));
        let child = shell.stdin(Stdio::piped()).process_group(0).spawn().expect("a shell starts");
        let server = Self { port, folder, bin, _watcher: Watcher { child } };
        // Its socket is on that disk, too.
        wait_until(&server.folder, || {
            let mut asked = Command::new(server.bin.join("psql"));
            asked.args(["-X", &server.url(), "-c", "select 1"]).stdout(Stdio::null()).stderr(Stdio::null());
            asked.status().is_ok_and(|status| status.success())
        });
        Some(server)
    }

    fn with_authentication(method: &'static str) -> Self {
        let bin = postgres_programs();
        let folder = folder();
        run(as_nobody(Command::new(bin.join("initdb")).arg("-D").arg(folder.join("data")).args([
            "--username=postgres",
            "--auth-local=trust",
            &format!("--auth-host={method}"),
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ])));
        let port = free_port();
        let watcher = Watcher::start(&folder, &postgres_command(&bin, &folder, port));
        let server = Self { port, folder, bin, _watcher: watcher };
        server.wait();
        server
    }

    /// Its administrator's URL.
    pub fn url(&self) -> String {
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills one of the server's processes with no warning, as a crash would, and waits until it serves again.
    pub fn crash(&self) {
        let victim = self.psql("postgres").args(["-c", "select pg_sleep(60)"]).stderr(Stdio::null()).spawn();
        let mut victim = victim.expect("psql starts");
        let find = "select pid from pg_stat_activity where query like 'select pg_sleep%' and pid <> pg_backend_pid()";
        let deadline = Instant::now() + PATIENCE;
        let pid = loop {
            let found = self.psql("postgres").args(["-Atc", find]).output().expect("psql runs");
            let pid = String::from_utf8_lossy(&found.stdout).trim().to_owned();
            if !pid.is_empty() {
                break pid;
            }
            assert!(Instant::now() < deadline, "the victim never showed");
        };
        run(Command::new("kill").args(["-9", &pid]));
        let _ = victim.wait();
        self.wait();
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(self.bin.join("psql"));
        command.args(["-X", "-U", "postgres", "-p", &self.port.to_string(), database]).arg("-h").arg(&self.folder);
        command
    }

    fn wait(&self) {
        wait_until(&self.folder, || {
            let mut asked = self.psql("postgres");
            asked.args(["-c", "select 1"]).stdout(Stdio::null()).stderr(Stdio::null());
            asked.status().is_ok_and(|status| status.success())
        });
    }
}

/// A Redis of one test's own.
pub struct PrivateRedis {
    port: u16,
    _watcher: Watcher,
}

impl PrivateRedis {
    /// Starts one with 64 databases and waits until it serves.
    pub fn start() -> Self {
        Self::with_databases(64)
    }

    /// Starts one with `count` databases and waits until it serves.
    pub fn with_databases(count: u32) -> Self {
        let program = redis_program();
        let folder = folder();
        let port = free_port();
        let mut command: Vec<String> = vec![program, "--port".into(), port.to_string(), "--dir".into()];
        command.push(folder.display().to_string());
        for argument in ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", "secret"] {
            command.push(argument.into());
        }
        command.extend(["--databases".into(), count.to_string()]);
        command.extend(["--busy-reply-threshold".into(), "500".into()]);
        let watcher = Watcher::start(&folder, &command);
        wait_until(&folder, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
        Self { port, _watcher: watcher }
    }

    /// Its administrator's URL.
    pub fn url(&self) -> String {
        format!("redis://:secret@127.0.0.1:{}", self.port)
    }
}

/// The shell that ends a server with us.
struct Watcher {
    child: Child,
}

impl Watcher {
    fn start(folder: &Path, command: &[String]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCH, "watch"]).arg(folder).args(command).stdin(Stdio::piped());
        // Ctrl-C ends the tests, and their end ends the servers: not both at once.
        let child = as_nobody(shell.process_group(0)).spawn().expect("a shell starts");
        Self { child }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(mut stdin) = self.child.stdin.take() {
            let _ = stdin.write_all(b"\n");
        }
        let _ = self.child.wait();
    }
}

fn postgres_command(bin: &Path, folder: &Path, port: u16) -> Vec<String> {
    let folder = folder.display();
    let mut command = vec![format!("{}/postgres", bin.display()), "-D".into(), format!("{folder}/data")];
    command.extend(["-k".into(), folder.to_string(), "-p".into(), port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "fsync=off", "max_connections=300", "shared_buffers=32MB"] {
        command.extend(["-c".into(), setting.into()]);
    }
    command
}

/// Any service of one test's own, with what stands for the others in a run: started as a run starts it.
pub struct PrivateService {
    url: String,
    program: PathBuf,
    /// Held open for as long as it is to run.
    _stop: std::sync::mpsc::Sender<()>,
}

impl PrivateService {
    /// Starts the service `id` from its program and waits until it is ready.
    pub fn start(id: &str) -> Self {
        let service = ServiceId::find(id).expect("a registered service");
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let started = runtime.block_on(lab_services::start(ProviderChoice::Private, &[service], &|_| {}));
            let started = started.unwrap_or_else(|error| panic!("{service} does not start: {error:?}"));
            let endpoint = started.endpoints.get(service).cloned().expect("an endpoint");
            tell.send((endpoint.url, endpoint.program.expect("a program of this machine"))).expect("a test that waits");
            let _ = stopped.recv();
            runtime.block_on(started.shutdown());
        });
        let (url, program) = told.recv().expect("a service");
        Self { url, program, _stop: stop }
    }

    /// Its administrator's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its program.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// The folder of Postgres's programs.
pub fn postgres_programs() -> PathBuf {
    program("postgres").parent().expect("a program lies in a folder").to_owned()
}

fn redis_program() -> String {
    program("redis").to_str().expect("a path in UTF-8").to_owned()
}

/// The program of the service `id`, found as learners' services are: on this machine, else downloaded into the cache.
fn program(id: &str) -> PathBuf {
    let service = ServiceId::find(id).expect("a registered service");
    match lab_services::program(service) {
        Ok(program) => program.path,
        Err(error) => panic!("these tests need {service}, which this machine has not and cannot download: {error}"),
    }
}

/// A folder that the server's user owns.
fn folder() -> PathBuf {
    let folder = TempDir::with_prefix("lab-kit-").expect("a folder for a server").keep();
    if is_root() {
        chown(&folder, Some(NOBODY), Some(NOBODY)).expect("giving the folder to the server's user");
    }
    folder
}

fn as_nobody(command: &mut Command) -> &mut Command {
    if is_root() { command.uid(NOBODY).gid(NOBODY).current_dir("/") } else { command }
}

/// Whether what we make belongs to root.
fn is_root() -> bool {
    tempfile::tempfile().and_then(|made| made.metadata()).is_ok_and(|made| made.uid() == 0)
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}

fn run(command: &mut Command) {
    let output = command.output().expect("a program of the service starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn wait_until(folder: &Path, ready: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !ready() {
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(Instant::now() < deadline, "a server did not become ready: {}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
