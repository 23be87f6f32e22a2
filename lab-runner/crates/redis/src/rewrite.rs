//! What a client's command becomes on its way, so that a shared server looks like one's own.
//!
//! Every check works in another logical database of the same server, but its server's URL names none. Databases
//! divide keys only: channels are common to all, so they get a prefix, and so are scripts, which get a mark of the check's.
//! What Redis would tell of everybody is answered with the check's own. Credentials are the proxy's, not the client's.

use super::scripts::Scripts;
use super::subscriptions::{Kind, Subscriptions};
use super::told::{self, Facts};
use super::wire::{Arguments, written};

/// A database that no server has. The check's user may select it, and is told that there is no such database, as
/// Redis would say, and not that it is forbidden.
pub(super) const NO_DATABASE: &str = "1000000000";

/// What one connection's commands are made to mean.
#[derive(Debug, Clone)]
pub(super) struct CommandRewriter {
    /// The number of the check's own database.
    pub database: String,
    /// What the names of its channels begin with.
    pub prefix: String,
    /// The check's scripts.
    pub scripts: Scripts,
    /// What the check's connections listen to.
    pub subscriptions: Subscriptions,
    /// What is told of Redis itself.
    pub facts: Facts,
    /// The number of the connection in its check.
    pub connection: u64,
}

