//! What an isolated build needs of the user's Rust installation: the toolchain that would have been used, the sources of
//! dependencies, and the settings that say where these come from. No token is among it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use camino::Utf8Path;
use toml::{Table, Value};

use super::environment;

/// The parts of cargo's settings that a build without a network and without secrets can use.
const SETTINGS: [&str; 3] = ["source", "net", "patch"];

/// Where a build's tools and sources are.
#[derive(Debug, Clone)]
pub(super) struct Toolchain {
    /// The toolchain's folder.
    root: PathBuf,
    /// Cargo's own folder.
    home: PathBuf,
    /// The user's settings of cargo, without what is not for submissions.
    pub settings: Option<String>,
    /// Folders with sources that the settings name.
    vendored: Vec<PathBuf>,
}

impl Toolchain {
    /// The one that builds what stands in `folder`.
    ///
    /// # Errors
    /// There is no compiler.
    pub(super) fn of(folder: &Utf8Path) -> std::io::Result<Self> {
        let mut rustc = Command::new("rustc");
        rustc.env_clear().envs(environment::of_build(false)).current_dir(folder).stdin(Stdio::null());
        let output = rustc.args(["--print", "sysroot"]).output()?;
        let root = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || root.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(std::io::Error::other(format!("`rustc --print sysroot` failed: {said}")));
        }
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let user = std::env::var_os("HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(user?.join(".cargo"))).unwrap_or_default();
        let settings = ["config.toml", "config"].iter().find_map(|name| std::fs::read_to_string(home.join(name)).ok());
        let settings = settings.and_then(|text| toml::from_str::<Table>(&text).ok()).map(harmless);
        let vendored = settings.as_ref().map(folders).unwrap_or_default();
        Ok(Self { root: root.into(), home, settings: settings.map(|table| table.to_string()), vendored })
    }

    /// The toolchain's own cargo, or the system's.
    pub(super) fn cargo(&self) -> OsString {
        let own = self.root.join("bin/cargo");
        if own.is_file() { own.into() } else { "cargo".into() }
    }

    /// The variables by which cargo finds all this.
    pub(super) fn variables(&self) -> [(&'static str, OsString); 3] {
        let mut path = self.root.join("bin").into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        [("PATH", path), ("CARGO_HOME", self.home.clone().into()), ("CARGO_NET_OFFLINE", "true".into())]
    }

    /// What a build reads of it.
    pub(super) fn readable(&self) -> Vec<PathBuf> {
        let mut all = vec![self.home.join("registry"), self.home.join("git")];
        // A system's own toolchain is below /usr, which is shown anyway, and not as a whole.
        if self.root != Path::new("/usr") {
            all.push(self.root.clone());
        }
        all.extend(self.vendored.clone());
        all
    }
}

/// What is left of `settings`.
fn harmless(mut settings: Table) -> Table {
    settings.retain(|key, _| SETTINGS.contains(&key));
    settings
}

/// The folders in which `settings` say that sources are.
fn folders(settings: &Table) -> Vec<PathBuf> {
    let sources = settings.get("source").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let named = |source: &Value| {
        let folder = source.get("directory").or_else(|| source.get("local-registry"))?;
        folder.as_str().map(PathBuf::from)
    };
    sources.filter_map(named).filter(|folder| folder.is_absolute()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_shown_where_sources_are_and_no_token() {
        let settings = "[registry]\ntoken = 'secret'\n[registries.own]\ntoken = 'secret'\n[build]\nrustc-wrapper = 'x'\n\
                        [source.crates-io]\nreplace-with = 'own'\n[source.own]\ndirectory = '/srv/vendor'\n";
        let left = harmless(toml::from_str(settings).unwrap());
        assert_eq!(folders(&left), [PathBuf::from("/srv/vendor")]);
        let left = left.to_string();
        assert!(left.contains("replace-with") && !left.contains("secret") && !left.contains("wrapper"), "{left}");
    }
}
