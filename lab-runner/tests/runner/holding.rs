//! What surrounds a run and must make no difference: odd places, languages, terminals and settings. Each runs the real
//! grader on the tests' own lab.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::sandbox::{RUNNER, Ran, command, command_in, folder, target, workspace, write_workspace};
use lab_not_tried::not_tried;

const CHECK: [&str; 3] = ["check", "tiny-1", "--solution"];

fn assert_full_marks(command: &mut Command, why: &str) {
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{why}: {}", ran.golden());
    assert!(ran.stdout.contains("100 of 100 points"), "{why}: {}", ran.golden());
}

/// The grader behind a line of shell that is given it as `"$@"`.
fn in_shell(script: &str) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-c", script, "bash", RUNNER]).args(CHECK).current_dir(workspace());
    shell.env("CARGO_TARGET_DIR", target()).env("LAB_FOLDER", folder().join("lab")).env_remove("LAB_WORKSPACE");
    shell.env_remove("CARGO_MANIFEST_DIR").stdin(Stdio::null());
    shell
}

#[test]
fn variables_of_the_users_make_no_difference() {
    let cases: [&[(&str, &str)]; 11] = [
        &[("LC_ALL", "C")],
        &[("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8")],
        &[("TZ", "Pacific/Apia")],
        &[("TZ", "no such zone")],
        &[
            ("http_proxy", "http://127.0.0.1:9"),
            ("HTTP_PROXY", "http://127.0.0.1:9"),
            ("ALL_PROXY", "http://127.0.0.1:9"),
        ],
        &[("TERM", "dumb"), ("COLUMNS", "24")],
        &[("RUSTFLAGS", "--cfg unknown_of_the_users")],
        &[("CARGO_BUILD_TARGET", "x86_64-unknown-linux-gnu")],
        &[
            ("PGHOST", "127.0.0.1"),
            ("PGPORT", "5432"),
            ("PGOPTIONS", "-c search_path=nowhere"),
            ("PGSSLMODE", "require"),
        ],
        &[("DOCKER_HOST", "tcp://127.0.0.1:9")],
        &[("DOCKER_HOST", "nonsense://?")],
    ];
    for variables in cases {
        assert_full_marks(command(&CHECK).envs(variables.iter().copied()), &format!("{variables:?}"));
    }
    assert_full_marks(command(&CHECK).env_remove("LC_ALL").env_remove("LANG").env_remove("TERM"), "no language at all");
}

#[test]
fn a_temporary_folder_that_is_odd_makes_no_difference() {
    let keep = tempfile::tempdir().unwrap();
    let long = keep.path().join("t".repeat(200));
    fs::create_dir(&long).unwrap();
    for folder in [long.as_path(), &keep.path().join("none"), Path::new("/dev/full")] {
        assert_full_marks(command(&CHECK).env("TMPDIR", folder), &folder.display().to_string());
    }
}

#[test]
fn descriptors_that_are_closed_and_readers_that_leave_end_nothing_badly() {
    for closed in ["<&-", "2>&-", "<&- 2>&-"] {
        assert_full_marks(&mut in_shell(&format!("\"$@\" {closed}")), closed);
    }
    let ran = Ran::of(in_shell("\"$@\" | head -1; exit \"${PIPESTATUS[0]}\"").output().unwrap());
    assert!(ran.stdout.lines().count() == 1 && !ran.stderr.contains("panicked"), "{}", ran.golden());
    let ran = Ran::of(in_shell("\"$@\" >&-").output().unwrap());
    assert!(ran.code != Some(70) && !ran.stderr.contains("panicked"), "{}", ran.golden());
}

#[test]
fn a_checkout_behind_a_link_without_git_is_graded() {
    let keep = tempfile::tempdir().unwrap();
    let link = keep.path().join("with space, 'quotes' and ümlauts");
    symlink(workspace(), &link).unwrap();
    let mut without_git = command_in(&link, &CHECK);
    assert_full_marks(without_git.env("GIT_DIR", "/nowhere"), "a link");
}