/// Whether a command with this name is ever changed, and so must be read to its end before it is passed on.
pub(super) fn may_change(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 21] = [
        b"SELECT",
        b"AUTH",
        b"HELLO",
        b"RESET",
        b"SUBSCRIBE",
        b"UNSUBSCRIBE",
        b"PSUBSCRIBE",
        b"PUNSUBSCRIBE",
        b"SSUBSCRIBE",
        b"SUNSUBSCRIBE",
        b"PUBLISH",
        b"SPUBLISH",
        b"PUBSUB",
        b"EVAL",
        b"EVAL_RO",
        b"EVALSHA",
        b"EVALSHA_RO",
        b"SCRIPT",
        b"INFO",
        b"ROLE",
        b"CLIENT",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl CommandRewriter {
    /// What is passed on in place of a command, if it is changed.
    pub fn changed(&self, arguments: &Arguments) -> Option<Vec<u8>> {
        let list: Vec<&[u8]> = arguments.list.iter().map(Vec::as_slice).collect();
        let (name, rest) = list.split_first()?;
        if !arguments.whole || !may_change(name) {
            return None;
        }
        match name.to_ascii_uppercase().as_slice() {
            b"SELECT" => match rest {
                [b"0"] => Some(written(&[name, self.database.as_bytes()])),
                [_] => Some(written(&[name, NO_DATABASE.as_bytes()])),
                _ => None,
            },
            b"AUTH" => self.auth(rest),
            b"HELLO" => Some(hello(name, rest)),
            // It would leave the connection without user and database.
            b"RESET" => Some(written(&[b"RESET-is-not-available-in-the-labs"])),
            b"PUBLISH" | b"SPUBLISH" => match rest {
                [channel, message] => Some(written(&[name, &self.channel(channel), message])),
                _ => None,
            },
            b"PUBSUB" => self.pubsub(rest),
            b"EVAL" | b"EVAL_RO" => {
                let (text, rest) = rest.split_first()?;
                Some(written(&[&[name, self.scripts.own(text).as_slice()], rest].concat()))
            }
            b"EVALSHA" | b"EVALSHA_RO" => {
                let (id, rest) = rest.split_first()?;
                Some(written(&[&[name, self.scripts.named(id).as_bytes()], rest].concat()))
            }
            b"SCRIPT" => self.script(name, rest),
            b"INFO" => Some(self.facts.info(rest)),
            b"ROLE" if rest.is_empty() => Some(told::role()),
            b"CLIENT" => match rest {
                [what] if what.eq_ignore_ascii_case(b"ID") => Some(told::number(self.connection)),
                _ => None,
            },
            b"SUBSCRIBE" | b"UNSUBSCRIBE" => Some(self.subscription(name, Kind::Channel, rest)),
            b"PSUBSCRIBE" | b"PUNSUBSCRIBE" => Some(self.subscription(name, Kind::Pattern, rest)),
            b"SSUBSCRIBE" | b"SUNSUBSCRIBE" => Some(self.subscription(name, Kind::Shard, rest)),
            _ => None,
        }
    }

    /// A password is not needed, and one that a client sends all the same is as good as none. SELECT answers `OK`
    /// like AUTH, and changes nothing. Another user than the default one does not exist.
    fn auth(&self, rest: &[&[u8]]) -> Option<Vec<u8>> {
        match rest {
            [_] => {}
            [user, _] if user.eq_ignore_ascii_case(b"default") => {}
            _ => return None,
        }
        Some(written(&[b"SELECT", self.database.as_bytes()]))
    }

    fn subscription(&self, name: &[u8], kind: Kind, channels: &[&[u8]]) -> Vec<u8> {
        match name.to_ascii_uppercase().windows(2).any(|letters| letters == b"UN") {
            true => self.subscriptions.remove(self.connection, kind, channels),
            false => self.subscriptions.add(self.connection, kind, channels),
        }
        let channels: Vec<Vec<u8>> = channels.iter().map(|channel| self.channel(channel)).collect();
        let all: Vec<&[u8]> = [name].into_iter().chain(channels.iter().map(Vec::as_slice)).collect();
        written(&all)
    }

    fn pubsub(&self, rest: &[&[u8]]) -> Option<Vec<u8>> {
        let (question, channels) = rest.split_first()?;
        let own = &self.subscriptions;
        let counts =
            |kind| told::counts(&channels.iter().map(|name| (*name, own.count(kind, name))).collect::<Vec<_>>());
        match (question.to_ascii_uppercase().as_slice(), channels) {
            (b"CHANNELS", [] | [_]) => Some(told::list(&own.names(Kind::Channel, channels.first().copied()))),
            (b"SHARDCHANNELS", [] | [_]) => Some(told::list(&own.names(Kind::Shard, channels.first().copied()))),
            (b"NUMSUB", _) => Some(counts(Kind::Channel)),
            (b"SHARDNUMSUB", _) => Some(counts(Kind::Shard)),
            (b"NUMPAT", []) => Some(told::number(own.names(Kind::Pattern, None).len() as u64)),
            _ => None,
        }
    }

    fn script(&self, name: &[u8], rest: &[&[u8]]) -> Option<Vec<u8>> {
        let (what, rest) = rest.split_first()?;
        match what.to_ascii_uppercase().as_slice() {
            b"LOAD" => {
                let (text, rest) = rest.split_first()?;
                Some(written(&[&[name, *what, self.scripts.own(text).as_slice()], rest].concat()))
            }
            // Valkey shows a script's text, too.
            b"EXISTS" | b"SHOW" => {
                let ids: Vec<String> = rest.iter().map(|id| self.scripts.named(id)).collect();
                let ids: Vec<&[u8]> = ids.iter().map(String::as_bytes).collect();
                Some(written(&[&[name, *what], &ids[..]].concat()))
            }
            _ => None,
        }
    }

    fn channel(&self, name: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), name].concat()
    }
}

