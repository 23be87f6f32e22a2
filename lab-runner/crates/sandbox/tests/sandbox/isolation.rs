//! What an isolated program sees of the machine, and what it can do there: each line of the table in docs/ci.md.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lab_not_tried::not_tried;
use lab_process::Signal;
use lab_sandbox::{Bounds, Confinement, Group, Limits, Network, Sandbox, View};

use crate::provider::sandbox;

pub(crate) fn confinement(view: View) -> Confinement {
    Confinement {
        folder: "/tmp".into(),
        environment: BTreeMap::from([("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())]),
        limits: Limits { processes: Some(200), temporary_bytes: Some(1 << 20), ..Limits::NO_CORE },
        orphan_signal: Signal::KILL,
        view: View { programs: true, ..view },
        network: None,
    }
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether we can have a network for `sandbox`. Only root makes one at any time, unless an engine does. Anybody else has to begin
/// with it, which a test cannot: bubblewrap itself then takes the network away.
fn has_network(sandbox: &Sandbox) -> bool {
    is_root() || !sandbox.needs_namespaces()
}

pub(crate) fn network(sandbox: &Sandbox) -> Network {
    if has_network(sandbox) { sandbox.network().unwrap() } else { Network::of_this_machine() }
}

fn shell(sandbox: &Sandbox, script: &str, confinement: &Confinement, network: &Network) -> Command {
    let confinement = Confinement { network: network.is_alone().then(|| network.clone()), ..confinement.clone() };
    let mut command = sandbox.command("/bin/sh", &confinement);
    command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What `script` writes, in a network of its own.
pub(crate) fn said(sandbox: &Sandbox, script: &str, confinement: &Confinement) -> String {
    let network = network(sandbox);
    let mut command = shell(sandbox, script, confinement, &network);
    let output: Output = network.within(move || command.output()).unwrap().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).trim().to_owned()
}

pub(crate) fn started(sandbox: &Sandbox, script: &str, confinement: &Confinement, network: &Network) -> Child {
    let mut command = shell(sandbox, script, confinement, network);
    network.within(move || command.spawn()).unwrap().unwrap()
}

pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A folder outside of /tmp, of which a sandbox has one of its own.
pub(crate) fn place() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

#[test]
fn no_file_is_there_but_the_systems_and_those_that_are_shown() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let place = place();
    let (shown, hidden) = (place.path().join("shown"), place.path().join("hidden"));
    fs::write(&shown, "in sight").unwrap();
    fs::write(&hidden, "out of sight").unwrap();
    let confinement = confinement(View { readable: vec![shown.clone()], ..View::default() });
    let (shown, hidden) = (shown.display(), hidden.display());
    let script = format!(
        "cat {shown}; echo; cat {hidden}; ls /home /root /etc/shadow {}; ls {}; ls /",
        env!("CARGO_MANIFEST_DIR"),
        place.path().display()
    );
    let said = said(&sandbox, &script, &confinement);
    assert!(said.contains("in sight") && !said.contains("out of sight"), "{said}");
    for nowhere in ["/home", "/root", "/etc/shadow", env!("CARGO_MANIFEST_DIR")] {
        assert!(said.contains(&format!("cannot access '{nowhere}'")), "{nowhere}: {said}");
    }
    assert!(!said.lines().any(|line| line == "hidden"), "{said}");
}

#[test]
fn nothing_can_be_written_but_what_is_given_and_a_temporary_folder_of_its_own() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let place = place();
    let [read, write] = ["read", "write"].map(|name| place.path().join(name));
    for folder in [&read, &write] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("file"), "before").unwrap();
    }
    sandbox.give(&write).unwrap();
    let confinement =
        confinement(View { readable: vec![read.clone()], writable: vec![write.clone()], ..View::default() });
    let everywhere = format!(
        "for f in {read}/file {read}/new /new /usr/new /usr/lib/new /etc/new /dev/new /proc/new /proc/sys/kernel/core_pattern \
         {write}/file {write}/new /tmp/new /dev/shm/new; do if (echo after > $f) 2>/dev/null; then echo $f; fi; done",
        read = read.display(),
        write = write.display()
    );
    let written = said(&sandbox, &everywhere, &confinement);
    let allowed = format!("{0}/file\n{0}/new\n/tmp/new\n/dev/shm/new", write.display());
    assert_eq!(written, allowed);
    assert_eq!(fs::read_to_string(read.join("file")).unwrap(), "before");
    assert!(!Path::new("/tmp/new").exists() && !Path::new("/dev/shm/new").exists());
}

