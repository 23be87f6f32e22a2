//! Isolation by bubblewrap (bwrap(1)): namespaces of the program's own, made anew for each start, without a daemon.
//!
//! As root the program is given a user id of its own by setpriv(1), in the machine's user namespace: paths that only root
//! may pass, such as /root, can then still be shown to it. Anybody else has bubblewrap make a user namespace; the program
//! is then the same user outside, but has rights over nothing there, and sees nobody.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::confinement::{Confinement, View};
use crate::platform::{PROCESSES, SHARED_MEMORY};
use crate::view::{HOST, System, TEMPORARY, TEMPORARY_BYTES};

/// The programs that isolation is made of.
#[derive(Debug)]
pub(crate) struct Programs {
    pub bubblewrap: PathBuf,
    pub setpriv: PathBuf,
    pub prlimit: PathBuf,
}

impl Programs {
    /// The programs, as `PATH` has them.
    pub(crate) fn find() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<Programs>> = OnceLock::new();
        let find = || {
            let [bubblewrap, setpriv, prlimit] = ["bwrap", "setpriv", "prlimit"].map(on_path);
            Some(Programs { bubblewrap: bubblewrap?, setpriv: setpriv?, prlimit: prlimit? })
        };
        FOUND.get_or_init(find).as_ref()
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// A command that runs `program`, as `user` if one is given, with what `confinement` gives it.
pub(crate) fn command(
    programs: &Programs,
    program: &OsStr,
    confinement: &Confinement,
    user: Option<u32>,
    options: Vec<OsString>,
) -> Command {
    let mut command = Command::new(&programs.bubblewrap);
    command.args(options);
    command.args(namespaces(user.is_some(), confinement.network.is_some()));
    command.args(view(confinement, &[&programs.setpriv, &programs.prlimit]));
    command.arg("--chdir").arg(&confinement.folder).arg("--");
    if let Some(user) = user {
        let id = user.to_string();
        command.arg(&programs.setpriv).args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
        command.args(["--inh-caps=-all", "--bounding-set=-all", "--ambient-caps=-all"]);
    }
    if let Some(processes) = confinement.limits.processes {
        command.arg(&programs.prlimit).arg(format!("--nproc={processes}:{processes}"));
    }
    command.arg(program);
    command.env_clear().envs(&confinement.environment).env("HOME", TEMPORARY).env("TMPDIR", TEMPORARY);
    command.current_dir("/");
    command
}

/// Everything of its own, and nothing that could be used to get out of it.
fn namespaces(as_root: bool, network: bool) -> Vec<&'static str> {
    let mut all = vec!["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent"];
    all.extend(["--hostname", HOST, "--cap-drop", "ALL"]);
    if as_root {
        // For setpriv, which gives them up.
        all.extend(["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]);
    } else {
        all.extend(["--unshare-user", "--disable-userns"]);
    }
    if !network {
        all.push("--unshare-net");
    }
    all
}

/// The file system: what comes later stands over what comes before.
fn view(confinement: &Confinement, ours: &[&Path]) -> Vec<OsString> {
    let View { programs, readable, writable } = &confinement.view;
    let mut all = Arguments::default();
    let System { links, paths } = System::of(*programs);
    links.into_iter().for_each(|(link, target)| all.add(["--symlink".into(), target.into(), link.into()]));
    paths.iter().for_each(|path| all.read_only(path));
    if !programs {
        ours.iter().for_each(|path| all.read_only(path));
    }
    all.add(["--proc".into(), PROCESSES.into()]);
    all.add(["--dev".into(), "/dev".into()]);
    let size = confinement.limits.temporary_bytes.unwrap_or(TEMPORARY_BYTES).to_string();
    for folder in [TEMPORARY, SHARED_MEMORY] {
        all.add(["--perms".into(), "1777".into(), "--size".into(), size.clone().into()]);
        all.add(["--tmpfs".into(), folder.into()]);
    }
    readable.iter().for_each(|path| all.read_only(path));
    writable.iter().for_each(|path| all.show("--bind", path));
    // Nobody may write to what holds all this: it is memory without a limit.
    all.add(["--remount-ro".into(), "/dev".into()]);
    all.add(["--remount-ro".into(), "/".into()]);
    all.all
}

#[derive(Default)]
struct Arguments {
    all: Vec<OsString>,
    folders: BTreeSet<PathBuf>,
}

impl Arguments {
    fn add<const N: usize>(&mut self, arguments: [OsString; N]) {
        self.all.extend(arguments);
    }

    fn read_only(&mut self, path: &Path) {
        self.show("--ro-bind-try", path);
    }

    /// Shows `path` as `how` says. The folders that lead to it would be made for root alone.
    fn show(&mut self, how: &str, path: &Path) {
        let mut leading: Vec<&Path> = path.ancestors().skip(1).filter(|folder| folder.parent().is_some()).collect();
        leading.reverse();
        for folder in leading {
            if self.folders.insert(folder.to_owned()) {
                self.all.extend(["--dir".into(), folder.into()]);
            }
        }
        self.add([how.into(), path.into(), path.into()]);
    }
}
