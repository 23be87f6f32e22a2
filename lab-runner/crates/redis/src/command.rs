//! The commands a server ran, and expectations on how many there were.

use std::fmt;
use std::ops::Deref;
use std::time::Instant;

use lab_check::{CheckResult, Failure};

/// How many commands a failure lists.
const MOST_LISTED: usize = 12;

/// One command that reached Redis.
///
/// ```
/// # use lab_redis::LabRedis as _;
/// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
/// for command in lab.redis().await?.commands().iter() {
///     lab.note(format!("{} {}", command.name, command.args.join(" ")));
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its name in capitals, such as `SET`.
    pub name: String,
    /// Its arguments as text, each cut at 200 bytes.
    pub args: Vec<String>,
    /// When it arrived. Comparable with the `at` of an SQL statement.
    pub at: Instant,
}

/// What a client says on its own account, so that it is connected at all.
const HOUSEKEEPING: [&str; 11] =
    ["HELLO", "AUTH", "SELECT", "CLIENT", "PING", "ECHO", "QUIT", "RESET", "COMMAND", "MULTI", "EXEC"];

impl Command {
    /// Whether it reads or writes data. Not counted are a connection's own commands (`HELLO`, `AUTH`, `SELECT`,
    /// `CLIENT`, `PING`, …) and the `MULTI` and `EXEC` around others.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let calls = lab.redis().await?.commands().iter().filter(|command| command.is_call()).count();
    /// # Ok(()) }
    /// ```
    pub fn is_call(&self) -> bool {
        !HOUSEKEEPING.contains(&self.name.as_str())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for argument in &self.args {
            let plain = !argument.is_empty() && argument.chars().all(|c| c.is_ascii_graphic() && c != '"');
            if plain { write!(f, " {argument}")? } else { write!(f, " {argument:?}")? }
        }
        Ok(())
    }
}

/// Commands in the order of their arrival.
///
/// ```
/// # use lab_redis::LabRedis as _;
/// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
/// let commands = lab.redis().await?.commands();
/// lab.note(format!("{} commands, {} of them calls", commands.len(), commands.calls().len()));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Commands {
    kept: Vec<Command>,
    /// How many more there were, of which nothing is kept. They are taken for calls.
    unkept: usize,
}

impl Deref for Commands {
    type Target = [Command];

    fn deref(&self) -> &[Command] {
        &self.kept
    }
}

impl FromIterator<Command> for Commands {
    fn from_iter<I: IntoIterator<Item = Command>>(commands: I) -> Self {
        Self { kept: commands.into_iter().collect(), unkept: 0 }
    }
}

impl Commands {
    /// Those that read or write data: see [`Command::is_call`].
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let calls = lab.redis().await?.commands().calls();
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn calls(&self) -> Self {
        let calls: Self = self.kept.iter().filter(|command| command.is_call()).cloned().collect();
        calls.and_unkept(self.unkept)
    }

    /// The same, and as many more that were not kept.
    pub(super) fn and_unkept(self, unkept: usize) -> Self {
        Self { unkept: self.unkept + unkept, ..self }
    }

