//! The scripts of a check. Redis keeps those of all checks in one place and tells them apart by their text alone. Here each
//! check's have a text of their own, and so an identity of their own: what Redis says of them says nothing of another
//! check's, whatever has become of the command that brought them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::guards::guards;

/// The name of no script. Redis says that it does not know it.
const NO_SCRIPT: &str = "0000000000000000000000000000000000000000";
/// How many are remembered. Whoever makes more of them forgets that scripts take arguments.
const MOST: usize = 100_000;

/// A check's scripts, which all its connections share.
#[derive(Debug, Clone)]
pub(super) struct Scripts(Arc<Mutex<Known>>);

#[derive(Debug)]
struct Known {
    /// A word that no other check on this Redis has.
    check: String,
    /// How often the check has had them forgotten.
    forgotten: u64,
    /// By which name Redis knows, or would know, what the client calls by another one.
    at_redis: BTreeMap<String, String>,
    /// The other way round, of those that were forgotten too: an answer may still name them.
    at_client: BTreeMap<String, String>,
}

impl Scripts {
    /// For a check that is called `check` and by no other name; no other one is.
    pub fn new(check: &str) -> Self {
        let check = check.to_owned();
        let (at_redis, at_client) = (BTreeMap::new(), BTreeMap::new());
        Self(Arc::new(Mutex::new(Known { check, forgotten: 0, at_redis, at_client })))
    }

    /// What Redis is to be given in place of the script `text`.
    pub fn own(&self, text: &[u8]) -> Vec<u8> {
        let mut known = self.lock();
        let mark = format!("--[[{} {}]]{}", known.check, known.forgotten, guards(text));
        let own = marked(text, &mark);
        if known.at_client.len() < MOST {
            let (client, redis) = (sha1(text), sha1(&own));
            known.at_redis.insert(client.clone(), redis.clone());
            known.at_client.insert(redis, client);
        }
        own
    }

    /// The name by which Redis knows the script that the client calls `id`, if it was given it.
    pub fn named(&self, id: &[u8]) -> String {
        let name = String::from_utf8_lossy(id).to_ascii_lowercase();
        self.lock().at_redis.get(&name).cloned().unwrap_or_else(|| NO_SCRIPT.to_owned())
    }

    /// What the client calls the script that Redis calls `id`.
    pub fn shown(&self, id: &[u8]) -> Option<String> {
        self.lock().at_client.get(std::str::from_utf8(id).ok()?).cloned()
    }

    /// Has Redis know none of them any more.
    pub fn forget(&self) {
        let mut known = self.lock();
        known.forgotten += 1;
        known.at_redis.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `text` with `mark` in front of its first line of Lua. The line that names the engine has to come first; one that is alone
/// is no script for Redis, with or without a mark.
fn marked(text: &[u8], mark: &str) -> Vec<u8> {
    let at = match text.starts_with(b"#!") {
        true => text.iter().position(|&byte| byte == b'\n').map_or(text.len(), |end| end + 1),
        false => 0,
    };
    [&text[..at], mark.as_bytes(), &text[at..]].concat()
}

fn sha1(text: &[u8]) -> String {
    sha1_smol::Sha1::from(text).digest().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_of_two_checks_and_those_that_were_forgotten_are_never_the_same() {
        let (one, other) = (Scripts::new("lab_1"), Scripts::new("lab_2"));
        for text in [&b"return 1"[..], b"#!lua flags=no-writes\nreturn 1", b"#!lua", b"", b"--[[lab_2 0]]return 1"] {
            let before = one.own(text);
            assert_ne!(before, other.own(text));
            assert_eq!(one.own(text), before);
            let id = sha1(text);
            assert_eq!(one.named(id.to_uppercase().as_bytes()), sha1(&before));
            assert_eq!(one.shown(sha1(&before).as_bytes()), Some(id.clone()));
            assert_eq!(other.shown(sha1(&before).as_bytes()), None);
            one.forget();
            assert_eq!(one.named(id.as_bytes()), NO_SCRIPT);
            assert_ne!(one.own(text), before);
        }
    }

    #[test]
    fn a_script_keeps_its_lines_and_the_line_that_names_the_engine_stays_the_first() {
        assert_eq!(marked(b"return 1\nx", "--[[m]]"), b"--[[m]]return 1\nx");
        assert_eq!(marked(b"#!lua\nreturn 1", "--[[m]]"), b"#!lua\n--[[m]]return 1");
    }
}
