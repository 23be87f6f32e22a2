//! What a build sees of the environment: a list of what it needs, so that nothing of ours or the user's is on it by chance.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Where programs and folders are, and how they speak.
const SYSTEM: [&str; 11] =
    ["HOME", "LANG", "LANGUAGE", "LC_*", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"];
/// How compilers and linkers of other languages are called, which build scripts need.
const COMPILERS: [&str; 22] = [
    "AR",
    "AR_*",
    "AS",
    "CC",
    "CC_*",
    "CFLAGS",
    "CFLAGS_*",
    "CPATH",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "CXXFLAGS_*",
    "CXX_*",
    "C_INCLUDE_PATH",
    "DEVELOPER_DIR",
    "LD",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "MACOSX_DEPLOYMENT_TARGET",
    "PKG_CONFIG*",
    "SDKROOT",
];
/// How the network is reached.
const NETWORK: [&str; 10] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];
/// What belongs to the user's Rust installation. Tokens and flags are not among it: cargo hands `CARGO_*` down to
/// whatever it runs, us included, and a nested cargo would take them for its own settings.
const RUST: [&str; 7] = [
    "CARGO_BUILD_JOBS",
    "CARGO_HOME",
    "CARGO_HTTP_*",
    "CARGO_NET_*",
    "CARGO_REGISTRIES_CRATES_IO_PROTOCOL",
    "CARGO_SOURCE_*",
    "RUSTUP_*",
];

/// The cargo to call: the one that called us, if one did.
pub(super) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The environment of a build. A learner's `own` build sees `DATABASE_URL`, as sqlx's checked queries want it.
pub(super) fn of_build(own: bool) -> BTreeMap<OsString, OsString> {
    std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(|name| is_for_builds(name, own))).collect()
}

/// The environment of an isolated build, beside where the toolchain is: how compilers are called, and how they speak.
pub(super) fn of_isolated_build() -> BTreeMap<OsString, OsString> {
    let listed = |name: &OsString| {
        let rules = COMPILERS.iter().chain(&["LANG", "LC_*", "TZ", "CARGO_BUILD_JOBS", "RUSTUP_TOOLCHAIN"]);
        name.to_str().is_some_and(|name| rules.clone().any(|rule| is_meant(rule, name)))
    };
    std::env::vars_os().filter(|(name, _)| listed(name)).collect()
}

/// Whether `rule` means the variable `name`.
fn is_meant(rule: &str, name: &str) -> bool {
    rule.strip_suffix('*').map_or(name == rule, |beginning| name.starts_with(beginning))
}

fn is_for_builds(name: &str, own: bool) -> bool {
    let listed = |rule: &&str| is_meant(rule, name);
    let mut rules = SYSTEM.iter().chain(&COMPILERS).chain(&NETWORK).chain(&RUST);
    rules.any(listed) || (own && name == "DATABASE_URL")
}

#[cfg(test)]
mod tests {
    use super::is_for_builds;

    #[test]
    fn a_build_sees_where_things_are() {
        for name in
            ["CARGO_HOME", "RUSTUP_TOOLCHAIN", "CARGO_HTTP_PROXY", "PATH", "HOME", "https_proxy", "CC", "LC_ALL"]
        {
            assert!(is_for_builds(name, false), "{name}");
        }
    }

    #[test]
    fn a_build_sees_no_secret_and_no_setting_of_another_cargo() {
        for name in [
            "CARGO",
            "CARGO_PKG_NAME",
            "RUSTFLAGS",
            "CARGO_REGISTRY_TOKEN",
            "LAB_POSTGRES_URL",
            "RUST_LOG",
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "PGOPTIONS",
            "REDIS_URL",
        ] {
            assert!(!is_for_builds(name, false) && !is_for_builds(name, true), "{name}");
        }
        assert!(is_for_builds("DATABASE_URL", true) && !is_for_builds("DATABASE_URL", false));
    }
}
