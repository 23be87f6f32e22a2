//! The commands a server ran, and expectations on how many there were.

use std::fmt;
use std::ops::Deref;
use std::time::Instant;

use lab_check::exchanges::{Exchanges, Recordable};

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

/// Of these, what a client library says with each new connection, unasked.
const CONNECTING: [&str; 5] = ["HELLO", "AUTH", "SELECT", "CLIENT", "COMMAND"];

/// Whether the command that `text` shows belongs to a new connection, and to nothing that the server's code has asked for.
pub(super) fn is_connecting(text: &str) -> bool {
    let name = text.split(' ').next().unwrap_or_default();
    CONNECTING.contains(&name)
}

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
pub struct Commands(Exchanges<Command>);

impl Deref for Commands {
    type Target = Exchanges<Command>;

    fn deref(&self) -> &Exchanges<Command> {
        &self.0
    }
}

impl From<Exchanges<Command>> for Commands {
    fn from(exchanges: Exchanges<Command>) -> Self {
        Self(exchanges)
    }
}

impl Recordable for Command {
    const SERVICE: &'static str = "Redis";
    const NOUN: &'static str = "Redis command";

    fn counts(&self) -> bool {
        self.is_call()
    }

    fn text(&self) -> String {
        self.to_string()
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
        Self(self.counted())
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
        Self(self.iter().filter(wanted).cloned().collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn command(name: &str, args: &[&str]) -> Command {
        let args = args.iter().map(ToString::to_string).collect();
        Command { name: name.into(), args, at: Instant::now() }
    }

    #[test]
    fn a_connections_own_commands_are_not_counted() {
        let commands = [command("HELLO", &["3"]), command("GET", &["event:7"]), command("PING", &[])];
        let seen = Commands(commands.into_iter().collect());
        assert!(seen.expect(1, "").is_ok() && seen.expect(0, "it is in memory").is_err());
        assert_eq!(seen.calls().len(), 1);
    }

    #[test]
    fn a_command_shows_as_one_would_type_it() {
        assert_eq!(command("SET", &["k", "a b", "", "ü\n"]).to_string(), "SET k \"a b\" \"\" \"ü\\n\"");
    }
}
