//! What the tests are made of: a host, repositories, and git with nobody's configuration but ours.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha512};
use tempfile::TempDir;

/// What must never be pushed.
pub const KEY: &str = "key_live_0123456789abcdef0123456789abcdef\n";

const PROGRAM: &str = env!("CARGO_BIN_EXE_step-10-version-control");

/// How a program ended.
pub struct Done {
    pub success: bool,
    pub code: Option<i32>,
    pub output: String,
    pub errors: String,
}

/// A program that finds no configuration but ours.
fn command(program: &str, folder: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("HOME", home).env("GIT_CONFIG_NOSYSTEM", "1").env_remove("XDG_CONFIG_HOME");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Ada").env(format!("GIT_{role}_EMAIL"), "ada@example.com");
    }
    command.env("GIT_TERMINAL_PROMPT", "0");
    command
}

fn done(mut command: Command) -> Done {
    let output = command.output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (success, code) = (output.status.success(), output.status.code());
    Done { success, code, output: text(&output.stdout), errors: text(&output.stderr) }
}

/// A tool of ours, run in `local`.
pub fn tool(local: &Local, arguments: &[&str]) -> Done {
    let mut command = command(PROGRAM, &local.folder, &local.folder);
    command.args(arguments);
    done(command)
}

/// A folder for repositories, which ends with the test.
pub struct Desk(TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Whether anything of this name is anywhere in it.
    pub fn has(&self, name: &str) -> bool {
        let found = done({
            let mut find = command("find", self.path(), self.path());
            find.args([".", "-name", name]);
            find
        });
        !found.output.is_empty()
    }

    fn new_folder(&self) -> PathBuf {
        let count = fs::read_dir(self.path()).expect("a folder").count();
        self.path().join(format!("clone-{count}"))
    }

    pub fn empty(&self) -> Local {
        let local = Local { folder: self.new_folder() };
        fs::create_dir(&local.folder).expect("a folder");
        local.expect(&["init", "--quiet", "--initial-branch=main"]);
        local
    }

    pub fn clone_of(&self, url: &str, arguments: &[&str]) -> Local {
        let local = Local { folder: self.new_folder() };
        let mut clone = command("git", self.path(), self.path());
        clone.args(["clone", "--quiet"]).args(arguments).arg(url).arg(&local.folder);
        let done = done(clone);
        assert!(done.success, "{}", done.errors);
        local
    }
}

/// A repository with a work tree.
pub struct Local {
    folder: PathBuf,
}

impl Local {
    pub fn git(&self, arguments: &[&str]) -> Done {
        let mut command = command("git", &self.folder, &self.folder);
        command.args(arguments);
        done(command)
    }

    pub fn expect(&self, arguments: &[&str]) {
        let done = self.git(arguments);
        assert!(done.success, "git {arguments:?}: {}", done.errors);
    }

    pub fn text(&self, arguments: &[&str]) -> String {
        let done = self.git(arguments);
        assert!(done.success, "git {arguments:?}: {}", done.errors);
        done.output.trim_end().to_owned()
    }

    pub fn head(&self, commit: &str) -> String {
        self.text(&["rev-parse", "--verify", commit])
    }

    pub fn has(&self, file: &str) -> bool {
        self.folder.join(file).exists()
    }

    pub fn write(&self, file: &str, content: &str) {
        let path = self.folder.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    pub fn commit(&self, file: &str, content: &str) {
        self.write(file, content);
        self.expect(&["add", "--", file]);
        self.expect(&["commit", "--quiet", "--message", &format!("Write {file:?}")]);
    }
}

/// The program as a host, with one repository.
pub struct Host {
    child: Child,
    address: String,
    pub desk: Desk,
    repository: Local,
    test: String,
}

/// Starts a host on the repositories in `desk`, and tells where it listens.
fn serve(desk: &Desk, test: &str) -> (Child, String) {
    let mut host = command(PROGRAM, desk.path(), desk.path());
    let path = |name: &str| desk.path().join(name);
    host.env("PORT", "0").env("REPOS_DIR", path("repositories")).env("USERS", "ada:s3cret:write,bob:s3cret:read");
    host.env("ALLOWED_SIGNERS", path("signers")).env("TEST_COMMAND", test).env("RUST_LOG", "info");
    host.env("TMPDIR", path("temporary"));
    let mut child = host.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the host starts");
    let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    log.read_line(&mut line).expect("a line");
    let address = line.trim_end().rsplit_once("address=").expect("it tells where it listens").1.to_owned();
    // Somebody has to read what it logs, or it would wait.
    std::thread::spawn(move || log.read_to_string(&mut String::new()));
    (child, address)
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name().display().to_string();
    fs::read_dir(folder).expect("a folder").map(name).collect()
}

impl Host {
    /// One that tests merges by `test`.
    pub fn start(test: &str) -> Self {
        let desk = Desk::new();
        let repositories = desk.path().join("repositories");
        let repository = Local { folder: repositories.join("tickets.git") };
        for folder in [&repository.folder, &desk.path().join("temporary")] {
            fs::create_dir_all(folder).expect("a folder");
        }
        repository.expect(&["init", "--quiet", "--bare", "--initial-branch=main"]);
        let signers = format!("ada ssh-ed25519 {}\n", BASE64_STANDARD.encode(public_key()));
        fs::write(desk.path().join("signers"), signers).expect("a file");
        let (child, address) = serve(&desk, test);
        Self { child, address, desk, repository, test: test.to_owned() }
    }

