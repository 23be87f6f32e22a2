//! What the environment says. This file is complete.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that may differ from one start to the next.
#[derive(Debug)]
pub struct Config {
    /// The address to listen on.
    pub host: String,
    /// The port to listen on.
    pub port: u16,
    /// The folder that `/files` shows, if there is one (task 7).
    #[allow(dead_code)]
    pub files: Option<PathBuf>,
    /// How long a request head may take from its first byte to its last (task 9).
    #[allow(dead_code)]
    pub header_timeout: Duration,
}

impl Config {
    /// Reads `HOST`, `PORT`, `FILES_DIR` (or `--directory DIR`) and `HEADER_TIMEOUT_MS`.
    pub fn from_environment() -> Result<Self, String> {
        Ok(Self {
            host: env::var("HOST").unwrap_or_else(|_| "127.0.0.1".to_owned()),
            port: number("PORT", 8080)?,
            files: directory_argument().or_else(|| env::var_os("FILES_DIR").map(PathBuf::from)),
            header_timeout: Duration::from_millis(number("HEADER_TIMEOUT_MS", 10_000)?),
        })
    }
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> Result<T, String> {
    match env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name} is no number that fits: {text}")),
        Err(_) => Ok(default),
    }
}

fn directory_argument() -> Option<PathBuf> {
    let mut arguments = env::args_os().skip(1);
    arguments.find(|argument| argument == "--directory")?;
    arguments.next().map(PathBuf::from)
}