#[test]
fn nothing_is_left_in_temporary_folders_and_shared_memory_for_the_next() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let confinement = confinement(View::default());
    let script = "ls -A /tmp /dev/shm; echo learned > /tmp/notes; echo learned > /dev/shm/notes";
    let first = said(&sandbox, script, &confinement);
    assert_eq!(said(&sandbox, script, &confinement), first);
    assert!(!first.contains("notes"), "{first}");
}

#[test]
fn no_process_of_the_machine_is_seen_or_signalled() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let mut victim = Command::new("sleep").arg("60").spawn().unwrap();
    let script = format!(
        "ls -d /proc/[0-9]* | wc -l; for p in {} {}; do kill -9 $p; kill -STOP $p; cat /proc/$p/environ; done; kill -9 -1; echo over",
        victim.id(),
        std::process::id()
    );
    let said = said(&sandbox, &script, &confinement(View::default()));
    let seen: usize = said.lines().next().unwrap().parse().unwrap();
    assert!(seen < 8, "{said}");
    assert!(victim.try_wait().unwrap().is_none(), "{said}");
    victim.kill().unwrap();
    victim.wait().unwrap();
}

#[test]
fn it_is_another_user_without_rights_or_at_least_one_with_rights_over_nothing() {
    let Some((sandbox, user)) = sandbox() else { return };
    let script = "id -u; grep -E '^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs)' /proc/self/status | tr -d '\\t '; hostname";
    let said = said(&sandbox, script, &confinement(View::default()));
    if sandbox.user().is_some() {
        assert!(said.starts_with(&format!("{}\n", user.id())), "{said}");
    }
    let rights: Vec<&str> = said.lines().filter(|line| line.starts_with("Cap")).collect();
    assert!(rights.len() == 4 && rights.iter().all(|line| line.ends_with(":0000000000000000")), "{said}");
    assert!(said.contains("NoNewPrivs:1"), "{said}");
}

#[test]
fn it_makes_no_namespaces_in_which_it_would_have_rights() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let script = "unshare --user true && echo made; unshare --net true && echo made; echo over";
    let said = said(&sandbox, script, &confinement(View::default()));
    assert!(!said.contains("made") && said.contains("over"), "{said}");
}

/// Each of these calls is answered otherwise where no filter stands before it, to a program without any right.
#[test]
fn calls_that_no_program_of_a_submission_needs_are_refused() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let refused = [
        libc::SYS_unshare,
        libc::SYS_open_tree,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kcmp,
        libc::SYS_pidfd_getfd,
        libc::SYS_perf_event_open,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        libc::SYS_io_uring_setup,
    ];
    let calls = refused.iter().chain([&libc::SYS_clone3]).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let script = format!("perl -e 'for ({calls}) {{ $! = 0; syscall($_, 0, 0, 0, 0, 0, 0); print $! + 0, \"\\n\" }}'");
    let said = said(&sandbox, &script, &confinement(View::default()));
    let answers: Vec<i32> = said.lines().map(|line| line.parse().unwrap()).collect();
    let mut expected = vec![libc::EPERM; refused.len()];
    expected.push(libc::ENOSYS);
    assert_eq!(answers, expected);
}

#[test]
fn it_reaches_its_own_network_and_no_other() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let outside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = outside.local_addr().unwrap().port();
    let script = format!(
        "cat /proc/net/dev | grep -c :; for a in 127.0.0.1/{port} 1.1.1.1/53 10.0.0.1/80; do \
         bash -c \"exec 3<>/dev/tcp/$a\" 2>/dev/null && echo reached $a; done; echo over"
    );
    assert_eq!(said(&sandbox, &script, &confinement(View::default())), "1\nover");
    outside.set_nonblocking(true).unwrap();
    assert!(outside.accept().is_err());
}

#[test]
fn no_abstract_socket_of_the_machine_is_reached() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let name = format!("backend-labs/test/{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let said = said(&sandbox, "cat /proc/net/unix", &confinement(View::default()));
    assert!(!said.contains(&name), "{said}");
}

