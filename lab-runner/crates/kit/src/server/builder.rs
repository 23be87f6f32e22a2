//! Describes a server before it is started.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::app::App;
use super::keeper::Keeper;
use super::process::LaunchSpec;
use super::start_line::{StartLine, is_plain};
use crate::lab::Lab;
use lab_check::{Because as _, CheckResult};
use lab_protocol::{PASSED_ON, Target};
use lab_sandbox::Sandbox;

/// A server that is about to be started. Made by [`Lab::server`].
#[derive(Debug, Clone)]
pub struct ServerBuilder<'a> {
    lab: &'a Lab,
    env: BTreeMap<String, String>,
    removed: BTreeSet<String>,
    arguments: Vec<String>,
    waits: bool,
}

impl<'a> ServerBuilder<'a> {
    pub(crate) fn new(lab: &'a Lab) -> Self {
        Self { lab, env: BTreeMap::new(), removed: BTreeSet::new(), arguments: Vec::new(), waits: true }
    }

    /// Sets a variable of its environment.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let app = lab.server().env("DATABASE_MAX_CONNECTIONS", "3").start().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.removed.remove(name);
        self.env.insert(name.into(), value.into());
        self
    }

    /// Takes a variable out of its environment, also one the grader always gives.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let app = lab.server().env_remove("JWT_SECRET").without_waiting().start().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.env.remove(name);
        self.removed.insert(name.into());
        self
    }

    /// Adds a command-line argument.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let app = lab.server().arg("--directory").arg("/srv/files").start().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Does not wait until it is ready: for servers that must refuse to start, or that start before their
    /// database.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let mut app = lab.server().env("PORT", "no number").without_waiting().start().await?;
    /// let exit = app.exited(Duration::from_secs(5)).await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn without_waiting(mut self) -> Self {
        self.waits = false;
        self
    }

    /// Starts it.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let app = lab.server().start().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it exits or does not become ready in the time its manifest gives.
    pub async fn start(self) -> CheckResult<App> {
        let config = self.lab.config();
        let (argv, cwd, env, by_hand) = match &config.target {
            Target::Attached { url } => return self.attach(url).await,
            Target::Launch { argv, cwd, env, by_hand, .. } => (argv.clone(), cwd.clone(), env.clone(), by_hand.clone()),
        };
        let mut env = env;
        env.insert("HOST".into(), "127.0.0.1".into());
        for (_, tenant) in self.lab.tenants().await? {
            env.extend(tenant.variables());
        }
        self.lab.put_back_what_is_gone()?;
        let container = self.lab.container().cloned();
        let isolated = container.is_none();
        let keeper = self.lab.keeper();
        let (argv, by_hand) = match &container {
            // It will stand where it is.
            None if keeper.is_some() => (argv, StartLine::default()),
            None => (argv, StartLine::with_variables(&by_hand, &self.env)),
            Some(container) => (Vec::new(), StartLine::plain(container.by_hand(&container_options(&self.env)))),
        };
        if container.is_some() {
            // What this machine has in PATH and HOME is nothing to an image.
            env.retain(|name, _| !PASSED_ON.contains(&name.as_str()));
        }
        env.extend(self.env);
        env.retain(|name, _| !self.removed.contains(name));
        let spec = LaunchSpec {
            argv: argv.into_iter().chain(self.arguments).collect(),
            container,
            cwd,
            env,
            sandbox: if isolated { config.sandbox.clone() } else { Sandbox::none() },
            network: self.lab.network()?,
            folders: self.lab.folders_for_servers()?,
            port: config.port,
            agent: self.lab.agent(),
            transcript: self.lab.transcript().clone(),
            endings: self.lab.endings(),
            log_readers: self.lab.log_readers(),
            keeper: keeper.map(Keeper::downgrade).unwrap_or_default(),
        };
        App::launch(spec, by_hand, config, self.waits).await
    }

    /// Starts `count` of them side by side, as a release does, and waits until each is ready. Each has `within` for it
    /// from when the one before it was.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let servers = lab.server().start_together(3, Duration::from_secs(15)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if one of them exits or does not become ready.
    pub async fn start_together(self, count: usize, within: Duration) -> CheckResult<Vec<App>> {
        let server = self.without_waiting();
        let mut servers = Vec::with_capacity(count);
        for _ in 0..count {
            servers.push(server.clone().start().await?);
        }
        for server in &mut servers {
            server.ready(within).await.because(&format!("one of {count} servers that were started at once"))?;
        }
        Ok(servers)
    }

    async fn attach(self, url: &str) -> CheckResult<App> {
        let unlike = !self.env.is_empty() || !self.removed.is_empty() || !self.arguments.is_empty() || !self.waits;
        if unlike {
            self.lab.not_attached("starts the server in its own way")?;
        }
        App::attach(url, self.lab.agent(), self.lab.transcript().clone()).await
    }
}

/// The variables that a check sets, as a container's engine takes them. What needs quoting is a folder or a secret of this
/// run, which would mean nothing by hand.
fn container_options(env: &BTreeMap<String, String>) -> String {
    env.iter().filter(|(_, value)| is_plain(value)).map(|(name, value)| format!("-e {name}={value} ")).collect()
}
