//! What the programs that we start see of the user's environment, a list for each kind of program: no other setting,
//! such as `PGOPTIONS`, reaches a service or decides how it is made.

use std::process::Command;

use lab_process::restrict_environment;

/// What a program is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A server of ours, or what makes its data: nothing but where programs and libraries are.
    Server,
    /// A download with the user's own pip or uv, and so with the user's index, proxy and certificates.
    Download,
    /// The system's package manager.
    Packages,
    /// Cargo and rustc.
    Toolchain,
    /// The program that starts containers.
    ContainerHelper,
}

const PLACES: &[&str] = &["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];
const USER: &[&str] = &["HOME", "USER", "LOGNAME", "LANG", "LC_*", "TMPDIR", "XDG_*"];
const NETWORK: &[&str] = &[
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
const PYTHON: &[&str] = &[
    "PIP_*",
    "UV_*",
    "PYENV_*",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "CONDA_*",
    "NETRC",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];
/// Where the toolchain is, how it reaches the network, and how the user has it link. Tokens are not among them, nor
/// what cargo tells the programs that it runs, us included.
const RUST: &[&str] = &[
    "CARGO_HOME",
    "CARGO_HTTP_*",
    "CARGO_NET_*",
    "CARGO_SOURCE_*",
    "CARGO_REGISTRIES_CRATES_IO_PROTOCOL",
    "CARGO_BUILD_JOBS",
    "RUSTUP_*",
    "CC",
    "CXX",
    "AR",
    "CFLAGS",
    "LDFLAGS",
    "LIBRARY_PATH",
    "PKG_CONFIG*",
    "SDKROOT",
    "DEVELOPER_DIR",
    "MACOSX_DEPLOYMENT_TARGET",
];
const ENGINE: &[&str] = &["DOCKER_CONFIG", "DOCKER_API_VERSION", "DOCKER_AUTH_CONFIG"];

/// Clears `command`'s environment but for what a program of this `purpose` needs.
pub(crate) fn restrict(command: &mut Command, purpose: Purpose) {
    let lists: &[&[&str]] = match purpose {
        Purpose::Server => &[PLACES],
        Purpose::Download => &[PLACES, USER, NETWORK, PYTHON],
        Purpose::Packages => &[PLACES, USER, NETWORK],
        Purpose::Toolchain => &[PLACES, USER, NETWORK, RUST],
        Purpose::ContainerHelper => &[PLACES, USER, NETWORK, ENGINE],
    };
    restrict_environment(command, &lists.concat());
    if purpose == Purpose::Server {
        // Messages that we search, and times that we compare, are the same for everybody.
        command.env("LC_ALL", "C").env("TZ", "UTC");
    }
}
