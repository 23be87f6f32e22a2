//! What of the system every isolated program sees, whoever isolates it.

use std::path::{Path, PathBuf};

/// The name of the machine that programs see.
pub(crate) const HOST: &str = "lab";
/// Where temporary files go.
pub(crate) const TEMPORARY: &str = "/tmp";
/// What `/tmp` holds where no limit is given, and shared memory, in bytes.
pub(crate) const TEMPORARY_BYTES: u64 = 256 << 20;
/// Folders of the system at the root, which on most systems are links to folders below /usr.
const ROOTS: [&str; 6] = ["/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin"];
/// Where the system's libraries are, and the rules of time zones. Not /usr as a whole: a checkout may be in it.
const LIBRARIES: [&str; 6] =
    ["/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/local/lib", "/usr/share/zoneinfo"];
/// Where the system's programs are, and what compilers need.
const PROGRAMS: [&str; 10] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/libexec",
    "/usr/include",
    "/usr/share",
    "/usr/local/bin",
    "/usr/local/include",
    "/usr/local/libexec",
    "/usr/local/share",
    "/etc/alternatives",
];
/// How libraries are found, names resolved and certificates checked.
const SETTINGS: [&str; 9] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/localtime",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
];

/// What there is of the system on this machine.
pub(crate) struct System {
    /// Links at the root, and where they lead.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// Files and folders; some of them may not be there.
    pub paths: Vec<PathBuf>,
}

impl System {
    /// Its libraries, and with `programs` its programs as well.
    pub(crate) fn of(programs: bool) -> Self {
        let (mut links, mut paths) = (Vec::new(), Vec::new());
        for root in ROOTS.map(Path::new) {
            match root.read_link() {
                Ok(target) => links.push((root.to_owned(), target)),
                Err(_) if programs || !matches!(root.to_str(), Some("/bin" | "/sbin")) => paths.push(root.to_owned()),
                Err(_) => {}
            }
        }
        let more: &[&str] = if programs { &PROGRAMS } else { &[] };
        paths.extend(LIBRARIES.iter().chain(&SETTINGS).chain(more).map(PathBuf::from));
        Self { links, paths }
    }
}
