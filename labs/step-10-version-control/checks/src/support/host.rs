//! The host under test, with repositories that a check has made up, and the people who use it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lab_kit::prelude::*;
use tempfile::TempDir;

use super::git::{Git, Ran};
use super::history::{History, lines};
use super::signature::Key;
use super::snapshot::Snapshot;

/// How soon a server that is asked for nothing more is done with what it was asked for.
const AT_REST: Duration = Duration::from_secs(10);

/// Somebody who has a name and a password.
#[derive(Debug, Clone)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
}

impl User {
    fn new(lab: &Lab) -> Self {
        let word = || lab.word().replace('-', "");
        Self { name: word(), password: word() + &word() }
    }

    /// What this user's requests carry (RFC 7617).
    pub fn authorization(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.name, self.password)))
    }
}

/// A host that is about to be started.
#[derive(Debug)]
pub struct Setup<'a> {
    lab: &'a Lab,
    repositories: PathBuf,
    env: Vec<(String, String)>,
    signers: Vec<String>,
}

impl<'a> Setup<'a> {
    /// Without a repository yet.
    pub fn new(lab: &'a Lab) -> CheckResult<Self> {
        let repositories = lab.folder()?.join("repositories");
        std::fs::create_dir(&repositories).ours("making the folder of repositories")?;
        Ok(Self { lab, repositories, env: Vec::new(), signers: Vec::new() })
    }

    /// Adds a repository with this history, and tells the hashes of its commits.
    pub async fn repository(&self, name: &str, history: &History<'_>) -> CheckResult<Vec<String>> {
        let folder = self.repositories.join(format!("{name}.git"));
        Git::new(self.lab, &self.repositories)
            .args(["init", "--quiet", "--bare", "--template=", "--initial-branch=main"])
            .args([folder.clone()])
            .ours()
            .await?;
        history.write(&folder).await
    }

    /// The folder of a repository, for what a history has no words for.
    pub fn folder_of(&self, name: &str) -> PathBuf {
        self.repositories.join(format!("{name}.git"))
    }

    /// The folder that the folder of repositories is in.
    pub fn outside(&self) -> PathBuf {
        self.repositories.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// The command by which the host tests what is to be merged.
    pub fn tested_by(self, command: &str) -> Self {
        self.env("TEST_COMMAND", command)
    }

    /// Sets a variable of the server's.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Somebody who may sign releases.
    pub fn signer(mut self, key: &Key) -> Self {
        let line = format!("{} {} {}", self.lab.email(), key.public(), self.lab.word());
        self.signers.push(line);
        self
    }

    /// Starts the host.
    pub async fn start(self) -> CheckResult<Host<'a>> {
        let lab = self.lab;
        let (writer, reader) = (User::new(lab), User::new(lab));
        let home = lab.folder()?;
        let signers = lab.folder()?.join("allowed_signers");
        let text = format!("# Who may sign releases.\n\n{}\n", self.signers.join("\n"));
        std::fs::write(&signers, text).ours("writing who may sign releases")?;
        let users = format!("{}:{}:write,{}:{}:read", writer.name, writer.password, reader.name, reader.password);
        let show = |path: &Path| path.display().to_string();
        let mut server = lab
            .server()
            .env("REPOS_DIR", &show(&self.repositories))
            .env("USERS", &users)
            .env("ALLOWED_SIGNERS", &show(&signers))
            .env("TEST_COMMAND", "true")
            .env("HOME", &show(&home))
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for (name, value) in &self.env {
            server = server.env(name, value);
        }
        let app = server.start().await?;
        let desk = TempDir::new().ours("making a folder for clones")?;
        Ok(Host { lab, app, repositories: self.repositories, writer, reader, desk, clones: 0.into() })
    }
}

/// A host that runs.
#[derive(Debug)]
pub struct Host<'a> {
    pub lab: &'a Lab,
    /// The server.
    pub app: App,
    /// The folder with its repositories.
    pub repositories: PathBuf,
    /// Somebody who may push.
    pub writer: User,
    /// Somebody who may only fetch.
    pub reader: User,
    /// Where clones are made: no submission can write there.
    desk: TempDir,
    clones: std::sync::atomic::AtomicU32,
}