/// HELLO without its credentials: the connection is logged in already.
fn hello(name: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    let mut kept = vec![name];
    let mut words = rest.iter().copied();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(b"AUTH") {
            words.nth(1);
        } else {
            kept.push(word);
            if word.eq_ignore_ascii_case(b"SETNAME") {
                kept.extend(words.next());
            }
        }
    }
    written(&kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewriter() -> CommandRewriter {
        CommandRewriter {
            database: "17".into(),
            prefix: "lab_1:".into(),
            scripts: Scripts::new("lab_1"),
            subscriptions: Subscriptions::default(),
            facts: Facts::of("redis_version:7.0.15\r\n"),
            connection: 4,
        }
    }

    fn changed(command: &str) -> Option<String> {
        changed_by(&rewriter(), command)
    }

    fn changed_by(rewriter: &CommandRewriter, command: &str) -> Option<String> {
        let list = command.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let bytes = rewriter.changed(&Arguments { list, whole: true })?;
        let lines = String::from_utf8(bytes).unwrap();
        Some(lines.lines().skip(2).step_by(2).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_only_database_is_number_0() {
        assert_eq!(changed("select 0").unwrap(), "select 17");
        assert_eq!(changed("SELECT 17").unwrap(), "SELECT 1000000000");
        assert_eq!(changed("GET 0"), None);
    }

    #[test]
    fn credentials_never_reach_the_server() {
        assert_eq!(changed("AUTH secret").unwrap(), "SELECT 17");
        assert_eq!(changed("auth default secret").unwrap(), "SELECT 17");
        assert_eq!(changed("AUTH somebody secret"), None);
        assert_eq!(changed("HELLO 3 AUTH default secret SETNAME x").unwrap(), "HELLO 3 SETNAME x");
        assert_eq!(changed("hello 3 setname auth").unwrap(), "hello 3 setname auth");
        assert_eq!(changed("HELLO").unwrap(), "HELLO");
        assert!(changed("RESET").unwrap().starts_with("RESET-is-not"));
    }

    #[test]
    fn a_script_is_passed_on_as_the_checks_own_and_found_by_the_name_that_the_client_knows() {
        let rewriter = rewriter();
        // The SHA-1 of `return(1)`, and that of no script.
        let (id, none) = ("930269f31393d0be681588b6ab08dccee7d6bb67", "0".repeat(40));
        let asked = |command: &str| changed_by(&rewriter, command).unwrap();
        assert_eq!(asked(&format!("evalsha {id} 0 a")), format!("evalsha {none} 0 a"));
        assert_eq!(asked(&format!("SCRIPT exists {id}")), format!("SCRIPT exists {none}"));
        let loaded = asked("SCRIPT LOAD return(1)");
        let own = loaded.strip_prefix("SCRIPT LOAD ").unwrap();
        assert!(own != "return(1)" && own.ends_with("return(1)"), "{own}");
        assert_eq!(asked("eval return(1) 0 a"), format!("eval {own} 0 a"));
        let name = sha1_smol::Sha1::from(own).digest().to_string();
        assert_eq!(asked(&format!("EVALSHA_RO {id} 0")), format!("EVALSHA_RO {name} 0"));
        let upper = id.to_uppercase();
        assert_eq!(asked(&format!("SCRIPT EXISTS {upper} x")), format!("SCRIPT EXISTS {name} {none}"));
        assert_eq!(changed(&format!("EVALSHA {id} 0")).unwrap(), format!("EVALSHA {none} 0"));
        assert_eq!(asked(&format!("EVALSHA {name} 0")), format!("EVALSHA {none} 0"), "it has one name");
    }

    #[test]
    fn what_redis_counts_for_everybody_is_answered_with_the_checks_own() {
        assert_eq!(changed("CLIENT ID").unwrap(), "EVAL_RO return tonumber(ARGV[1]) 0 4");
        assert_eq!(changed("client setname x"), None);
        assert!(changed("ROLE").unwrap().starts_with("EVAL_RO return {'master'"));
        for sections in ["", " all", " errorstats"] {
            assert!(changed(&format!("INFO{sections}")).unwrap().starts_with("EVAL_RO "), "{sections}");
        }
    }

    #[test]
    fn channels_get_a_prefix_and_are_told_to_their_check() {
        let rewriter = rewriter();
        let asked = |command: &str| changed_by(&rewriter, command).unwrap();
        assert_eq!(asked("SUBSCRIBE a b"), "SUBSCRIBE lab_1:a lab_1:b");
        assert_eq!(asked("PUBLISH a text"), "PUBLISH lab_1:a text");
        assert_eq!(asked("PUBSUB CHANNELS"), "EVAL_RO return ARGV 0 a b");
        assert_eq!(asked("PUBSUB channels [b-z]"), "EVAL_RO return ARGV 0 b");
        assert!(asked("PUBSUB numsub a c").ends_with("return ARGV 0 a 1 c 0"));
        assert_eq!(asked("unsubscribe"), "unsubscribe");
        assert_eq!(asked("psubscribe a*"), "psubscribe lab_1:a*");
        assert_eq!(asked("PUBSUB CHANNELS"), "EVAL_RO return ARGV 0");
        assert!(asked("PUBSUB NUMPAT").ends_with(" 0 1"));
        assert_eq!(changed_by(&rewriter, "PUBSUB HELP"), None);
    }
}
