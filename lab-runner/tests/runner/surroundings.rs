//! What surrounds a run: the user's variables, and what else lies in the checkout.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::{Ran, command, command_in, folder, workspace, write_workspace};
use lab_not_tried::not_tried;

#[test]
fn a_build_sees_no_token_and_still_finds_its_tools() {
    let keep = tempfile::tempdir().unwrap();
    fs::create_dir(keep.path().join("src")).unwrap();
    let main = "const _: () = assert!(option_env!(\"GITHUB_TOKEN\").is_none());\n\
                const _: () = assert!(option_env!(\"PGPASSWORD\").is_none());\n\
                const _: () = assert!(option_env!(\"DATABASE_URL\").is_none());\n\
                const _: () = assert!(option_env!(\"CARGO_REGISTRY_TOKEN\").is_none());\n\
                const _: () = assert!(option_env!(\"PATH\").is_some());\n\
                fn main() {}\n";
    fs::write(keep.path().join("src/main.rs"), main).unwrap();
    let arguments = ["check", "tiny-1", "--submission", keep.path().to_str().unwrap(), "--format", "json"];
    let mut command = command(&arguments);
    for name in ["GITHUB_TOKEN", "PGPASSWORD", "DATABASE_URL", "CARGO_REGISTRY_TOKEN"] {
        command.env(name, "secret");
    }
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.json()["outcome"], "start_failed", "{}", ran.stdout);
}

#[test]
fn a_folder_beside_the_labs_is_none() {
    let keep = tempfile::tempdir().unwrap();
    let root = keep.path().canonicalize().unwrap();
    write_workspace(&root, "0.1.0");
    fs::create_dir(root.join("labs/notes")).unwrap();
    fs::write(root.join("labs/notes/todo.md"), "read it").unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    let accepted = cargo
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(&root)
        .stdout(Stdio::null());
    assert!(accepted.status().unwrap().success());
    let ran = Ran::of(command_in(&root, &[]).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stdout.contains("tiny-1") && !ran.golden().contains("notes"), "{}", ran.golden());
}

#[test]
fn in_a_labs_folder_a_name_is_a_check_before_the_suite_was_ever_built() {
    let ran = |check: &str| {
        let mut command = command_in(&workspace().join("labs/tiny-1-greeter"), &["check", check, "--solution"]);
        let folder = folder().join("no-records");
        let _ = fs::remove_dir_all(folder.join("suites"));
        Ran::of(command.env("LAB_FOLDER", folder).output().unwrap())
    };
    let known = ran("echoes");
    assert_eq!(known.code, Some(0), "{}", known.golden());
    let unknown = ran("zzz");
    assert_eq!(unknown.code, Some(2), "{}", unknown.golden());
    assert!(unknown.stderr.contains("unknown check `zzz` of tiny-1"), "{}", unknown.golden());
}

/// What another lab has, and what is told of it.
const OTHERS: [(&str, &str, &str); 3] = [
    ("labs/tiny-2-other", "<<<<<<< HEAD\n", "labs/tiny-2-other/Cargo.toml:1: conflict markers of git are in it"),
    (
        "labs/tiny-1-copy",
        "[package]\nname = \"tiny-1-greeter\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        "are both the package `tiny-1-greeter`",
    ),
    (
        "labs/tiny-3-new",
        "[package]\nname = \"tiny-3-new\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nno-such-crate-anywhere = \"9\"\n",
        "cargo could not download `no-such-crate-anywhere`, which labs/tiny-3-new/Cargo.toml asks for",
    ),
];

