//! Ending all that descends from a process, in a program of its own: it ends whatever else the process has started.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lab_process::kill_descendants;

/// How deep the sessions are nested.
const DEPTH: u32 = 60;
/// What the innermost sleeps, in seconds: nobody else does.
const MARK: &str = "86397.25";

fn marked() -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(MARK) && line.contains("sleep")).count()
}

#[test]
fn sixty_sessions_one_in_another_are_ended() {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    // Each leads a session of its own, starts the next and waits for it.
    let nest = format!("if [ \"$1\" -gt 0 ]; then setsid sh -c \"$0\" \"$0\" $(($1 - 1)); else sleep {MARK}; fi; true");
    let mut first = Command::new("setsid");
    first.args(["sh", "-c", &nest, &nest, &DEPTH.to_string()]).stdin(Stdio::null());
    let mut first = first.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let innermost = |line: &str| line.split('\0').next().is_some_and(|program| program.ends_with("sleep"));
    let sleeps = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
        lines.filter(|line| innermost(line) && line.contains(MARK)).count()
    };
    while sleeps() == 0 {
        assert!(Instant::now() < deadline, "the innermost never came");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(marked() > DEPTH as usize, "{}", marked());
    kill_descendants();
    // It has been waited for already, with all the others.
    let _ = first.wait();
    assert_eq!(marked(), 0);
}