#[test]
fn a_submission_at_an_odd_path_is_graded() {
    let keep = tempfile::tempdir().unwrap();
    let solution = workspace().join("labs/tiny-1-greeter/solution");
    let deep = format!("{}/{}/x", "d".repeat(200), "e".repeat(200));
    for name in ["with space", "ümläute", "it's \"quoted\"", deep.as_str()] {
        let to = keep.path().join(name);
        crate::sandbox::copy(&solution, &to);
        assert_full_marks(&mut command(&["check", "tiny-1", "--submission", to.to_str().unwrap()]), name);
    }
}

#[test]
fn line_ends_and_marks_of_windows_in_sources_are_read() {
    let keep = tempfile::tempdir().unwrap();
    crate::sandbox::copy(&workspace().join("labs/tiny-1-greeter/solution"), keep.path());
    let main = keep.path().join("src/main.rs");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    let arguments = ["check", "tiny-1", "--submission", keep.path().to_str().unwrap()];
    assert_full_marks(&mut command(&arguments), "CRLF and a byte order mark");
}

/// The grader behind a line of shell that runs with mounts of its own, where we may make some. Says why not.
fn with_mounts(script: &str) -> Option<Ran> {
    let allowed = Command::new("unshare").args(["--mount", "true"]).stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        not_tried("root", "mounting needs root and the program `unshare`");
        return None;
    }
    let shell = in_shell(script);
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]).arg(shell.get_program()).args(shell.get_args());
    command.current_dir(workspace()).stdin(Stdio::null());
    for (name, value) in shell.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(Ran::of(command.output().unwrap()))
}

#[test]
fn temporary_folders_that_hold_no_programs_or_nothing_more_make_no_difference() {
    let keep = tempfile::tempdir().unwrap();
    let at = keep.path().display();
    for (options, fill) in [("noexec,size=16m", "true"), ("size=64k", "head -c 1m /dev/zero > $TMPDIR/full")] {
        let script = format!(
            "mount -t tmpfs -o {options} none '{at}' && export TMPDIR='{at}' && {{ {fill}; \"$@\"; }} 2> '{at}.said'"
        );
        let Some(ran) = with_mounts(&script) else { return };
        assert_eq!(ran.code, Some(0), "{options}: {}", ran.golden());
        assert!(ran.stdout.contains("100 of 100 points"), "{options}: {}", ran.golden());
    }
    let _ = fs::remove_file(format!("{at}.said"));
}

#[test]
fn without_git_and_with_windows_line_ends_in_manifests_at_a_long_path_a_lab_is_graded() {
    let keep = tempfile::tempdir().unwrap();
    let programs = keep.path().join("bin");
    fs::create_dir(&programs).unwrap();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
        for program in fs::read_dir(folder).into_iter().flatten().flatten() {
            if program.file_name() != "git" {
                // The first of a name counts, as in PATH.
                let _ = symlink(program.path(), programs.join(program.file_name()));
            }
        }
    }
    let root = keep.path().canonicalize().unwrap().join("d".repeat(200)).join("e".repeat(200));
    assert!(root.as_os_str().len() > 410);
    write_workspace(&root, "0.1.31");
    let manifest = root.join("labs/tiny-1-greeter/lab.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    assert_full_marks(command_in(&root, &CHECK).env("PATH", &programs), "a long path without git");
}

#[test]
fn a_terminal_of_24_columns_shows_all_that_counts() {
    let mut script = Command::new("script");
    let line = format!("stty cols 24 rows 24 && exec '{RUNNER}' check tiny-1 --solution");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(workspace());
    script.env("CARGO_TARGET_DIR", target()).env("LAB_FOLDER", folder().join("lab")).env_remove("LAB_WORKSPACE");
    script.env_remove("CARGO_MANIFEST_DIR").env("NO_COLOR", "1").stdin(Stdio::null());
    let Ok(output) = script.output() else {
        return not_tried("terminals", "there is no program `script`, which makes a terminal");
    };
    let ran = Ran::of(output);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    let words: Vec<&str> = ran.stdout.split_whitespace().collect();
    assert!(words.join(" ").contains("100 of 100 points"), "{}", ran.golden());
}

