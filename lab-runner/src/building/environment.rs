//! What a build sees of the environment: none of cargo's own variables from the outside, and no secrets of ours.

use std::ffi::OsString;
use std::process::Command;

/// Variables that begin like cargo's and rustc's own and still belong to the user's installation: where things are,
/// and how to reach the network. Tokens are not among them.
const KEPT: [&str; 6] =
    ["CARGO_HOME", "RUSTUP_", "CARGO_HTTP_", "CARGO_NET_", "CARGO_SOURCE_", "CARGO_REGISTRIES_CRATES_IO_PROTOCOL"];
/// Variables that name services. A build needs none of them.
const SERVICES: [&str; 2] = ["DATABASE_URL", "REDIS_URL"];

/// The cargo to call: the one that called us, if one did.
pub(super) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Takes out of `command`'s environment what must not reach a build. A learner's `own` build keeps `DATABASE_URL`.
///
/// Cargo hands `CARGO_*` down to whatever it runs, us included; a nested cargo would take them for its own settings.
pub fn scrub(command: &mut Command, own: bool) {
    for (name, _) in std::env::vars_os() {
        if let Some(text) = name.to_str()
            && is_foreign(text, own)
        {
            command.env_remove(text);
        }
    }
}

fn is_foreign(name: &str, own: bool) -> bool {
    if name.starts_with("LAB_") {
        return true;
    }
    if SERVICES.contains(&name) {
        return !own;
    }
    let cargos = name.starts_with("CARGO") || name.starts_with("RUST") || name == "OUT_DIR" || name == "TARGET";
    cargos && !KEPT.iter().any(|kept| name.starts_with(kept))
}

#[cfg(test)]
mod tests {
    use super::is_foreign;

    #[test]
    fn a_build_sees_where_things_are_and_no_secrets() {
        for name in ["CARGO_HOME", "RUSTUP_TOOLCHAIN", "CARGO_HTTP_PROXY", "PATH", "HOME"] {
            assert!(!is_foreign(name, false), "{name}");
        }
        for name in ["CARGO", "CARGO_PKG_NAME", "RUSTFLAGS", "CARGO_REGISTRY_TOKEN", "LAB_POSTGRES_URL", "RUST_LOG"] {
            assert!(is_foreign(name, false), "{name}");
        }
        assert!(is_foreign("DATABASE_URL", false) && !is_foreign("DATABASE_URL", true));
    }
}
