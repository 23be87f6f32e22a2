//! A server that runs in a container: the program `docker` stands for it, hands signals on, and ends with its exit code
//! (Docker documentation, `docker container run`, `--sig-proxy`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use lab_check::{CheckResult, Failure, Ours as _};

/// An engine that takes longer to remove a container does not work.
const REMOVAL: Duration = Duration::from_secs(30);

/// How the containers of one image are run, on this machine's own network. Dropping the last clone removes them all.
#[derive(Debug, Clone)]
pub struct Container {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: PathBuf,
    image: String,
    by_hand: ByHand,
    made: AtomicU64,
}

/// How a learner runs the image.
#[derive(Debug, Clone, Copy)]
pub struct ByHand {
    /// What the README calls the image.
    pub image: &'static str,
    /// Variables that the learner's shell has.
    pub variables: &'static [&'static str],
}

impl Container {
    /// The label that says whose container it is: its value is the id of the suite's process.
    pub const SUITE: &str = "io.backend-labs.suite";

    /// Containers of `image`, run by the program `engine`, which takes the arguments of `docker`. The image's name is
    /// part of theirs.
    ///
    /// ```
    /// use lab_kit::{ByHand, Container};
    ///
    /// let by_hand = ByHand { image: "box-office", variables: &["DATABASE_URL"] };
    /// let container = Container::of("docker", "box-office-check", by_hand);
    /// ```
    pub fn of(engine: impl Into<PathBuf>, image: &str, by_hand: ByHand) -> Self {
        let (engine, image) = (engine.into(), image.to_owned());
        Self { inner: Arc::new(Inner { engine, image, by_hand, made: AtomicU64::new(0) }) }
    }

    /// Removes the containers of suites that were killed before they could do so themselves.
    ///
    /// ```
    /// # async fn example() -> lab_kit::CheckResult<()> {
    /// lab_kit::Container::sweep("docker").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if the engine does not answer.
    pub async fn sweep(engine: impl AsRef<Path>) -> CheckResult {
        let format = format!("{{{{.ID}}}} {{{{.Label \"{}\"}}}}", Self::SUITE);
        let arguments = ["ps", "--all", "--filter", &format!("label={}", Self::SUITE), "--format", &format];
        let listed = ask(engine.as_ref(), &arguments).await?;
        let dead = listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, suite)| !crate::platform::is_running(suite));
        remove(engine.as_ref(), dead.map(|(id, _)| id.to_owned()).collect()).await
    }

    /// Removes what still runs or lies about.
    pub(crate) async fn remove_all(&self) -> CheckResult {
        let listed = ask(&self.inner.engine, &self.inner.listing()).await?;
        remove(&self.inner.engine, listed.lines().map(str::to_owned).collect()).await
    }

    /// A name that no container has yet.
    pub(super) fn fresh_name(&self) -> String {
        format!("{}-{}", self.inner.image, self.inner.made.fetch_add(1, Ordering::Relaxed))
    }

    /// What a learner types, with the options that set a check's own variables.
    pub(super) fn by_hand(&self, options: &str) -> String {
        let ByHand { image, variables } = self.inner.by_hand;
        let inherited = variables.iter().filter(|name| !options.contains(&format!("-e {name}=")));
        let inherited: String = inherited.map(|name| format!("-e {name} ")).collect();
        format!("docker run --rm --network host {inherited}{options}{image}")
    }

    /// The command that runs the container `name` with the variables in `env`, which it takes from its own environment:
    /// their values are nobody's business who lists processes.
    pub(super) fn command(&self, name: &str, env: &BTreeMap<String, String>, arguments: &[String]) -> Command {
        let mut command = Command::new(&self.inner.engine);
        // Not `--rm`: how it ended is asked of the engine. We remove it ourselves.
        command.args(["run", "--network", "host", "--name", name]);
        command.args(["--label", &format!("{}={}", Self::SUITE, std::process::id())]);
        for variable in env.keys() {
            command.args(["--env", variable]);
        }
        // The engine's program itself needs our PATH, HOME and settings; the container sees none of them.
        command.args(["--env", "PORT"]).arg(&self.inner.image).args(arguments).envs(env);
        command
    }

    /// Removes the container `name`, in the background: with it, the program that stands for it ends.
    pub(super) fn discard(&self, name: String) {
        let inner = Arc::clone(&self.inner);
        std::thread::spawn(move || run_quietly(&inner.engine, &["rm", "--force", &name]));
    }

    /// Whether the engine never started the container `name`. The engine is asked: an exit code, or a line in the log,
    /// could be the submission's own.
    pub(super) async fn never_started(&self, name: &str) -> bool {
        let question = ["inspect", "--type", "container", "--format", "{{.State.StartedAt}}", name];
        let started = ask(&self.inner.engine, &question).await;
        started.map_or(true, |started| started.starts_with("0001-"))
    }

    /// Kills the container `name`.
    pub(super) async fn kill(&self, name: &str) -> CheckResult {
        ask(&self.inner.engine, &["kill", name]).await.map(drop)
    }
}

