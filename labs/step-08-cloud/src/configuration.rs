//! What the environment says. Whatever is missing or makes no sense ends the start. The error of a variable names it and
//! leaves its value out, which may hold a password.
//!
//! Each variable is parsed into a type that cannot hold anything else, so that nobody has to look at it again.

use std::fmt;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize, ParseIntError};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use envconfig::Envconfig;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub use database::{Database, Databases};
pub use tokens::{Tokens, User};

mod database;
mod tokens;

/// A variable that is missing or makes no sense.
pub use envconfig::Error as ConfigurationError;

/// The settings of a web server and of a worker.
#[derive(Debug, Clone, Envconfig)]
pub struct Configuration {
    /// The address to listen on.
    #[envconfig(from = "HOST", default = "127.0.0.1")]
    pub host: String,
    /// The port to listen on.
    #[envconfig(from = "PORT", default = "8080")]
    pub port: u16,
    /// What this process is.
    #[envconfig(from = "ROLE", default = "web")]
    pub role: Role,
    /// Where Postgres is.
    #[envconfig(from = "DATABASE_URL")]
    pub database: Option<Database>,
    /// Where it may be: one of them is the primary.
    #[envconfig(from = "DATABASE_URLS")]
    pub databases: Option<Databases>,
    /// Where NATS is.
    #[envconfig(from = "NATS_URL")]
    pub broker: Broker,
    /// Where the object store is.
    #[envconfig(nested)]
    pub bucket: BucketSettings,
    /// Who may ask.
    #[envconfig(from = "API_TOKENS")]
    pub tokens: Tokens,
    /// Whose word about other addresses counts.
    #[envconfig(from = "TRUSTED_PROXIES", default = "")]
    pub trusted_proxies: Addresses,
    /// How uploads are made.
    #[envconfig(nested)]
    pub uploads: UploadSettings,
    /// How often, and what, is swept.
    #[envconfig(nested)]
    pub sweeping: SweepSettings,
    /// How jobs are done.
    #[envconfig(nested)]
    pub jobs: JobSettings,
    /// How long the end may take.
    #[envconfig(from = "SHUTDOWN_TIMEOUT_MS", default = "10000")]
    pub shutdown_timeout: Milliseconds,
}

impl Configuration {
    /// Where Postgres may be.
    ///
    /// # Errors
    /// Neither variable is set.
    pub fn databases(&self) -> Result<Databases, ConfigurationError> {
        let one = || self.database.clone().map(Databases::one);
        self.databases.clone().or_else(one).ok_or(ConfigurationError::EnvVarMissing { name: "DATABASE_URL" })
    }
}

/// The object store. The names are those that SDKs read by themselves, where there are such.
#[derive(Debug, Clone, Envconfig)]
pub struct BucketSettings {
    /// Where we reach it.
    #[envconfig(from = "AWS_ENDPOINT_URL_S3")]
    pub endpoint: Url,
    /// Where our clients reach it.
    #[envconfig(from = "S3_PUBLIC_ENDPOINT")]
    pub public_endpoint: Url,
    /// Where its machines are.
    #[envconfig(from = "AWS_REGION")]
    pub region: String,
    /// Who we are.
    #[envconfig(from = "AWS_ACCESS_KEY_ID")]
    pub access_key: String,
    /// How we prove it.
    #[envconfig(from = "AWS_SECRET_ACCESS_KEY")]
    pub secret_key: Secret,
    /// What everything is in.
    #[envconfig(from = "S3_BUCKET")]
    pub name: String,
}

/// What is not shown.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// What it is, for whoever cannot do without.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

/// How uploads are made.
#[derive(Debug, Clone, Copy, Envconfig)]
pub struct UploadSettings {
    /// How long what was signed is good.
    #[envconfig(from = "UPLOAD_EXPIRES_MS", default = "600000")]
    pub expires: Milliseconds,
    /// What is larger, in bytes, is uploaded in parts.
    #[envconfig(from = "MULTIPART_ABOVE", default = "5242880")]
    pub multipart_above: NonZeroU64,
    /// How large each part is but the last.
    #[envconfig(from = "PART_SIZE", default = "5242880")]
    pub part_size: NonZeroU64,
    /// What is larger is not taken.
    #[envconfig(from = "MAX_UPLOAD_BYTES", default = "52428800")]
    pub max_bytes: NonZeroU64,
}