impl<'a> Host<'a> {
    /// A host with one repository, `demo`, that has three commits on `main`. Tells the last of them.
    pub async fn simple(lab: &'a Lab) -> CheckResult<(Self, String)> {
        Self::with_demo(lab, Setup::new(lab)?).await
    }

    /// The same, for a host that was described otherwise.
    pub async fn with_demo(lab: &'a Lab, setup: Setup<'a>) -> CheckResult<(Self, String)> {
        let mut history = History::new(lab);
        for number in 0..3 {
            let commit = history.on("main").file(&format!("start-{number}.txt"), lines(lab, 4));
            history.add(commit);
        }
        let tip = setup.repository("demo", &history).await?.pop().unwrap_or_default();
        Ok((setup.start().await?, tip))
    }

    /// A repository's address for `user`.
    pub fn url(&self, user: &User, repository: &str) -> String {
        format!("http://{}:{}@{}/{repository}.git", user.name, user.password, self.app.address())
    }

    /// An empty bare repository of the grader's own, in which commits are made that are then pushed.
    pub async fn local(&self) -> CheckResult<Local<'_>> {
        let folder = self.new_folder();
        Git::new(self.lab, self.desk.path())
            .args(["init", "--quiet", "--bare", "--template=", "--initial-branch=main"])
            .args([folder.clone()])
            .ours()
            .await?;
        Ok(Local { host: self, folder, is_fetched: false })
    }

    /// The same with all that the host has of `repository`, under the same names.
    pub async fn mirror(&self, repository: &str) -> CheckResult<Local<'_>> {
        let local = Local { is_fetched: true, ..self.local().await? };
        local
            .git()
            .args(["fetch", "--quiet", &self.url(&self.reader, repository), "+refs/*:refs/*"])
            .run()
            .await?
            // never fails alone: `clone` asks the same
            .expect_success("a reader fetches everything")?;
        Ok(local)
    }

    /// A folder that does not exist yet.
    pub fn new_folder(&self) -> PathBuf {
        let number = self.clones.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.desk.path().join(format!("clone-{number}"))
    }

    /// Git as a client, in a folder that is no repository.
    pub fn git(&self) -> Git<'_> {
        Git::new(self.lab, self.desk.path()).of(&self.app)
    }

    /// Every ref of `repository` with its hash, as the host tells them.
    pub async fn refs(&self, repository: &str) -> CheckResult<BTreeMap<String, String>> {
        let url = self.url(&self.reader, repository);
        let ran =
            // never fails alone: `clone` asks the same
            self.git().args(["ls-remote", "--refs", &url]).run().await?.expect_success("a reader lists the refs")?;
        let pair = |line: &str| line.split_once('\t').map(|(hash, name)| (name.to_owned(), hash.to_owned()));
        Ok(ran.text().lines().filter_map(pair).collect())
    }

    /// The hash at which the branch `main` of `repository` stands.
    pub async fn main_of(&self, repository: &str) -> CheckResult<String> {
        let mut refs = self.refs(repository).await?;
        refs.remove("refs/heads/main").ok_or_else(|| Failure::learner("the branch main is gone"))
    }

    /// Expects the refs of `repository` to be as they were.
    pub async fn expect_refs(&self, repository: &str, before: &BTreeMap<String, String>, after: &str) -> CheckResult {
        let now = self.refs(repository).await?;
        if now == *before {
            return Ok(());
        }
        Err(Failure::learner(format!("refs have changed by {after}")).expected(listed(before)).actual(listed(&now)))
    }

    /// What the host has on disk of `repository` at this moment, in the middle of whatever it does.
    pub fn snapshot(&self, repository: &str) -> CheckResult<Snapshot<'_>> {
        let folder = self.repositories.parent().unwrap_or(&self.repositories);
        Snapshot::of(self.lab, folder, &format!("repositories/{repository}.git"))
    }

    /// Expects that nothing of what the host has on disk of `repository` is broken or missing, once it is done with what it was
    /// asked to do: a copy that was taken before may have one half of that.
    pub async fn expect_sound(&self, repository: &str) -> CheckResult {
        // never fails alone: git sets no ref to what is not whole
        let attempt = || async { self.snapshot(repository)?.expect_sound().await };
        self.lab.eventually("git finds the repository sound", AT_REST, attempt).await
    }

    /// The hashes of all objects that the host has on disk of `repository`, in the same way.
    pub async fn objects(&self, repository: &str) -> CheckResult<BTreeSet<String>> {
        let attempt = || async { self.snapshot(repository)?.objects().await };
        self.lab.eventually("git can read the repository", AT_REST, attempt).await
    }

    /// A request to merge `branch` into `main`.
    pub fn merge(&self, repository: &str, branch: &str) -> Request {
        self.app
            .post(format!("/{repository}/merges"))
            .header("Authorization", self.writer.authorization())
            .json(&json!({ "branch": branch }))
            .within(Duration::from_secs(30))
    }
}