/// A listener of ours in `network`.
fn listener(network: &Network) -> TcpListener {
    let socket = network.socket().unwrap();
    rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    rustix::net::listen(&socket, 5).unwrap();
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(false).unwrap();
    listener
}

/// A client of ours in `network`.
fn connected(network: &Network, address: SocketAddr) -> Option<TcpStream> {
    let socket = TcpStream::from(network.socket().unwrap());
    socket.set_nonblocking(false).unwrap();
    rustix::net::connect(&socket, &address).ok().map(|()| socket)
}

/// The grader's client reaches a server in its network, and the server a listener of the grader's: by sockets that were made
/// there.
#[test]
fn the_grader_and_a_program_meet_by_sockets_of_the_programs_network() {
    let Some((sandbox, _user)) = sandbox() else { return };
    if !has_network(&sandbox) {
        return not_tried("root", "making a network at any time needs root");
    }
    let network = sandbox.network().unwrap();
    assert!(network.is_alone());
    let proxy = listener(&network);
    let (port, free) = (proxy.local_addr().unwrap().port(), 20_000);
    let script = format!(
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo from inside >&3'; exec perl -MIO::Socket -e \
         '$l = IO::Socket::INET->new(LocalAddr => \"127.0.0.1:{free}\", Listen => 5) or die; print {{$l->accept}} \"answer\\n\"'"
    );
    let mut child = started(&sandbox, &script, &confinement(View::default()), &network);
    let mut line = [0; 12];
    proxy.accept().unwrap().0.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"from inside\n");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free));
    let mut client = until("nobody listens", || connected(&network, address));
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "answer\n");
    child.wait().unwrap();
}

#[test]
fn what_it_forks_ends_with_it() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let place = place();
    sandbox.give(place.path()).unwrap();
    let confinement = confinement(View { writable: vec![place.path().to_owned()], ..View::default() });
    let beat = place.path().join("beat");
    let daemon =
        format!("setsid sh -c 'while :; do echo x >> {}; sleep 0.01; done' & sleep 0.2; exit 7", beat.display());
    let network = network(&sandbox);
    let status = started(&sandbox, &daemon, &confinement, &network).wait().unwrap();
    assert_eq!(status.code(), Some(7));
    let size = || fs::metadata(&beat).map(|found| found.size()).unwrap_or(0);
    assert!(size() > 0);
    until("it still writes", || {
        let before = size();
        std::thread::sleep(Duration::from_millis(100));
        (before == size()).then_some(())
    });
}

#[test]
fn processes_files_and_temporary_memory_are_bounded() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let limits =
        Limits { processes: Some(30), file_bytes: Some(1 << 16), temporary_bytes: Some(1 << 20), ..Limits::NO_CORE };
    let confinement = Confinement { limits, ..confinement(View::default()) };
    let forks = "i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i+1)); done; echo all";
    let bomb = said(&sandbox, forks, &confinement);
    assert!(!bomb.ends_with("all") && bomb.to_lowercase().contains("fork"), "{bomb}");
    let large = said(&sandbox, "trap '' XFSZ; head -c 100000 /dev/zero > /tmp/x; stat -c %s /tmp/x", &confinement);
    assert!(large.lines().any(|line| line == "65536"), "{large}");
    let many = "i=0; while [ $i -lt 40 ]; do head -c 50000 /dev/zero 2>/dev/null > /dev/shm/$i || break; i=$((i+1)); done; echo $i";
    let many = said(&sandbox, many, &confinement);
    assert!(many.lines().last().unwrap().parse::<u32>().unwrap() < 30, "{many}");
}

#[test]
fn a_process_has_so_much_memory_and_processor_time() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let limits = Limits { memory_bytes: Some(64 << 20), processor_seconds: Some(1), ..Limits::NO_CORE };
    let confinement = Confinement { limits, ..confinement(View::default()) };
    let memory = "for m in 20 200; do perl -e \"\\$x = q(x) x ($m << 20); print qq($m held\\n)\"; done";
    let held = said(&sandbox, memory, &confinement);
    assert!(held.contains("20 held") && !held.contains("200 held"), "{held}");
    let ended = said(&sandbox, "perl -e '1 while 1'; echo $?", &confinement);
    // By SIGKILL or, where the soft limit is met before the hard one, by SIGXCPU.
    assert!(ended.lines().any(|line| ["137", "152"].contains(&line)), "{ended}");
}

