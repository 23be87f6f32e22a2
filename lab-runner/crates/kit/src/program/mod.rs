//! The program under test, where a lab grades one that is run and ends: with arguments, standard input, an environment and
//! a working folder of its own.

mod by_hand;
mod finished;
mod output;
mod running;
#[cfg(test)]
mod tests;
mod threads;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab_check::{CheckResult, Failure, Ours as _};
use lab_protocol::Target;
use lab_sandbox::Sandbox;

use crate::lab::Lab;

pub use finished::Finished;
pub use running::Running;

/// How long a program may take whose check says nothing else.
const WITHIN: Duration = Duration::from_secs(10);

/// A program that is about to be run. Made by [`Lab::program`].
#[derive(Debug, Clone)]
pub struct ProgramBuilder<'a> {
    lab: &'a Lab,
    arguments: Vec<String>,
    env: BTreeMap<String, String>,
    removed: BTreeSet<String>,
    folder: Option<PathBuf>,
    input: Vec<u8>,
    within: Duration,
    reads: bool,
    measures: bool,
    /// What it sees and reaches beside itself.
    surroundings: Surroundings,
}

/// What a program sees and reaches beside itself and the check's folders.
#[derive(Debug, Clone, Default)]
struct Surroundings {
    networked: bool,
    programs: bool,
    readable: Vec<PathBuf>,
    rootless: bool,
}

impl<'a> ProgramBuilder<'a> {
    pub(crate) fn new(lab: &'a Lab) -> Self {
        Self {
            lab,
            arguments: Vec::new(),
            env: BTreeMap::new(),
            removed: BTreeSet::new(),
            folder: None,
            input: Vec::new(),
            within: WITHIN,
            reads: true,
            measures: false,
            surroundings: Surroundings::default(),
        }
    }

    /// Adds a command-line argument.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().arg("--version").run().await?.expect_code(0)?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds command-line arguments.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().args(["sort", "--jobs", "2"]).run().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn args<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().env("TZ", "Asia/Tokyo").run().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.removed.remove(name);
        self.env.insert(name.into(), value.into());
        self
    }

    /// Takes a variable out of its environment, also one that the grader always gives.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().env_remove("HOME").run().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.env.remove(name);
        self.removed.insert(name.into());
        self
    }

    /// Runs it in `folder`, one of the check's own ([`Lab::folder`]). Each run has a new, empty folder otherwise.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let folder = lab.folder()?;
    /// std::fs::write(folder.join("orders.ndjson"), "{}\n").ours("writing the orders")?;
    /// lab.program().args(["import", "orders.ndjson"]).folder(&folder).run().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// What its standard input holds. [`Self::start`] leaves that open behind it.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().arg("sort").input("b\na\n").run().await?.expect_output("a\nb\n")?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// How long the whole run may take, 10 seconds if nothing is said.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().within(Duration::from_secs(30)).run().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Does not read its standard output until [`Running::read_output`] is called: a pipe holds a little, and then the
    /// program has to wait.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let mut slow = lab.program().without_reading().start().await?;
    /// slow.read_output();
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn without_reading(mut self) -> Self {
        self.reads = false;
        self
    }

    /// Looks again and again how much memory it holds, with all processes that it starts. Where the system does not tell
    /// (only Linux does), the check is not applicable.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let peak = lab.program().measured().run().await?.peak_memory();
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn measured(mut self) -> Self {
        self.measures = true;
        self
    }

    /// Has it reach what the check's servers reach, under the same addresses: the proxies of services, and
    /// [`Lab::proxy`](crate::Lab::proxy). Without this an isolated program has no network.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let database = lab.postgres().await?;
    /// lab.program().arg("migrate").networked().env("DATABASE_URL", database.url()).run().await?.expect_code(0)?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn networked(mut self) -> Self {
        self.surroundings.networked = true;
        self
    }

    /// Has it see the system's programs, such as a shell, in isolation as well. [`system_programs!`](crate::system_programs)
    /// says so for all servers and programs of a suite.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().args(["each", "--run", "cat"]).with_system_programs().run().await?.expect_code(0)?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_system_programs(mut self) -> Self {
        self.surroundings.programs = true;
        self
    }

    /// Has it see `path`, a file or a folder of this machine's, in isolation as well. The check's own folders
    /// ([`Lab::folder`]) it may always write.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().args(["spell", "/usr/share/dict/words"]).readable("/usr/share/dict").run().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn readable(mut self, path: impl Into<PathBuf>) -> Self {
        self.surroundings.readable.push(path.into());
        self
    }

    /// Runs it as another user where it would be root, for programs that refuse to be: the check's folders are that user's
    /// from then on. Where the system does not allow it (only Linux does), the check is not applicable.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().arg("restore").without_root().run().await?.expect_code(0)?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn without_root(mut self) -> Self {
        self.surroundings.rootless = true;
        self
    }

    /// Runs it to its end: its input is written while its output is read, and then closed.
    ///
    /// # Errors
    /// The learner's failure if it still runs when the time is over.
    pub async fn run(self) -> CheckResult<Finished> {
        let mut running = self.begin()?;
        running.feed_and_finish().await
    }

    /// Starts it, writes what its input holds, and leaves that open.
    ///
    /// # Errors
    /// The learner's failure if it does not take its input in time.
    pub async fn start(self) -> CheckResult<Running> {
        let mut running = self.begin()?;
        let input = running.take_input();
        if !input.is_empty() {
            running.send(&input).await?;
        }
        Ok(running)
    }

    fn begin(self) -> CheckResult<Running> {
        let config = self.lab.config();
        let Target::Launch { argv, cwd, env, by_hand, .. } = &config.target else {
            return Err(Failure::not_applicable("it runs a program, which --url does not name"));
        };
        if self.measures && !crate::platform::MEMORY_IS_TOLD {
            return Err(Failure::not_applicable("this system does not tell how much memory a program holds"));
        }
        let folder = match self.folder {
            Some(folder) => folder,
            None => self.lab.folder()?,
        };
        self.lab.put_back_what_is_gone()?;
        let Surroundings { networked, programs, readable, rootless } = self.surroundings;
        let sandbox = if rootless { without_root(&config.sandbox)? } else { config.sandbox.clone() };
        let network = networked.then(|| self.lab.network()).transpose()?;
        // What it has reached is gone when the check is over.
        let by_hand = by_hand::ByHand::new(by_hand, &self.env, &self.arguments, (!networked).then_some(&folder));
        let mut variables = env.clone();
        variables.extend(self.env);
        variables.retain(|name, _| !self.removed.contains(name));
        let tree = config.tree.as_ref().map(|_| cwd.clone());
        let spec = running::Spec {
            argv: argv.iter().chain(&self.arguments).cloned().collect(),
            arguments: self.arguments,
            env: variables,
            folder: folder.canonicalize().ours("looking at the program's working folder")?,
            readable: tree.into_iter().chain(readable).collect(),
            writable: self.lab.folders_for(&sandbox)?,
            programs,
            network,
            sandbox,
            within: self.within,
            reads: self.reads,
            measures: self.measures,
            transcript: self.lab.transcript().clone(),
            log_readers: self.lab.log_readers(),
            by_hand,
        };
        Running::start(spec, self.input)
    }
}

fn without_root(sandbox: &Sandbox) -> CheckResult<Sandbox> {
    let why = "it runs a program that refuses to be root, and on this system nobody else can be in the place of root";
    sandbox.without_root().map_err(|_| Failure::not_applicable(why))
}