fn listed(refs: &BTreeMap<String, String>) -> String {
    refs.iter().map(|(name, hash)| format!("{hash} {name}\n")).collect()
}

/// A bare repository of the grader's own.
#[derive(Debug)]
pub struct Local<'a> {
    host: &'a Host<'a>,
    /// Where it is.
    pub folder: PathBuf,
    /// Whether it has what the host has sent.
    is_fetched: bool,
}

impl Local<'_> {
    /// Git in it, which can reach the host.
    pub fn git(&self) -> Git<'_> {
        Git::new(self.host.lab, &self.folder).of(&self.host.app)
    }

    /// Git in it, for what the grader does itself.
    pub fn own(&self) -> Git<'_> {
        let git = Git::new(self.host.lab, &self.folder);
        if self.is_fetched { git.of_submitted() } else { git }
    }

    /// Brings all commits of `history` into it, and tells their hashes.
    pub async fn write(&self, history: &History<'_>) -> CheckResult<Vec<String>> {
        history.write_by(self.own()).await
    }

    /// Pushes to `demo` as the writer.
    pub async fn push(&self, refs: &[&str]) -> CheckResult<Pushed> {
        let url = self.host.url(&self.host.writer, "demo");
        let ran = self.git().args(["push", "--porcelain", &url]).args(refs.iter().copied()).run().await?;
        Ok(Pushed::of(ran))
    }

    /// Makes a tag of `commit` with this content, which nobody has looked at.
    pub async fn tag(&self, name: &str, content: &str) -> CheckResult<String> {
        let arguments = ["hash-object", "-t", "tag", "-w", "--stdin"];
        let hash = self.own().args(arguments).input(content).our_text().await?;
        self.own().args(["update-ref", &format!("refs/tags/{name}"), &hash]).ours().await?;
        Ok(hash)
    }
}

/// What became of a push.
#[derive(Debug)]
pub struct Pushed {
    /// How git ended.
    pub ran: Ran,
    /// The refs that the host has refused.
    pub refused: Vec<String>,
}

impl Pushed {
    fn of(ran: Ran) -> Self {
        let refused = |line: &str| {
            let (names, told) = line.strip_prefix("!\t")?.split_once('\t')?;
            let name = names.rsplit_once(':').map_or(names, |(_, name)| name);
            told.starts_with("[remote rejected]").then(|| name.to_owned())
        };
        let refused = ran.text().lines().filter_map(refused).collect();
        Self { ran, refused }
    }

    /// Expects that it has been taken.
    pub fn expect_taken(&self, what: &str) -> CheckResult {
        if self.ran.ok { Ok(()) } else { Err(self.ran.failure(format!("{what} is refused")).expected("it is taken")) }
    }

    /// Expects that the host has refused all of it, in git's own words.
    pub fn expect_refused(&self, what: &str) -> CheckResult {
        if self.ran.ok {
            return Err(self.ran.failure(format!("{what} is taken")).expected("the host refuses it"));
        }
        if self.refused.is_empty() {
            let expected = "a report in which each ref is refused, which git shows as [remote rejected]";
            return Err(self.ran.failure(format!("{what} ends otherwise than by a refusal")).expected(expected));
        }
        Ok(())
    }
}