#[test]
fn a_lab_is_graded_although_another_keeps_cargo_from_loading_the_workspace() {
    let keep = tempfile::tempdir().unwrap();
    let root = keep.path().canonicalize().unwrap();
    write_workspace(&root, "0.1.8");
    let folder = root.join("labs/tiny-1-greeter");
    fs::remove_dir_all(folder.join("checks")).unwrap();
    crate::prebuilt::copy_suite(&folder.join("suite"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    // A pattern that nothing fits would be taken for a folder's name.
    let manifest = manifest.replace(", \"labs/*-[0-9]*/checks\"", "");
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
    crate::sandbox::copy(&folder.join("solution"), &folder);
    let graded = || {
        let mut command = command_in(&root, &["check", "tiny-1"]);
        Ran::of(command.env("CARGO_NET_OFFLINE", "true").output().unwrap())
    };
    for (other, manifest, told) in OTHERS {
        fs::create_dir_all(root.join(other).join("src")).unwrap();
        fs::write(root.join(other).join("src/main.rs"), "fn main() {}\n").unwrap();
        fs::write(root.join(other).join("Cargo.toml"), manifest).unwrap();
        if other.ends_with("copy") {
            fs::copy(folder.join("lab.toml"), root.join(other).join("lab.toml")).unwrap();
        }
        let ran = graded();
        assert_eq!(ran.code, Some(0), "{other}: {}", ran.golden());
        assert!(ran.stderr.contains("tiny-1 is built apart from the other labs"), "{}", ran.golden());
        assert!(ran.stderr.replace('\n', " ").contains(told), "{}", ran.golden());
        fs::remove_dir_all(root.join(other)).unwrap();
    }
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    fs::write(root.join("Cargo.lock"), format!("<<<<<<< HEAD\n{lock}")).unwrap();
    let ran = graded();
    assert_eq!(ran.code, Some(2), "{}", ran.golden());
    assert!(ran.stderr.starts_with("error: Cargo.lock:1: conflict markers of git are in it\n"), "{}", ran.golden());
    fs::write(root.join("Cargo.lock"), lock).unwrap();
    // Its own manifest is the learner's to mend.
    let own = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    fs::write(folder.join("Cargo.toml"), own.replace("[package]", "[package\n")).unwrap();
    let ran = graded();
    assert_eq!(ran.code, Some(3), "{}", ran.golden());
    assert!(ran.golden().contains("labs/tiny-1-greeter/Cargo.toml:1: "), "{}", ran.golden());
}

/// Cargo means it from the folder in which it is called; from the root it would lie outside of everything.
#[test]
fn a_relative_target_folder_is_meant_from_the_folder_in_which_the_user_is() {
    let lab = workspace().join("labs/tiny-1-greeter");
    let relative = std::path::Path::new("../../../..");
    assert_eq!(lab.join(relative).canonicalize().unwrap(), crate::sandbox::target().canonicalize().unwrap());
    let outside = workspace().join(relative).canonicalize().unwrap();
    let there = |place: &str| outside.join(place).exists();
    let before = (there("debug"), there("lab"));
    let mut command = command_in(&lab, &["check", "--solution"]);
    let ran = Ran::of(command.env("CARGO_TARGET_DIR", relative).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    assert!(ran.stdout.contains("100 of 100 points"), "{}", ran.golden());
    assert_eq!((there("debug"), there("lab")), before, "nothing was built in {}", outside.display());
}

/// What was graded once with `sudo` leaves folders that belong to root in those of the user.
#[test]
fn a_stage_that_root_has_left_is_told_with_the_command_that_mends_it() {
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        return not_tried("root", "leaving something as root needs root");
    }
    let keep = tempfile::tempdir().unwrap();
    let lab_folder = keep.path().canonicalize().unwrap().join("lab");
    let submission = crate::sandbox::submission("half-done");
    let arguments = ["check", "tiny-1", "--submission", submission.to_str().unwrap()];
    let as_root = Ran::of(command(&arguments).env("LAB_FOLDER", &lab_folder).output().unwrap());
    assert_eq!(as_root.code, Some(1), "{}", as_root.golden());
    // All is the user's but the stages. Reading everything is allowed, as toolchains may lie in root's home here.
    std::os::unix::fs::chown(keep.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    std::os::unix::fs::chown(&lab_folder, Some(NOBODY), Some(NOBODY)).unwrap();
    for entry in walkdir::WalkDir::new(&lab_folder).min_depth(1).into_iter().flatten() {
        if !entry.path().starts_with(lab_folder.join("stage")) {
            std::os::unix::fs::lchown(entry.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let run = command(&arguments);
    let mut user = Command::new("setpriv");
    let read = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
    user.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]).args(read);
    user.arg(run.get_program()).args(run.get_args()).current_dir(workspace()).stdin(Stdio::null());
    run.get_envs().for_each(|(name, value)| match value {
        Some(value) => drop(user.env(name, value)),
        None => drop(user.env_remove(name)),
    });
    let ran = Ran::of(user.env("LAB_FOLDER", &lab_folder).output().unwrap());
    assert_eq!(ran.code, Some(4), "{}", ran.golden());
    let stage = lab_folder.join("stage");
    let mended = format!("`sudo chown -R \"$(id -u):$(id -g)\" '{}'`", stage.display());
    assert!(ran.stderr.replace('\n', " ").contains(&mended), "{}", ran.golden());
}

#[test]
fn too_few_open_files_are_told_before_anything_is_graded() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 256 && exec \"$0\" check tiny-1 --solution", crate::sandbox::RUNNER]);
    command.current_dir(workspace()).env_remove("LAB_WORKSPACE").stdin(Stdio::null());
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(4), "{}", ran.golden());
    assert!(ran.stderr.contains("a process may open 256 files here, and the checks need 1024"), "{}", ran.golden());
    assert!(ran.stderr.contains("ulimit -Hn"), "{}", ran.golden());
}