#[test]
fn a_signal_reaches_the_program_and_its_end_is_told() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let network = network(&sandbox);
    for (script, expected) in [
        ("trap 'exit 3' TERM; while :; do sleep 0.01; done", (Some(3), None)),
        ("sleep 60 & wait", (Some(143), Some(15))),
    ] {
        let mut child = started(&sandbox, script, &confinement(View::default()), &network);
        let program = until("there is no program", || {
            let program = sandbox.program_of(child.id())?;
            fs::read_to_string(format!("/proc/{program}/comm")).is_ok_and(|name| name.trim() == "sh").then_some(program)
        });
        // It has to have set its trap.
        std::thread::sleep(Duration::from_millis(200));
        lab_process::signal_process(program, Signal::TERM).unwrap();
        let code = child.wait().unwrap().code();
        assert_eq!((code, code.and_then(|code| sandbox.signal_of(code))), expected, "{script}");
    }
}

/// The user that has nobody else: what is put into its folder by a link leads nowhere.
#[test]
fn giving_a_folder_follows_no_link() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let Some(user) = sandbox.user() else {
        return not_tried("root", "giving a folder to another user needs root");
    };
    let place = place();
    let [given, ours] = ["given", "ours"].map(|name| place.path().join(name));
    for folder in [&given, &ours] {
        fs::create_dir_all(folder.join("inner")).unwrap();
        fs::write(folder.join("inner/file"), "x").unwrap();
    }
    std::os::unix::fs::symlink(&ours, given.join("link")).unwrap();
    sandbox.give(&given).unwrap();
    let owner = |path: PathBuf| fs::symlink_metadata(path).unwrap().uid();
    assert_eq!([owner(given.clone()), owner(given.join("inner/file")), owner(given.join("link"))], [user; 3]);
    assert_eq!([owner(ours.clone()), owner(ours.join("inner/file"))], [0; 2]);
}

/// What a start costs, side by side: run by hand, with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
#[expect(clippy::print_stderr, reason = "a measurement")]
fn what_a_start_costs() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let none = Sandbox::none();
    let group = Group::make(Bounds { memory_bytes: 1 << 30, processes: 100 }).unwrap();
    let bounded = group.as_ref().map_or_else(|| sandbox.clone(), |group| sandbox.in_group(group));
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..crate::provider::STARTS {
        for (index, time) in times.iter_mut().enumerate() {
            let chosen = [&none, &sandbox, &sandbox, &bounded][index];
            let begun = Instant::now();
            let network = if index >= 2 { network(chosen) } else { Network::of_this_machine() };
            let shared = network.is_alone().then(|| network.clone());
            let confinement = Confinement { folder: "/".into(), network: shared, ..confinement(View::default()) };
            let mut command = chosen.command("/bin/true", &confinement);
            let mut child = network.within(move || command.spawn()).unwrap().unwrap();
            child.wait().unwrap();
            time.push(begun.elapsed());
        }
    }
    let names = ["none", sandbox.name(), "with a network of its own", "and in a group"];
    for (name, mut times) in names.into_iter().zip(times) {
        times.sort();
        eprintln!(
            "{name}: least {:?}, median {:?}, 95th percentile {:?}",
            times[0],
            times[times.len() / 2],
            times[times.len() * 95 / 100]
        );
    }
}

#[test]
fn a_sandbox_that_cannot_be_made_is_told_from_a_program_that_ends() {
    let Some((sandbox, _user)) = sandbox() else { return };
    let never_was = |confinement: &Confinement, script: &str| {
        let (mut command, mut beginning) = sandbox.told_command("/bin/sh", confinement).unwrap();
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        drop(command);
        assert_eq!(child.wait().unwrap().code(), Some(1));
        beginning.never_was()
    };
    let fine = confinement(View::default());
    assert!(!never_was(&fine, "exit 1"));
    // It is told by bubblewrap, and not by what is printed.
    assert!(!never_was(&fine, "echo 'bwrap: no such thing' >&2; exit 1"));
    let nowhere = View { writable: vec!["/nowhere/at/all".into()], ..View::default() };
    assert!(never_was(&Confinement { view: nowhere, ..fine }, "exit 1"));
}
