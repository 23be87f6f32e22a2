//! What all programs of a submission may take together: lines of the table in docs/ci.md. Each of these fails where the programs
//! are in no group.

use std::process::{Child, Command, Stdio};

use lab_not_tried::not_tried;
use lab_sandbox::{Bounds, Confinement, Group, Limits, Network, Sandbox, Shortage, User, View};

use crate::isolation::{confinement, is_root, network, place, said, started, until};
use crate::provider::sandbox;

const MEMORY: u64 = 96 << 20;
const PROCESSES: u64 = 40;
/// What a folder holds at most.
const ROOM: u64 = 8 << 20;

/// A sandbox in a group. None of these tests proves anything where none can be made, which is a failure in CI unless
/// `LAB_TESTS_WITHOUT=groups` says that it is known.
fn bounded() -> Option<(Sandbox, Group, User)> {
    let (sandbox, user) = sandbox()?;
    match Group::make(Bounds { memory_bytes: MEMORY, processes: PROCESSES }).unwrap() {
        Some(group) => Some((sandbox.in_group(&group), group, user)),
        None => {
            not_tried("groups", "no control group can be made here");
            None
        }
    }
}

fn roomy() -> Confinement {
    let limits = Limits { processes: Some(200), temporary_bytes: Some(1 << 30), ..Limits::NO_CORE };
    Confinement { limits, ..confinement(View::default()) }
}

/// A program that writes so many `bytes` of memory of its own, says so, and stays.
fn holder(sandbox: &Sandbox, bytes: u64, network: &Network) -> Child {
    let script = format!("exec perl -e '$| = 1; $x = \"x\" x {bytes}; print \"held\\n\"; sleep 60'");
    started(sandbox, &script, &roomy(), network)
}

#[test]
fn memory_is_bounded_for_all_programs_of_a_submission_together() {
    let Some((sandbox, _group, _user)) = bounded() else { return };
    let network = network(&sandbox);
    let mut alone = holder(&sandbox, MEMORY / 4, &network);
    let mut held = [0; 5];
    std::io::Read::read_exact(alone.stdout.as_mut().unwrap(), &mut held).unwrap();
    assert_eq!((&held, sandbox.memory_kills(), sandbox.shortage()), (b"held\n", Some(0), None));
    let mut all = [alone, holder(&sandbox, MEMORY / 2, &network), holder(&sandbox, MEMORY / 2, &network)];
    let killed = until("all of them have their memory", || {
        all.iter_mut().find_map(|child| child.try_wait().unwrap().and_then(|status| status.code()))
    });
    assert_eq!(killed, 128 + 9);
    assert!(sandbox.memory_kills() >= Some(1));
    assert_eq!(sandbox.shortage(), Some(Shortage::Memory(MEMORY)));
    for mut child in all {
        let _ = child.kill();
        child.wait().unwrap();
    }
}

#[test]
fn what_lies_in_temporary_folders_and_shared_memory_counts_as_memory() {
    let Some((sandbox, _group, _user)) = bounded() else { return };
    let half = MEMORY / 4 * 3;
    let script =
        format!("head -c {half} /dev/zero > /tmp/x; head -c {half} /dev/zero > /dev/shm/x; stat -c %s /dev/shm/x");
    let said = said(&sandbox, &script, &roomy());
    assert_ne!(said.lines().last(), Some(half.to_string().as_str()), "{said}");
    assert_eq!(sandbox.shortage(), Some(Shortage::Memory(MEMORY)));
}

#[test]
fn processes_are_bounded_for_all_programs_of_a_submission_together() {
    let Some((sandbox, _group, _user)) = bounded() else { return };
    let network = network(&sandbox);
    let forks = "i=0; while [ $i -lt 25 ]; do sleep 60 & i=$((i+1)); done; echo all; wait";
    let mut first = started(&sandbox, forks, &roomy(), &network);
    let mut told = [0; 4];
    std::io::Read::read_exact(first.stdout.as_mut().unwrap(), &mut told).unwrap();
    assert_eq!((&told, sandbox.shortage()), (b"all\n", None));
    let second = said(&sandbox, &forks.replace("; wait", ""), &roomy());
    assert!(!second.ends_with("all") && second.to_lowercase().contains("fork"), "{second}");
    assert_eq!(sandbox.shortage(), Some(Shortage::Processes(PROCESSES)));
    first.kill().unwrap();
    first.wait().unwrap();
}