    /// Those with one of `names`, such as `["KEYS", "SCAN"]`.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let listing = lab.redis().await?.commands().named(&["KEYS"]);
    /// expect_that(listing.is_empty(), "KEYS stops Redis while it looks through every key")?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn named(&self, names: &[&str]) -> Self {
        let wanted = |command: &&Command| names.iter().any(|name| command.name.eq_ignore_ascii_case(name));
        self.kept.iter().filter(wanted).cloned().collect()
    }

    /// Expects exactly `count` calls, because of `why`.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.redis().await?.record(app.get("/events/7")).await?;
    /// seen.commands.expect(1, "one GET finds what the cache holds")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the commands that were seen.
    pub fn expect(&self, count: usize, why: &str) -> CheckResult {
        self.expect_count(&format!("{} to reach Redis", counted(count)), why, |seen| seen == count)
    }

    /// Expects no more than `count` calls, because of `why`.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.redis().await?.record(app.get("/events")).await?;
    /// seen.commands.expect_at_most(2, "many keys are read with one MGET")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the commands that were seen.
    pub fn expect_at_most(&self, count: usize, why: &str) -> CheckResult {
        self.expect_count(&format!("at most {} to reach Redis", counted(count)), why, |seen| seen <= count)
    }

    /// Expects `count` calls or more, because of `why`.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.redis().await?.record(app.get("/events/7")).await?;
    /// seen.commands.expect_at_least(1, "the cache is looked into")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the commands that were seen.
    pub fn expect_at_least(&self, count: usize, why: &str) -> CheckResult {
        self.expect_count(&format!("at least {} to reach Redis", counted(count)), why, |seen| seen >= count)
    }

    fn expect_count(&self, expected: &str, why: &str, holds: impl FnOnce(usize) -> bool) -> CheckResult {
        let calls = self.calls();
        let count = calls.len() + calls.unkept;
        if holds(count) {
            return Ok(());
        }
        let seen = counted(count);
        Err(Failure::learner(format!("{seen} reached Redis")).expected(expected).actual(calls.listed()).because(why))
    }

    fn listed(&self) -> String {
        let mut list = counted(self.len() + self.unkept);
        for command in self.kept.iter().take(MOST_LISTED) {
            list.push_str(&format!("\n  {command}"));
        }
        if self.len() > MOST_LISTED {
            list.push_str(&format!("\n  and {} more", self.len() - MOST_LISTED));
        }
        if self.unkept > 0 {
            list.push_str(&format!("\n  and {} of which only the number was kept", self.unkept));
        }
        list
    }
}

/// What a piece of a check came to, and the commands that reached Redis meanwhile.
///
/// ```
/// # use lab_redis::LabRedis as _;
/// # use lab_kit::prelude::*;
/// use lab_redis::Recorded;
/// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
/// let Recorded { value, commands } = lab.redis().await?.record(app.get("/events/7")).await?;
/// value.expect_status(200)?;
/// commands.expect_at_least(1, "the cache is looked into")?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Recorded<T> {
    /// What was awaited.
    pub value: T,
    /// The commands that arrived meanwhile, from every connection of the check's servers.
    pub commands: Commands,
}

impl<T> Recorded<T> {
    /// [`Commands::expect`] on what was recorded.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.redis().await?.record(app.get("/events/7")).await?;
    /// seen.expect_commands(1, "one GET finds what the cache holds")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the commands that were seen.
    pub fn expect_commands(&self, count: usize, why: &str) -> CheckResult {
        self.commands.expect(count, why)
    }

    /// [`Commands::expect_at_most`] on what was recorded.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.redis().await?.record(app.get("/events")).await?;
    /// seen.expect_commands_at_most(2, "many keys are read with one MGET")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the commands that were seen.
    pub fn expect_commands_at_most(&self, count: usize, why: &str) -> CheckResult {
        self.commands.expect_at_most(count, why)
    }

    /// [`Commands::expect_at_least`] on what was recorded.
    ///
    /// ```
    /// # use lab_redis::LabRedis as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.redis().await?.record(app.get("/events/7")).await?;
    /// seen.expect_commands_at_least(1, "the cache is looked into")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the commands that were seen.
    pub fn expect_commands_at_least(&self, count: usize, why: &str) -> CheckResult {
        self.commands.expect_at_least(count, why)
    }
}

fn counted(count: usize) -> String {
    match count {
        0 => "no Redis command".into(),
        1 => "1 Redis command".into(),
        _ => format!("{count} Redis commands"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(name: &str, args: &[&str]) -> Command {
        let args = args.iter().map(ToString::to_string).collect();
        Command { name: name.into(), args, at: Instant::now() }
    }

    #[test]
    fn a_connections_own_commands_are_not_counted() {
        let seen: Commands =
            [command("HELLO", &["3"]), command("GET", &["event:7"]), command("PING", &[])].into_iter().collect();
        assert!(seen.expect(1, "").is_ok());
        let Err(Failure::Learner(explanation)) = seen.expect(0, "it is in memory") else { panic!() };
        assert_eq!(explanation.message, "1 Redis command reached Redis");
        assert_eq!(explanation.actual.unwrap(), "1 Redis command\n  GET event:7");
    }

    #[test]
    fn a_command_shows_as_one_would_type_it() {
        assert_eq!(command("SET", &["k", "a b", "", "ü\n"]).to_string(), "SET k \"a b\" \"\" \"ü\\n\"");
    }
}
