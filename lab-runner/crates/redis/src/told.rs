//! What a check is told of Redis itself where Redis would tell of everybody who uses it: numbers of commands, errors, memory
//! and connections, and names of channels. The proxy has Redis answer with a script that gives back what it is given, so that
//! the answer comes in its turn, within a transaction too.

use std::sync::Arc;

use super::wire::written;

/// What `INFO server` says that stays as it is whatever anybody does.
const FACTS: [&str; 8] =
    ["redis_version", "server_name", "valkey_version", "redis_mode", "server_mode", "os", "arch_bits", "run_id"];
/// The rest of what clients look for when they connect.
const SECTIONS: [(&str, &str); 3] = [
    ("persistence", "# Persistence\r\nloading:0\r\n\r\n"),
    ("replication", "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n"),
    ("cluster", "# Cluster\r\ncluster_enabled:0\r\n\r\n"),
];
/// Adds the check's own database, which it knows as number 0.
const INFO: &str = "\
    if not ARGV[2] then return ARGV[1] end
    local count = redis.call('DBSIZE')
    return ARGV[1] .. '# Keyspace\\r\\n' .. (count > 0 and 'db0:keys=' .. count .. '\\r\\n' or '')";

/// What `INFO` is answered with. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Facts(Arc<str>);

impl Facts {
    /// From what Redis answers to `INFO server`.
    pub fn of(info: &str) -> Self {
        let known = |line: &&str| line.split_once(':').is_some_and(|(name, _)| FACTS.contains(&name));
        let lines: String = info.lines().map(str::trim).filter(known).map(|line| format!("{line}\r\n")).collect();
        Self(format!("# Server\r\n{lines}\r\n").into())
    }

    /// The command in place of `INFO` for `sections`, or for all if there are none.
    pub fn info(&self, sections: &[&[u8]]) -> Vec<u8> {
        let wanted = |name: &str| {
            let named = |known: &str| sections.iter().any(|section| section.eq_ignore_ascii_case(known.as_bytes()));
            sections.is_empty() || named(name) || ["default", "all", "everything"].iter().any(|all| named(all))
        };
        let mut text = if wanted("server") { self.0.to_string() } else { String::new() };
        SECTIONS.iter().filter(|(name, _)| wanted(name)).for_each(|(_, section)| text += section);
        let arguments = [text.as_bytes(), b"keyspace"];
        answer(INFO, if wanted("keyspace") { &arguments } else { &arguments[..1] })
    }
}

/// The command in place of `ROLE`: the place in the stream of changes counts everybody's.
pub(super) fn role() -> Vec<u8> {
    answer("return {'master', 0, {}}", &[])
}

/// A command that is answered with a number.
pub(super) fn number(number: u64) -> Vec<u8> {
    answer("return tonumber(ARGV[1])", &[number.to_string().as_bytes()])
}

/// A command that is answered with a list.
pub(super) fn list(texts: &[Vec<u8>]) -> Vec<u8> {
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    answer("return ARGV", &texts)
}

/// A command that is answered with texts and a number for each.
pub(super) fn counts(counts: &[(&[u8], usize)]) -> Vec<u8> {
    let numbers: Vec<String> = counts.iter().map(|(_, count)| count.to_string()).collect();
    let arguments: Vec<&[u8]> =
        counts.iter().zip(&numbers).flat_map(|((text, _), number)| [*text, number.as_bytes()]).collect();
    answer("for at = 2, #ARGV, 2 do ARGV[at] = tonumber(ARGV[at]) end return ARGV", &arguments)
}

fn answer(script: &str, arguments: &[&[u8]]) -> Vec<u8> {
    let head: [&[u8]; 3] = [b"EVAL_RO", script.as_bytes(), b"0"];
    written(&[&head, arguments].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_tells_what_nobodys_doings_change() {
        let facts = Facts::of("# Server\r\nredis_version:7.0.15\r\nuptime_in_seconds:9\r\nos:Linux\r\n\r\n");
        let told = |sections: &[&[u8]]| String::from_utf8(facts.info(sections)).unwrap();
        assert!(told(&[]).contains("# Server\r\nredis_version:7.0.15\r\nos:Linux\r\n\r\n# Persistence\r\nloading:0"));
        assert!(!told(&[]).contains("uptime") && told(&[b"ALL"]) == told(&[]));
        assert!(told(&[b"Replication"]).contains("\r\n# Replication\r\nrole:master"));
        // The script has a heading in it.
        assert_eq!(told(&[b"errorstats"]).matches("# ").count(), 1);
        assert!(told(&[b"keyspace"]).ends_with("keyspace\r\n") && !told(&[b"server"]).ends_with("keyspace\r\n"));
    }
}