#[test]
fn a_low_limit_of_open_files_that_may_be_raised_is_raised() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 128 && exec \"$0\" check tiny-1 --solution", crate::sandbox::RUNNER]);
    command.current_dir(workspace()).env("CARGO_TARGET_DIR", crate::sandbox::target());
    command.env("LAB_FOLDER", folder().join("lab")).env_remove("LAB_WORKSPACE").stdin(Stdio::null());
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
}

#[test]
fn whoever_holds_the_lock_that_a_build_waits_for_is_named_and_a_quiet_cargo_hides_nothing() {
    let keep = tempfile::tempdir().unwrap();
    crate::sandbox::copy(&workspace().join("labs/tiny-1-greeter/solution"), keep.path());
    let main = keep.path().join("src/main.rs");
    let changed = format!("{}// {}\n", fs::read_to_string(&main).unwrap(), keep.path().display());
    fs::write(&main, changed).unwrap();
    workspace();
    // As an editor's `cargo check` does while it is at work.
    let lock = fs::File::options().write(true).open(crate::sandbox::target().join("debug/.cargo-lock")).unwrap();
    lock.lock().unwrap();
    let mut command = command(&["check", "tiny-1", "--submission", keep.path().to_str().unwrap()]);
    command.env("CARGO_TERM_QUIET", "true").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut runner = command.spawn().unwrap();
    let began = Instant::now();
    let mut lines = BufReader::new(runner.stderr.take().unwrap()).lines().map_while(Result::ok);
    let waiting = lines.find(|line| line.starts_with("waiting for "));
    let took = began.elapsed();
    lock.unlock().unwrap();
    let rest: Vec<String> = lines.collect();
    assert_eq!(runner.wait().unwrap().code(), Some(0), "{waiting:?} {rest:?}");
    if cfg!(target_os = "linux") {
        let waiting = waiting.unwrap_or_default();
        assert!(waiting.contains(&format!("(process {}", std::process::id())), "{waiting}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

#[test]
fn a_machine_that_cannot_reach_itself_is_told_at_once() {
    let without_network = |arguments: &[&str]| {
        let run = command(arguments);
        let mut unshare = Command::new("unshare");
        unshare.arg("--net").arg(run.get_program()).args(run.get_args()).current_dir(workspace());
        for (name, value) in run.get_envs() {
            match value {
                Some(value) => unshare.env(name, value),
                None => unshare.env_remove(name),
            };
        }
        unshare
    };
    let allowed = Command::new("unshare").args(["--net", "true"]).stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return not_tried("root", "taking the network away needs root and the program `unshare`");
    }
    for arguments in [["check", "tiny-1"].as_slice(), &["audit", "tiny-1"], &["run", "tiny-1"], &["doctor"]] {
        let began = Instant::now();
        let ran = Ran::of(without_network(arguments).output().unwrap());
        assert_eq!(ran.code, Some(4), "{arguments:?}: {}", ran.golden());
        assert!(ran.golden().contains("127.0.0.1 cannot be reached"), "{arguments:?}: {}", ran.golden());
        assert!(began.elapsed() < Duration::from_secs(10), "{arguments:?}: {:?}", began.elapsed());
    }
}
