//! What one script could leave in Redis' Lua for the next, and what is put in front of a script so that it cannot.
//!
//! All scripts share one interpreter. Its global tables are read-only, but some functions keep a setting that the next
//! script can ask for. A script reaches a global by its name alone, so that a local of the same name is all it sees; the ways
//! round that, such as `_G` and `load`, are hidden likewise. A script that has none of these words in it stays as it is.

use std::collections::BTreeSet;

/// A name, and what stands for it. None of them holds a line break: lines keep their numbers. Each is a
/// statement to its end, whatever follows.
const GUARDS: [(&str, &str); 11] = [
    // Each script has settings of its own.
    ("cjson", "local cjson=cjson.new();"),
    // What follows from a seed is not what an earlier script has chosen.
    ("math", "do local t=redis.call('time') math.randomseed(t[1]%1000*1000000+t[2]) end;"),
    // Its settings, and how much there is to collect, are everybody's.
    ("collectgarbage", "local collectgarbage=function() return 0 end;"),
    ("gcinfo", "local gcinfo=function() return 0 end;"),
    // The processor time of all scripts. Not every version has it.
    (
        "os",
        "local os=(function(o) if o then local b=o.clock() return {clock=function() return o.clock()-b end} end end)\
         (rawget(_G,'os'));",
    ),
    // That of all strings can be written to in older versions.
    (
        "getmetatable",
        "local getmetatable=(function(g) return function(x) if type(x)~='string' then return g(x) end end end)\
         (getmetatable);",
    ),
    // What these compile or give sees the globals.
    ("load", "local load;"),
    ("loadstring", "local loadstring;"),
    ("getfenv", "local getfenv;"),
    ("setfenv", "local setfenv;"),
    // The last one: others use it.
    ("_G", "local _G;"),
];

/// What has to stand in front of the script `text`.
pub(super) fn guards(text: &[u8]) -> String {
    let words: BTreeSet<&[u8]> = text.split(|byte| !is_of_a_name(*byte)).collect();
    GUARDS.iter().filter(|(name, _)| words.contains(name.as_bytes())).map(|(_, guard)| *guard).collect()
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_script_that_names_it_is_guarded_against_it() {
        assert_eq!(guards(b"local n = redis.call('incr', KEYS[1]) return n"), "");
        assert_eq!(guards(b"return{_G,load}"), "local load;local _G;");
        assert_eq!(guards(b"return reload(downloads, my_G, cost)"), "");
        assert!(guards(b"return cjson.encode(1)").starts_with("local cjson="));
        assert!(GUARDS.iter().all(|(_, guard)| guard.ends_with(';') && !guard.contains('\n')));
    }
}