/// The solution with `first` before all that it does.
fn server(first: &str) -> tempfile::TempDir {
    let keep = tempfile::tempdir().unwrap();
    crate::sandbox::copy(&workspace().join("labs/tiny-1-greeter/solution"), keep.path());
    let main = keep.path().join("src/main.rs");
    let text = fs::read_to_string(&main).unwrap();
    let at = text.find("fn main()").unwrap();
    let at = at + text[at..].find('{').unwrap() + 1;
    fs::write(&main, format!("{}\n{first}\n{}", &text[..at], &text[at..])).unwrap();
    keep
}

/// A server that is as rude as one can be: it reads what it is not given, writes what nobody can read, and hears no
/// signal. A shell makes it deaf: what is ignored stays so in the program that takes its place.
const RUDE: &str = r#"
    use std::io::{Read as _, Write as _};
    use std::os::unix::process::CommandExt as _;
    if std::env::var_os("DEAF").is_none() {
        let own = std::env::current_exe().unwrap();
        let script = "trap '' TERM INT HUP QUIT USR1; exec \"$0\"";
        panic!("{}", std::process::Command::new("sh").args(["-c", script]).arg(own).env("DEAF", "1").exec());
    }
    let mut given = Vec::new();
    std::io::stdin().read_to_end(&mut given).unwrap();
    let mut line = vec![b'x'; 1023];
    line[..4].copy_from_slice(b"\xff\xfe\x1b[");
    line.push(b'\n');
    std::thread::spawn(move || (0..100 << 10).for_each(|_| std::io::stdout().write_all(&line).unwrap()));
"#;

/// Its parent is gone before it serves, as a daemon's is.
const DAEMON: &str = r#"
    if std::env::var_os("DAEMON").is_none() {
        let own = std::env::current_exe().unwrap();
        std::process::Command::new("setsid").arg(own).env("DAEMON", "86398").spawn().unwrap();
        return Ok(());
    }
"#;

#[test]
fn servers_that_log_without_end_hear_nothing_or_leave_their_parent_are_graded_for_what_they_do() {
    let keep = server(RUDE);
    let arguments = ["check", "tiny-1", "--time-limit", "60", "--submission"];
    assert_full_marks(command(&arguments).arg(keep.path()), "a rude server");
    let keep = server(DAEMON);
    let ran = Ran::of(command(&arguments).arg(keep.path()).output().unwrap());
    // What it left behind may answer the first probe before its own end is noticed; then the first check tells of that end.
    assert!(matches!(ran.code, Some(1 | 3)), "{}", ran.golden());
    assert!(ran.golden().contains("exit code 0"), "{}", ran.golden());
}

/// Where private instances live, and where containers come from, is asked by `cargo lab doctor`, which tries all of it.
#[test]
fn memory_that_is_read_only_or_small_and_an_engine_that_is_silent_are_done_without() {
    let doctor = |mounts: &str| {
        let script = format!("{mounts} && exec \"$1\" doctor");
        with_mounts(&script).map(|ran| ran.stdout.lines().filter(|line| line.starts_with("  native")).collect())
    };
    let here: Option<String> = doctor("true");
    let Some(here) = here else { return };
    let ready = here.matches(" ready in ").count();
    for mounts in [
        "mount -t tmpfs none /dev/shm && mkdir /dev/shm/backend-labs-$(id -u) && mount -o remount,ro /dev/shm",
        "mount -t tmpfs -o size=1m none /dev/shm",
    ] {
        let found: String = doctor(mounts).unwrap();
        assert_eq!(found.matches(" ready in ").count(), ready, "{mounts}: {found}, and without: {here}");
    }
    let mut without_cache = command(&["doctor"]);
    without_cache.env("LAB_CACHE_DIR", "/dev/full/cache").env("DOCKER_HOST", "tcp://127.0.0.1:9");
    let ran = Ran::of(without_cache.output().unwrap());
    let said = ran.golden();
    // Services that are installed serve all the same.
    assert!(said.contains("set LAB_CACHE_DIR to a folder that you can write") && !said.contains("--fix"), "{said}");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let engine = format!("tcp://{}", silent.local_addr().unwrap());
    let began = std::time::Instant::now();
    let ran = Ran::of(command(&["doctor"]).env("DOCKER_HOST", &engine).output().unwrap());
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}: {}", began.elapsed(), ran.golden());
    let containers: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("  containers")).collect();
    assert!(!containers.is_empty() && containers.iter().all(|line| line.contains(" - ")), "{}", ran.golden());
}
