//! What only containers have: an engine that makes them, and removes them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lab_container_engine::{EngineAddress, EngineRequest};
use lab_process::Signal;
use lab_sandbox::{Bounds, ContainerOwner, SWEEP, Sandbox, Unavailable, View};
use serde_json::{Value, json};

use crate::isolation::{confinement, network, said, started, until};
use crate::provider::{engine, program, sandbox};

/// What the engine says.
fn ask(request: EngineRequest) -> Value {
    let address = EngineAddress::parse(&engine()).unwrap();
    let mut said = String::new();
    request.send(&address, Duration::from_secs(30)).unwrap().body.read_to_string(&mut said).unwrap();
    serde_json::from_str(&said).unwrap()
}

/// The containers of ours that run, or all.
fn listed(running: bool) -> Vec<Value> {
    let filters = json!({"label": [ContainerOwner::LABEL]}).to_string();
    let request = EngineRequest::new("GET", "/containers/json");
    let all = if running { "0" } else { "1" };
    ask(request.query(&[("all", all), ("filters", &filters)])).as_array().unwrap().clone()
}

/// Their ids.
fn containers(running: bool) -> Vec<String> {
    listed(running).iter().map(|found| found["Id"].as_str().unwrap().to_owned()).collect()
}

/// Its streams are the pipes themselves: what it has not read is seen in them, and a closed end is met by it.
#[test]
fn its_streams_are_its_own() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let mut command = sandbox.command("/bin/sh", &confinement(View::default()));
    let script = "read -r line; echo got $line; read -r line; echo more || echo refused >&2";
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    input.write_all(b"one\n").unwrap();
    let mut answer = [0; 8];
    output.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"got one\n");
    assert_eq!(rustix::io::ioctl_fionread(&input).unwrap(), 0);
    drop(output);
    drop(input);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 13), "{said}");
}

/// Also where whoever started it had no time to end anything.
#[test]
fn all_in_it_ends_with_the_one_outside() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let network = network(&sandbox);
    for signal in [Signal::KILL, Signal::TERM] {
        let script = "trap '' TERM; setsid sleep 600 & echo here; sleep 600";
        let mut child = started(&sandbox, script, &confinement(View::default()), &network);
        let mut here = [0; 5];
        child.stdout.as_mut().unwrap().read_exact(&mut here).unwrap();
        let program = until("there is no program", || sandbox.program_of(child.id()));
        assert!(lab_process::is_running(program));
        lab_process::signal_process(child.id(), signal).unwrap();
        child.wait().unwrap();
        until("it still runs", || (!lab_process::is_running(program)).then_some(()));
    }
}

#[test]
fn what_is_killed_is_gone_when_its_end_is_told() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let network = network(&sandbox);
    let mut child = started(&sandbox, "echo here; exec sleep 600", &confinement(View::default()), &network);
    let mut here = [0; 5];
    child.stdout.as_mut().unwrap().read_exact(&mut here).unwrap();
    let program = until("there is no program", || sandbox.program_of(child.id()));
    sandbox.kill(child.id()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 9));
    assert!(!lab_process::is_running(program));
    assert_eq!(sandbox.program_of(child.id()), None);
}

/// The engine removes what has ended, and a network goes with whoever holds it.
#[test]
fn no_container_is_left() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let network = network(&sandbox);
    let script = "echo here; exec sleep 600";
    let mut child = started(&sandbox, script, &confinement(View::default()), &network);
    let mut here = [0; 5];
    child.stdout.as_mut().unwrap().read_exact(&mut here).unwrap();
    let mine = containers(true);
    assert!(mine.len() >= 2, "{mine:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(network);
    // Those of the tests beside this one come and go.
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut left = mine;
    while !left.is_empty() {
        assert!(Instant::now() < deadline, "{left:?}");
        let now = containers(false);
        left.retain(|id| now.contains(id));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_first_process_is_out_of_the_programs_reach() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let script = "kill -9 1; kill -TERM 1; cat /proc/1/environ /proc/1/mem; ls -l /proc/1/fd/; ls -l /proc/1/exe; \
                  perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un(\"/run/lab-door\")) \
                  and print \"let in\\n\"'; echo > /run/lab-inside; echo over";
    let said = said(&sandbox, script, &confinement(View::default()));
    assert!(said.contains("over") && !said.contains("let in") && !said.contains("->"), "{said}");
    assert!(said.matches("Permission denied").count() >= 4, "{said}");
    // The program is as it was.
    assert!(fs::metadata(program()).unwrap().len() > 100);
}

#[test]
fn what_a_killed_run_has_left_is_removed_and_nobody_elses() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let network = network(&sandbox);
    let owner = ContainerOwner::ourselves().unwrap();
    let label = json!({ContainerOwner::LABEL: owner.label()});
    let settings = json!({"Image": listed(true)[0]["Image"], "Cmd": ["/nothing"], "Labels": label});
    let name = format!("lab-inside-left-{}", std::process::id());
    let create = EngineRequest::new("POST", "/containers/create").query(&[("name", &name)]).json(settings);
    let left = ask(create)["Id"].as_str().unwrap().to_owned();
    let volume = json!({"Name": name, "Labels": {ContainerOwner::LABEL: owner.label()}});
    ask(EngineRequest::new("POST", "/volumes/create").json(volume));
    let ours = [format!("container {name}"), format!("volume {name}")];
    assert!(!swept().lines().any(|line| ours.contains(&line.to_owned())), "they have an owner");
    drop(owner);
    let removed = swept();
    assert!(!containers(false).contains(&left), "{removed}");
    assert!(ours.iter().all(|one| removed.contains(one)), "{removed}");
    network.socket().expect("that container has an owner");
}

/// What is removed now.
fn swept() -> String {
    let swept = Command::new(program()).args([SWEEP, &engine()]).output().unwrap();
    assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stderr));
    String::from_utf8(swept.stdout).unwrap()
}

#[test]
fn an_engine_that_is_not_there_is_told() {
    let places = tempfile::tempdir().unwrap();
    let refused = Sandbox::of_containers(program(), "unix:///nowhere/docker.sock", places.path());
    let Err(Unavailable::NoContainers { said }) = refused else { panic!("{refused:?}") };
    assert!(said.contains("No such file"), "{said}");
}

/// By the engine, where no control group of ours can be had.
#[test]
fn a_container_in_no_group_has_the_bounds_for_itself() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let sandbox = sandbox.bounded(Bounds { memory_bytes: 64 << 20, processes: 20 });
    let memory = "for m in 20 200; do perl -e \"\\$x = q(x) x ($m << 20); print qq($m held\\n)\"; done; echo over";
    let held = said(&sandbox, memory, &confinement(View::default()));
    assert!(held.contains("20 held") && !held.contains("200 held") && held.contains("over"), "{held}");
    let forks = "i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; echo all";
    let bomb = said(&sandbox, forks, &confinement(View::default()));
    assert!(!bomb.ends_with("all") && bomb.to_lowercase().contains("fork"), "{bomb}");
    // Nobody tells what its programs wanted more of.
    assert_eq!((sandbox.shortage(), sandbox.memory_kills()), (None, None));
}
