//! What a program sees of the machine when it is started in a sandbox.

use std::collections::BTreeMap;
use std::process::Stdio;

use lab_process::Signal;
use lab_sandbox::{Confinement, Limits, Network, Sandbox, View};

fn confinement(limits: Limits) -> Confinement {
    Confinement {
        folder: std::env::temp_dir().canonicalize().unwrap(),
        environment: BTreeMap::from([("GIVEN".into(), "a value".into())]),
        limits,
        orphan_signal: Signal::KILL,
        view: View::default(),
        network: Some(Network::of_this_machine()),
    }
}

fn shell(script: &str, limits: Limits) -> String {
    let mut command = Sandbox::none().command("/bin/sh", &confinement(limits));
    let output = command.args(["-c", script]).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn only_what_is_given_is_in_the_environment() {
    // Cargo has set this one for us.
    assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
    assert_eq!(shell("echo \"$GIVEN, ${CARGO_PKG_NAME-}, ${HOME-}\"", Limits::default()), "a value, ,");
}

#[test]
fn it_starts_in_its_folder() {
    assert_eq!(shell("pwd", Limits::default()), std::env::temp_dir().canonicalize().unwrap().to_str().unwrap());
}

/// A session without a terminal: the sixth and seventh field of `/proc/PID/stat` (proc(5)).
#[cfg(target_os = "linux")]
#[test]
fn it_leads_a_session_that_has_no_terminal() {
    let script = "read -r line < /proc/self/stat; echo \"$$ ${line#*) }\"";
    let line = shell(script, Limits::default());
    let fields: Vec<&str> = line.split(' ').collect();
    let (pid, group, session, terminal) = (fields[0], fields[3], fields[4], fields[5]);
    assert_eq!((group, session, terminal), (pid, pid, "0"), "{line}");
}

#[test]
fn limits_are_lowered_and_never_raised() {
    let limits = Limits { open_files: Some(64), ..Limits::NO_CORE };
    assert_eq!(shell("ulimit -Hc; ulimit -Sn; ulimit -Hn", limits), "0\n64\n64");
    let (before, all) = (shell("ulimit -Hn", Limits::default()), Some(u64::MAX / 2));
    assert_eq!(shell("ulimit -Hn", Limits { open_files: all, ..Limits::default() }), before);
}

/// As root, it is another user with root's right to open files and no other (proc_pid_status(5), CapEff); as anybody else, it
/// is who we are.
#[cfg(target_os = "linux")]
#[test]
fn it_is_no_root_and_opens_what_root_opens() {
    let sandbox = Sandbox::none().without_root().unwrap();
    assert!(!sandbox.isolates() && sandbox.name() == "none");
    let keep = tempfile::tempdir().unwrap();
    std::fs::write(keep.path().join("file"), "text").unwrap();
    let script = format!("cat {}/file; echo; id -u; id -G; grep CapEff /proc/self/status", keep.path().display());
    let mut command = sandbox.command("/bin/sh", &Confinement { folder: "/".into(), ..confinement(Limits::default()) });
    let output = command.args(["-c", &script]).env("PATH", "/usr/bin:/bin").stdin(Stdio::null()).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    let user = rustix::process::geteuid();
    match sandbox.user() {
        Some(other) => {
            assert!(user.is_root() && other != 0);
            let id = other.to_string();
            assert_eq!(lines, ["text", &id, &id, "CapEff:\t0000000000000002"]);
        }
        None => assert_eq!(lines[..2], ["text", &user.as_raw().to_string()]),
    }
}

/// It ends with the thread that started it, though it has become another user since.
#[cfg(target_os = "linux")]
#[test]
fn without_root_it_ends_with_whoever_started_it() {
    let start = || {
        let sandbox = Sandbox::none().without_root().unwrap();
        let mut command = sandbox.command("/bin/sleep", &confinement(Limits::default()));
        command.arg("600").spawn().unwrap()
    };
    let mut child = std::thread::spawn(start).join().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while child.try_wait().unwrap().is_none() {
        assert!(std::time::Instant::now() < deadline, "it outlives its thread");
        std::thread::yield_now();
    }
}

#[test]
fn it_is_the_same_at_the_end_of_its_way_to_the_suite() {
    let sent = serde_json::to_string(&Sandbox::none()).unwrap();
    assert_eq!(sent, r#"{"provider":"none"}"#);
    assert_eq!(serde_json::from_str::<Sandbox>(&sent).unwrap(), Sandbox::none());
}

#[test]
fn one_that_is_not_known_is_refused_and_not_taken_for_none() {
    for other in [r#"{"provider":"other"}"#, r#"{"provider":"none","memory":1}"#, "{}"] {
        assert!(serde_json::from_str::<Sandbox>(other).is_err(), "{other}");
    }
}
