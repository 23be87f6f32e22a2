//! What a program that we start sees of our environment.

use std::ffi::OsStr;
use std::process::Command;

/// Clears `command`'s environment but for the variables of ours that `allowed` names. A name that ends with `*` stands
/// for all that begin so.
///
/// A setting of the user's can change what any program does (`PGOPTIONS`, `GIT_DIR`, `PYTHONSTARTUP`), so what is let
/// through is a list, and what is not on it is not.
pub fn restrict_environment(command: &mut Command, allowed: &[&str]) {
    command.env_clear();
    command.envs(std::env::vars_os().filter(|(name, _)| is_allowed(name, allowed)));
}

fn is_allowed(name: &OsStr, allowed: &[&str]) -> bool {
    let Some(name) = name.to_str() else { return false };
    allowed.iter().any(|rule| match rule.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *rule,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_passes() {
        let allowed = ["PATH", "PIP_*"];
        for name in ["PATH", "PIP_INDEX_URL", "PIP_"] {
            assert!(is_allowed(OsStr::new(name), &allowed), "{name}");
        }
        for name in ["PATHS", "PGOPTIONS", "XPIP_INDEX_URL", "path"] {
            assert!(!is_allowed(OsStr::new(name), &allowed), "{name}");
        }
    }
}
