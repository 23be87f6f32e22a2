//! Which channels a check's connections listen to. Redis tells of everybody's in one list, and so `PUBSUB` is answered from
//! here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The kinds of channel, which have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Channel,
    Pattern,
    Shard,
}

/// What all connections of a check listen to. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Subscriptions(Arc<Mutex<Of>>);

/// Of each connection the kind and name of its channels.
type Of = BTreeMap<u64, BTreeSet<(Kind, Vec<u8>)>>;

impl Subscriptions {
    pub fn add(&self, connection: u64, kind: Kind, names: &[&[u8]]) {
        let names = names.iter().map(|name| (kind, name.to_vec()));
        self.lock().entry(connection).or_default().extend(names);
    }

    /// Takes `names` away, or all of the kind where there are none.
    pub fn remove(&self, connection: u64, kind: Kind, names: &[&[u8]]) {
        if let Some(own) = self.lock().get_mut(&connection) {
            own.retain(|(of, name)| *of != kind || !(names.is_empty() || names.contains(&name.as_slice())));
        }
    }

    /// The connection has ended.
    pub fn end(&self, connection: u64) {
        self.lock().remove(&connection);
    }

    /// The names that anybody listens to and that match `pattern`.
    pub fn names(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<Vec<u8>> {
        let all = self.lock();
        let names: BTreeSet<&Vec<u8>> =
            all.values().flatten().filter(|(of, _)| *of == kind).map(|(_, name)| name).collect();
        names.into_iter().filter(|name| pattern.is_none_or(|pattern| matches(pattern, name))).cloned().collect()
    }

    /// How many connections listen to `name`.
    pub fn count(&self, kind: Kind, name: &[u8]) -> usize {
        let asked = (kind, name.to_vec());
        self.lock().values().filter(|own| own.contains(&asked)).count()
    }

    fn lock(&self) -> MutexGuard<'_, Of> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `name` is one that Redis' glob-style `pattern` means.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // Where to go on if what follows the last `*` does not fit: it takes one byte more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    let (mut pattern, mut name) = (pattern, name);
    loop {
        if let Some((b'*', rest)) = pattern.split_first() {
            retry = Some((rest, name));
            pattern = rest;
            continue;
        }
        let fits = match name.split_first() {
            Some((&byte, rest)) => one(pattern, byte).map(|left| (left, rest)),
            None if pattern.is_empty() => return true,
            None => return false,
        };
        (pattern, name) = match (fits, retry) {
            (Some(next), _) => next,
            (None, Some((after, from))) => {
                let Some((_, from)) = from.split_first() else { return false };
                retry = Some((after, from));
                (after, from)
            }
            (None, None) => return false,
        };
    }
}

/// What is left of `pattern`, if its first element means `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
        [] => None,
    }
}

/// The same for what follows `[`. One that is not closed ends with the pattern.
fn class(mut rest: &[u8], byte: u8) -> Option<&[u8]> {
    let negated = rest.first() == Some(&b'^');
    if negated {
        rest = &rest[1..];
    }
    let mut found = false;
    loop {
        (found, rest) = match rest {
            [] => break,
            [b']', after @ ..] => {
                rest = after;
                break;
            }
            [b'\\', literal, after @ ..] => (found || *literal == byte, after),
            [from, b'-', to, after @ ..] => (found || (*from.min(to)..=*from.max(to)).contains(&byte), after),
            [literal, after @ ..] => (found || *literal == byte, after),
        };
    }
    (found != negated).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_what_it_means_to_redis() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("news.*", "news.", true),
            ("*.news", "a.b.news", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("h?llo", "hello", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h\\*llo", "h*llo", true),
            ("h\\*llo", "hello", false),
            ("news", "newsletter", false),
            ("h[ab", "ha", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_a_connection_listens_to_counts_until_it_ends() {
        let all = Subscriptions::default();
        all.add(1, Kind::Channel, &[b"a", b"b"]);
        all.add(2, Kind::Channel, &[b"a"]);
        all.add(2, Kind::Pattern, &[b"a*"]);
        assert_eq!(all.names(Kind::Channel, None), [b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(all.names(Kind::Channel, Some(b"[b-z]")), [b"b".to_vec()]);
        assert_eq!((all.count(Kind::Channel, b"a"), all.count(Kind::Shard, b"a")), (2, 0));
        all.remove(1, Kind::Channel, &[b"b"]);
        all.remove(2, Kind::Channel, &[]);
        assert_eq!(all.names(Kind::Channel, None), [b"a".to_vec()]);
        all.end(1);
        assert!(all.names(Kind::Channel, None).is_empty());
        assert_eq!(all.names(Kind::Pattern, None), [b"a*".to_vec()]);
    }
}