    /// Kills it, and starts another one on the same repositories.
    pub fn kill_and_start(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it is killed");
        (self.child, self.address) = serve(&self.desk, &self.test);
    }

    /// What is in the folder of repositories, and is none.
    pub fn left_beside_repositories(&self) -> Vec<String> {
        names(&self.desk.path().join("repositories")).into_iter().filter(|name| !name.ends_with(".git")).collect()
    }

    /// What it has in the folder for what nobody keeps.
    pub fn temporary_files(&self) -> Vec<String> {
        names(&self.desk.path().join("temporary"))
    }

    pub fn url(&self, user: &str) -> String {
        format!("http://{user}:s3cret@{}/tickets.git", self.address)
    }

    pub fn clone_as(&self, user: &str) -> Local {
        let local = self.desk.clone_of(&self.url(user), &[]);
        local.expect(&["checkout", "--quiet", "-B", "main"]);
        local
    }

    /// The names of all references.
    pub fn references(&self) -> Vec<String> {
        self.repository.text(&["for-each-ref", "--format=%(refname)"]).lines().map(str::to_owned).collect()
    }

    pub fn objects(&self) -> String {
        self.repository.text(&["cat-file", "--batch-all-objects", "--batch-check", "--unordered"])
    }

    pub fn main(&self) -> String {
        self.repository.head("refs/heads/main")
    }

    /// The status and the body of the answer.
    pub fn post(&self, path: &str, user: &str, body: &str) -> (u16, String) {
        let mut connection = TcpStream::connect(&self.address).expect("the host listens");
        let sign = BASE64_STANDARD.encode(format!("{user}:s3cret"));
        let length = body.len();
        write!(
            connection,
            "POST {path} HTTP/1.1\r\nHost: host\r\nConnection: close\r\nAuthorization: Basic {sign}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("the host reads");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("the host answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|digits| digits.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// Makes the tag `name` in `local`, of its HEAD, with a signature for `purpose`.
    pub fn sign_release(&self, local: &Local, name: &str, purpose: &str) {
        let head = local.head("HEAD");
        let text = format!(
            "object {head}\ntype commit\ntag {name}\ntagger Ada <ada@example.com> 1772438400 +0100\n\n{name}\n"
        );
        let object = format!("{text}{}", signature(purpose, text.as_bytes()));
        local.write("tag", &object);
        let id = local.text(&["hash-object", "-w", "-t", "tag", "tag"]);
        local.expect(&["update-ref", &format!("refs/tags/{name}"), &id]);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// A string as SSH has it: its length, and itself.
fn string(part: &[u8]) -> Vec<u8> {
    let length = u32::try_from(part.len()).expect("it is short");
    [&length.to_be_bytes(), part].concat()
}

fn public_key() -> Vec<u8> {
    [string(b"ssh-ed25519"), string(key().verifying_key().as_bytes())].concat()
}

fn signature(purpose: &str, message: &[u8]) -> String {
    let about = [string(purpose.as_bytes()), string(b""), string(b"sha512")].concat();
    let signed = [b"SSHSIG", &about[..], &string(&Sha512::digest(message))].concat();
    let inner = [string(b"ssh-ed25519"), string(&key().sign(&signed).to_bytes())].concat();
    let whole = [b"SSHSIG\0\0\0\x01", &string(&public_key())[..], &about, &string(&inner)].concat();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", BASE64_STANDARD.encode(whole))
}