/// Eight programs of a submission, each in a session of its own, and one of ours want one processor: without a group, ours has a
/// ninth of it, and with one, half.
#[test]
fn a_submission_with_many_threads_has_no_more_of_a_processor_than_its_neighbour() {
    let Some((sandbox, group, _user)) = bounded() else { return };
    if !group.shares_processor() {
        return not_tried("groups", "groups share out no processor here");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let processor: String = allowed.chars().take_while(char::is_ascii_digit).collect();
    // It works for so many seconds by the clock, and says how much of them it had.
    let work = "$SIG{ALRM} = sub { printf \"%.2f\\n\", (times)[0]; exit }; alarm 3; 1 while 1";
    let eight = format!("for i in 1 2 3 4 5 6 7 8; do setsid taskset -c {processor} perl -e '{work}' & done; wait");
    let network = network(&sandbox);
    let theirs = started(&sandbox, &eight, &roomy(), &network);
    let mut ours = Command::new("setsid");
    ours.args(["taskset", "-c", &processor, "perl", "-e", work]).stdin(Stdio::null());
    let seconds =
        |text: Vec<u8>| String::from_utf8(text).unwrap().lines().map(|line| line.parse::<f64>().unwrap()).sum();
    let ours: f64 = seconds(ours.output().unwrap().stdout);
    let theirs: f64 = seconds(theirs.wait_with_output().unwrap().stdout);
    assert!(ours > 0.3 * (ours + theirs), "ours {ours}, theirs {theirs}");
}

/// Also what is deleted while it is open, which nobody would find who looks through the folder.
#[test]
fn a_folder_that_is_given_holds_no_more_than_it_may() {
    let Some((sandbox, _group, _user)) = bounded() else { return };
    // Files without content take memory, too.
    let group = Group::make(Bounds { memory_bytes: 1 << 30, processes: PROCESSES }).unwrap().unwrap();
    let sandbox = sandbox.in_group(&group);
    // Only root looks into an engine's volumes, and bubblewrap needs rights over mounts.
    if !is_root() {
        return not_tried("root", "mounting, and looking into an engine's volumes, needs root");
    }
    let place = place();
    let folder = place.path().to_owned();
    // The suite does this before it has threads. A thread that does is by itself, with what it starts.
    let inside = std::thread::spawn(move || {
        // Of bubblewrap a folder, of an engine the place of one.
        let (room, folder) = if sandbox.needs_namespaces() {
            lab_sandbox::prepare_rooms().unwrap();
            (sandbox.bound_folder(&folder, ROOM).unwrap().unwrap(), folder)
        } else {
            let room = sandbox.room(ROOM).unwrap().unwrap();
            let folder = room.place().join("given");
            std::fs::create_dir(&folder).unwrap();
            (room, folder)
        };
        std::fs::write(folder.join("ours"), "in it").unwrap();
        sandbox.give(&folder).unwrap();
        let view = View { writable: vec![folder.clone()], ..View::default() };
        let files =
            "perl -e 'for (1..200_000) { open(F, q(>), $_) or last; close F; $made = $_ } print qq(files $made\\n)'";
        let script = format!(
            "cat ours; echo; for i in 1 2 3 4; do exec 3> x; rm x; head -c 3000000 /dev/zero >&3 || echo full; \
             eval \"exec $((i+3))>&3\"; done; {files}"
        );
        let view = View { programs: true, ..view };
        // Some programs are started in it.
        let said = said(&sandbox, &script, &Confinement { view, folder: folder.clone(), ..roomy() });
        drop(room);
        until("what was in it is gone", || std::fs::read_dir(&folder).map_or(0, Iterator::count).eq(&0).then_some(()));
        said
    });
    let said = inside.join().unwrap();
    assert!(said.starts_with("in it\n") && said.contains("No space left") && said.contains("full"), "{said}");
    let files: u32 = said.lines().find_map(|line| line.strip_prefix("files ")).expect(&said).parse().unwrap();
    assert!(files < 100_000, "{files}");
}

#[test]
fn a_group_is_gone_when_its_submission_is() {
    let Some((sandbox, group, _user)) = bounded() else { return };
    let sent = serde_json::to_string(&sandbox).unwrap();
    assert_eq!(serde_json::from_str::<Sandbox>(&sent).unwrap(), sandbox);
    assert_eq!(said(&sandbox, "echo in it", &roomy()), "in it");
    drop(group);
    // Nothing runs without its bounds because they are gone.
    let mut command = sandbox.command("/bin/true", &roomy());
    assert!(command.status().is_err());
    assert_eq!((sandbox.memory_kills(), sandbox.shortage()), (Some(0), None));
}
