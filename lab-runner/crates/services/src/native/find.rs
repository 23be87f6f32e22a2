//! What the searches for programs have in common.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A program that can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// Its full path.
    pub(crate) path: PathBuf,
    /// Its product and version, such as `PostgreSQL 15.12`.
    pub(crate) name: String,
    /// The version alone, as numbers that compare.
    pub(crate) version: Vec<u32>,
}

impl Program {
    /// The version alone, as text.
    pub(crate) fn version_text(&self) -> String {
        self.version.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
    }
}

/// `15.12` or `18beta2` as numbers; text after them is dropped.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    version.split('.').map_while(|part| digits(part).parse().ok()).collect()
}

/// The folders in `PATH`.
pub(super) fn path_folders() -> Vec<PathBuf> {
    env::var_os("PATH")
        .map(|path| env::split_paths(&path).filter(|folder| folder.is_absolute()).collect())
        .unwrap_or_default()
}

pub(super) fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The folders that match `pattern`, in which one `*` stands for any part of one name.
pub(super) fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let (folder, stem) = before.rsplit_once('/').unwrap_or((".", before));
    let (_, rest) = after.split_once('/').unwrap_or((after, ""));
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(stem))
        .map(|entry| entry.path().join(rest))
        .collect()
}