impl Inner {
    fn listing(&self) -> [String; 4] {
        // The engine takes the name for a pattern.
        ["ps".into(), "--all".into(), "--quiet".into(), format!("--filter=name=^/?{}-[0-9]+$", self.image)]
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut command = std::process::Command::new(&self.engine);
        let Ok(listed) = command.args(self.listing()).stdin(Stdio::null()).stderr(Stdio::null()).output() else {
            return;
        };
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let ids: Vec<&str> = listed.lines().collect();
        if !ids.is_empty() {
            run_quietly(&self.engine, &[&["rm", "--force"], ids.as_slice()].concat());
        }
    }
}

async fn remove(engine: &Path, ids: Vec<String>) -> CheckResult {
    if ids.is_empty() {
        return Ok(());
    }
    let mut arguments = vec!["rm".to_owned(), "--force".to_owned()];
    arguments.extend(ids);
    // One that removes itself at this very moment is no failure.
    ask(engine, &arguments).await.map(drop).or(Ok(()))
}

async fn ask<A: AsRef<std::ffi::OsStr>>(engine: &Path, arguments: &[A]) -> CheckResult<String> {
    let mut command = Command::new(engine);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let Ok(done) = timeout(REMOVAL, command.output()).await else {
        return Err(Failure::Ours(format!("the container engine did not answer within {REMOVAL:?}")));
    };
    let done = done.ours("running the container engine's program")?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(Failure::Ours(format!("the container engine: {}", String::from_utf8_lossy(&done.stderr).trim())))
}

fn run_quietly(engine: &Path, arguments: &[&str]) {
    let mut command = std::process::Command::new(engine);
    let _ = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container() -> Container {
        Container::of("engine", "an-image", ByHand { image: "box-office", variables: &["DATABASE_URL"] })
    }

    #[test]
    fn the_values_of_variables_are_given_in_the_environment_and_not_among_the_arguments() {
        let env = BTreeMap::from([("API_TOKEN".to_owned(), "a secret".to_owned())]);
        let command = container().command("an-image-0", &env, &["--verbose".to_owned()]);
        let words: Vec<_> = command.as_std().get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert!(words.windows(2).any(|pair| pair == ["--env", "API_TOKEN"]), "{words:?}");
        assert!(!words.iter().any(|word| word.contains("a secret")), "{words:?}");
        assert!(words.ends_with(&["an-image".to_owned(), "--verbose".to_owned()]), "{words:?}");
        assert!(command.as_std().get_envs().any(|(name, _)| name == "API_TOKEN"));
    }

    #[test]
    fn no_two_containers_have_the_same_name() {
        let container = container();
        assert_ne!(container.fresh_name(), container.clone().fresh_name());
    }

    #[test]
    fn a_learner_types_a_checks_variables_as_options() {
        let line = container().by_hand("-e DRAIN_DELAY_MS=50 ");
        assert_eq!(line, "docker run --rm --network host -e DATABASE_URL -e DRAIN_DELAY_MS=50 box-office");
        let line = container().by_hand("-e DATABASE_URL=nowhere ");
        assert_eq!(line, "docker run --rm --network host -e DATABASE_URL=nowhere box-office");
    }
}
