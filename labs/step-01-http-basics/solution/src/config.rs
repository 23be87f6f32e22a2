//! What the environment and the command line say.

use std::env;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that may differ from one start to the next.
#[derive(Debug)]
pub struct Config {
    /// The address to listen on.
    pub host: String,
    /// The port to listen on.
    pub port: u16,
    /// The folder that `/files` shows, if there is one.
    pub files: Option<PathBuf>,
    /// What a client may ask of us.
    pub limits: Limits,
}

/// The bounds that keep one client from taking everything.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest request line, in bytes.
    pub request_line: usize,
    /// The most header fields of one request, in bytes.
    pub header_fields: usize,
    /// The longest body, in bytes.
    pub body: usize,
    /// How long a head may take from its first byte to its last.
    pub header_timeout: Duration,
    /// How long a client may say nothing, between two requests or in the middle of a body, or not read our answer.
    pub idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_line: 8 * 1024,
            header_fields: 32 * 1024,
            body: 1024 * 1024,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

/// A setting that cannot be understood.
#[derive(Debug)]
pub struct ConfigError {
    setting: &'static str,
    expected: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.setting, self.expected)
    }
}

impl Error for ConfigError {}

impl Config {
    /// Reads `HOST`, `PORT`, `FILES_DIR` (or `--directory DIR`, which wins) and `HEADER_TIMEOUT_MS`.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let mut limits = Limits::default();
        if let Some(milliseconds) = variable("HEADER_TIMEOUT_MS", "a number of milliseconds")? {
            limits.header_timeout = Duration::from_millis(milliseconds);
        }
        Ok(Self {
            host: variable("HOST", "a name or an address")?.unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: variable("PORT", "a number from 0 to 65535")?.unwrap_or(8080),
            files: directory_argument()?.or_else(|| env::var_os("FILES_DIR").map(PathBuf::from)),
            limits,
        })
    }
}

/// The variable `setting` as what it stands for, if it is set.
fn variable<T: std::str::FromStr>(setting: &'static str, expected: &'static str) -> Result<Option<T>, ConfigError> {
    let Some(value) = env::var_os(setting) else { return Ok(None) };
    let parsed = value.to_str().and_then(|text| text.parse().ok());
    parsed.map(Some).ok_or(ConfigError { setting, expected })
}

fn directory_argument() -> Result<Option<PathBuf>, ConfigError> {
    let mut arguments = env::args_os().skip(1);
    match arguments.find(|argument| argument == "--directory") {
        None => Ok(None),
        Some(_) => match arguments.next() {
            Some(directory) => Ok(Some(PathBuf::from(directory))),
            None => Err(ConfigError { setting: "--directory", expected: "followed by a folder" }),
        },
    }
}