/// How often, and what, is swept.
#[derive(Debug, Clone, Copy, Envconfig)]
pub struct SweepSettings {
    /// From one sweep to the next.
    #[envconfig(from = "SWEEP_EVERY_MS", default = "60000")]
    pub every: Milliseconds,
    /// How long something must have been of no use.
    #[envconfig(from = "SWEEP_AFTER_MS", default = "3600000")]
    pub after: Milliseconds,
    /// How long the one that sweeps may be silent before another takes its place.
    #[envconfig(from = "LEASE_MS", default = "10000")]
    pub lease: Milliseconds,
}

/// How jobs are done.
#[derive(Debug, Clone, Copy, Envconfig)]
pub struct JobSettings {
    /// How long a worker may be silent before its job is given to another.
    #[envconfig(from = "JOB_ACK_WAIT_MS", default = "30000")]
    pub ack_wait: Milliseconds,
    /// From a failed try to the next.
    #[envconfig(from = "JOB_RETRY_MS", default = "1000")]
    pub retry: Milliseconds,
    /// After how many failed tries nobody tries again.
    #[envconfig(from = "JOB_MAX_TRIES", default = "5")]
    pub max_tries: NonZeroU32,
    /// How long printing takes.
    #[envconfig(from = "JOB_WORK_MS", default = "0")]
    pub work_ms: u64,
    /// How many jobs one worker has in hand at once.
    #[envconfig(from = "WORKER_CONCURRENCY", default = "4")]
    pub concurrency: NonZeroUsize,
}

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It answers clients.
    Web,
    /// It prints tickets, and sweeps.
    Worker,
}

/// A role that nobody has.
#[derive(Debug, thiserror::Error)]
#[error("the roles are web and worker")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text {
            "web" => Ok(Self::Web),
            "worker" => Ok(Self::Worker),
            _ => Err(UnknownRole),
        }
    }
}

/// Where NATS is. The client does not read names and passwords from the address, so that they are kept apart.
#[derive(Clone)]
pub struct Broker {
    /// Without name and password, so that it may be shown.
    pub address: async_nats::ServerAddr,
    /// As whom to connect, if it matters.
    pub login: Option<(String, Secret)>,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broker({}:{})", self.address.host(), self.address.port())
    }
}

impl FromStr for Broker {
    type Err = std::io::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let given: async_nats::ServerAddr = text.parse()?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login = given.username().map(|name| {
            let password = given.password().unwrap_or_default();
            (decoded(name), Secret(decoded(password).into()))
        });
        let address = format!("{}://{}:{}", given.scheme(), given.host(), given.port()).parse()?;
        Ok(Self { address, login })
    }
}

/// Addresses with commas between them; none is fine.
#[derive(Debug, Clone, Default)]
pub struct Addresses(Vec<IpAddr>);

impl Addresses {
    /// Whether `address` is one of them. An IPv4 address is the same in IPv6's clothes.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Addresses {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
        texts
            .map(|text| text.parse::<IpAddr>().map(|address| address.to_canonical()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// A time that is not zero.
#[derive(Debug, Clone, Copy)]
pub struct Milliseconds(NonZeroU64);

impl Milliseconds {
    /// As the standard library has it.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0.get())
    }
}

impl FromStr for Milliseconds {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What `backup` needs to know.
#[derive(Debug, Clone, Envconfig)]
pub struct BackupSettings {
    /// The cluster, by a role that may replicate.
    #[envconfig(from = "DATABASE_URL")]
    pub database: Database,
    /// Where Postgres's programs are.
    #[envconfig(from = "PG_BIN")]
    pub programs: PathBuf,
    /// Where the backup goes.
    #[envconfig(from = "BACKUP_DIR")]
    pub backup: PathBuf,
}

/// What `restore` needs to know.
#[derive(Debug, Clone, Envconfig)]
pub struct RestoreSettings {
    /// Which database is wanted, and as whom.
    #[envconfig(from = "DATABASE_URL")]
    pub database: Database,
    /// Where Postgres's programs are.
    #[envconfig(from = "PG_BIN")]
    pub programs: PathBuf,
    /// Where the backup is.
    #[envconfig(from = "BACKUP_DIR")]
    pub backup: PathBuf,
    /// Where the cluster has kept its log.
    #[envconfig(from = "WAL_ARCHIVE")]
    pub archive: PathBuf,
    /// Where the restored cluster goes.
    #[envconfig(from = "RESTORE_DIR")]
    pub target: PathBuf,
}
