//! The container engine, by way of its program `docker`, always with a time limit.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use lab_kit::{CheckResult, Failure, Ours as _, machine};
use tokio::process::Command;
use tokio::time::timeout;

/// The engine's program.
pub const PROGRAM: &str = "docker";
/// What every image that is built here carries.
pub const LABEL: &str = "io.backend-labs.check";

/// What one command of the engine came to.
#[derive(Debug)]
pub struct Said {
    pub ok: bool,
    pub output: String,
    pub error: String,
}

/// Runs `docker` with these arguments. It is killed when its time is over.
pub async fn docker(arguments: &[&str], folder: Option<&Path>, limit: Duration) -> CheckResult<Said> {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    // Without its plug-in the program refuses to use BuildKit, and an old engine builds by itself.
    if arguments.first() == Some(&"build") && !has_buildx().await {
        command.env("DOCKER_BUILDKIT", "0");
    }
    let Ok(done) = timeout(limit, command.output()).await else {
        let told = format!("`docker {}` took longer than {limit:?}", arguments.join(" "));
        // never fails alone: a build that never ends takes a quarter of an hour, longer than an audit can wait
        return Err(if runs_theirs(arguments) { Failure::learner(told).by_time() } else { Failure::Ours(told) });
    };
    let done = done.ours("running `docker`")?;
    Ok(Said {
        ok: done.status.success(),
        output: String::from_utf8_lossy(&done.stdout).trim().to_owned(),
        error: String::from_utf8_lossy(&done.stderr).trim().to_owned(),
    })
}

/// Whether what takes so long may be the submission's own: what its image builds from, or what runs in its container. All
/// else is the engine's.
fn runs_theirs(arguments: &[&str]) -> bool {
    matches!(arguments.first(), Some(&("build" | "pull" | "run")))
}

pub async fn has_buildx() -> bool {
    let asked = Command::new(PROGRAM).args(["buildx", "version"]).stdin(Stdio::null()).output();
    matches!(timeout(Duration::from_secs(5), asked).await, Ok(Ok(said)) if said.status.success())
}

/// Not applicable, with the reason, unless an engine answers that runs containers on this machine's own network.
pub async fn answers() -> CheckResult {
    let says = |why: &str| Err(Failure::not_applicable(format!("no image can be built here: {why}")));
    if !machine::shares_network_with_containers() {
        return says("containers have their own network on this system");
    }
    let asked = docker(&["info", "--format", "{{.Name}}\n{{.SecurityOptions}}"], None, Duration::from_secs(5)).await;
    let engine = match asked {
        Ok(said) if said.ok => said.output,
        Ok(_) => return says("no container engine answers"),
        Err(_) => return says("there is no program `docker`, or it does not answer"),
    };
    // Elsewhere "this machine's own network" is another machine's, and the database would be out of reach.
    let (name, security) = engine.split_once('\n').unwrap_or((&engine, ""));
    if machine::name().as_deref() != Some(name) || security.contains("rootless") {
        return says("the container engine has its own network");
    }
    Ok(())
}

/// What the name of every image of a check begins with; the id of the suite's process follows.
const IMAGES: &str = "backend-labs-check-";

/// A name for an image of this suite.
pub fn image_name(word: &str) -> String {
    format!("{IMAGES}{}-{word}", std::process::id())
}

/// Removes the images of suites that were killed before they could do so themselves.
pub async fn sweep_images() -> CheckResult {
    let limit = Duration::from_secs(30);
    let names = docker(&["images", "--format", "{{.Repository}}"], None, limit).await?.output;
    for name in names.lines().filter(|name| suite_of(name).is_some_and(|suite| !machine::is_running(suite))) {
        docker(&["rmi", "--force", name], None, limit).await?;
    }
    Ok(())
}

fn suite_of(image: &str) -> Option<&str> {
    image.strip_prefix(IMAGES)?.split('-').next()
}

/// A container or an image that is removed when this is dropped, whatever became of the check.
#[derive(Debug)]
pub struct Leftover {
    kind: &'static str,
    name: String,
}

impl Leftover {
    pub fn container(name: &str) -> Self {
        Self { kind: "rm", name: name.to_owned() }
    }

    pub fn image(name: &str) -> Self {
        Self { kind: "rmi", name: name.to_owned() }
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        run_quietly(&[self.kind, "--force", &self.name]);
        if self.kind == "rmi" {
            // The other stages, which never had a name.
            run_quietly(&["image", "prune", "--force", "--filter", &format!("label={LABEL}")]);
        }
    }
}

/// Waited for: what is removed next may depend on it.
fn run_quietly(arguments: &[&str]) {
    let mut command = std::process::Command::new(PROGRAM);
    let _ = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}
