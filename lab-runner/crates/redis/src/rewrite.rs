//! What a client's command becomes on its way, so that a shared server looks like one's own.
//!
//! Every check works in another logical database of the same server, but its server's URL names none. Databases
//! divide keys only: channels are common to all, so they get a prefix, and so are scripts, of which a check is told its own.
//! Credentials are the proxy's, not the client's.

use super::scripts::Scripts;
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
    /// The scripts that Redis was given for the check.
    pub scripts: Scripts,
}

/// Whether a command with this name is ever changed, and so must be read to its end before it is passed on.
pub(super) fn may_change(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 18] = [
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
            b"PUBSUB" => self.pubsub(name, rest),
            b"EVAL" | b"EVAL_RO" => {
                self.scripts.given(rest.first()?);
                None
            }
            b"EVALSHA" | b"EVALSHA_RO" => {
                let (id, rest) = rest.split_first()?;
                Some(written(&[&[name, self.scripts.named(id)], rest].concat()))
            }
            b"SCRIPT" => self.script(name, rest),
            _ => Some(self.prefixed(&[name], rest)),
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

    fn pubsub(&self, name: &[u8], rest: &[&[u8]]) -> Option<Vec<u8>> {
        let (question, channels) = rest.split_first()?;
        match question.to_ascii_uppercase().as_slice() {
            b"CHANNELS" | b"SHARDCHANNELS" if channels.is_empty() => {
                Some(written(&[name, question, &self.channel(b"*")]))
            }
            b"CHANNELS" | b"SHARDCHANNELS" | b"NUMSUB" | b"SHARDNUMSUB" => {
                Some(self.prefixed(&[name, question], channels))
            }
            _ => None,
        }
    }

    fn script(&self, name: &[u8], rest: &[&[u8]]) -> Option<Vec<u8>> {
        let (what, rest) = rest.split_first()?;
        match what.to_ascii_uppercase().as_slice() {
            b"LOAD" => {
                self.scripts.given(rest.first()?);
                None
            }
            b"EXISTS" => {
                let ids: Vec<&[u8]> = rest.iter().map(|id| self.scripts.named(id)).collect();
                Some(written(&[&[name, what], &ids[..]].concat()))
            }
            _ => None,
        }
    }

    fn prefixed(&self, head: &[&[u8]], channels: &[&[u8]]) -> Vec<u8> {
        let channels: Vec<Vec<u8>> = channels.iter().map(|channel| self.channel(channel)).collect();
        let all: Vec<&[u8]> = head.iter().copied().chain(channels.iter().map(Vec::as_slice)).collect();
        written(&all)
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

    fn changed(command: &str) -> Option<String> {
        let rewriter = CommandRewriter { database: "17".into(), prefix: "lab_1:".into(), scripts: Scripts::default() };
        changed_by(&rewriter, command)
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
    fn only_the_checks_own_scripts_are_known() {
        let rewriter = CommandRewriter { database: "17".into(), prefix: String::new(), scripts: Scripts::default() };
        // The SHA-1 of `return(1)`.
        let (id, none) = ("930269f31393d0be681588b6ab08dccee7d6bb67", "0".repeat(40));
        let asked = |command: &str| changed_by(&rewriter, command);
        assert_eq!(asked(&format!("evalsha {id} 0 a")).unwrap(), format!("evalsha {none} 0 a"));
        assert_eq!(asked(&format!("SCRIPT exists {id}")).unwrap(), format!("SCRIPT exists {none}"));
        assert_eq!(asked("SCRIPT LOAD return(1)"), None);
        let other = rewriter.clone();
        assert_eq!(changed_by(&other, &format!("EVALSHA {id} 0")).unwrap(), format!("EVALSHA {id} 0"));
        let upper = id.to_uppercase();
        assert_eq!(asked(&format!("SCRIPT EXISTS {upper} x")).unwrap(), format!("SCRIPT EXISTS {upper} {none}"));
        assert_eq!(changed(&format!("EVALSHA {id} 0")).unwrap(), format!("EVALSHA {none} 0"));
    }

    #[test]
    fn channels_get_a_prefix() {
        assert_eq!(changed("SUBSCRIBE a b").unwrap(), "SUBSCRIBE lab_1:a lab_1:b");
        assert_eq!(changed("punsubscribe").unwrap(), "punsubscribe");
        assert_eq!(changed("PUBLISH a text").unwrap(), "PUBLISH lab_1:a text");
        assert_eq!(changed("PUBSUB CHANNELS").unwrap(), "PUBSUB CHANNELS lab_1:*");
        assert_eq!(changed("PUBSUB numsub a b").unwrap(), "PUBSUB numsub lab_1:a lab_1:b");
        assert_eq!(changed("PUBSUB NUMPAT"), None);
    }
}
