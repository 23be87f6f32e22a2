//! What a build of a submission may take, read and touch.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::{RUNNER, Ran, command, command_in, folder, target, workspace, write_workspace};
use lab_not_tried::not_tried;

fn submission(main: &str) -> tempfile::TempDir {
    let keep = tempfile::tempdir().unwrap();
    fs::create_dir(keep.path().join("src")).unwrap();
    fs::write(keep.path().join("src/main.rs"), main).unwrap();
    keep
}

fn grade(root: &Path, main: &str) -> Ran {
    let keep = submission(main);
    let arguments = ["check", "tiny-1", "--submission", keep.path().to_str().unwrap(), "--format", "json"];
    Ran::of(command_in(root, &arguments).output().unwrap())
}

/// A workspace whose lab has the limits that `change` makes of its manifest's.
pub fn with_limits(version: &str, change: impl Fn(String) -> String) -> tempfile::TempDir {
    let keep = tempfile::tempdir().unwrap();
    write_workspace(keep.path(), version);
    let lab = keep.path().join("labs/tiny-1-greeter");
    let manifest = fs::read_to_string(lab.join("lab.toml")).unwrap();
    fs::write(lab.join("lab.toml"), change(manifest)).unwrap();
    use_built_suite(keep.path());
    keep
}

/// Puts the suite as a program in the place of its package.
fn use_built_suite(root: &Path) {
    let lab = root.join("labs/tiny-1-greeter");
    fs::remove_dir_all(lab.join("checks")).unwrap();
    crate::prebuilt::copy_suite(&lab.join("suite"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap().replace(", \"labs/*-[0-9]*/checks\"", "");
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
}

/// Takes the compiler hours to evaluate.
const ENDLESS: &str = "#![allow(long_running_const_eval)]\n\
    const fn forever() -> u64 { let mut n = 0u64; while n < 1 << 60 { n += 1 } n }\n\
    const N: u64 = forever();\nfn main() { println!(\"{N}\") }\n";

#[test]
fn a_constant_that_is_computed_for_ever_is_the_codes_fault() {
    let root = with_limits("0.1.21", |manifest| manifest.replace("build_seconds = 120", "build_seconds = 2"));
    let began = Instant::now();
    let ran = grade(root.path(), ENDLESS);
    let took = began.elapsed();
    assert_eq!((ran.json()["outcome"].as_str(), ran.code), (Some("build_failed"), Some(3)), "{}", ran.stdout);
    let message = ran.json()["diagnostics"]["message"].to_string();
    assert!(message.contains("compiling took longer than 2 s of processor time"), "{message}");
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn code_that_fills_the_memory_while_it_is_compiled_is_its_own_fault() {
    if !cfg!(target_os = "linux") {
        return not_tried("limits", "this system does not bound the memory of a build");
    }
    let root = with_limits("0.1.22", |manifest| format!("{manifest}build_mebibytes = 48\n"));
    let ran = grade(root.path(), ENDLESS);
    assert_eq!((ran.json()["outcome"].as_str(), ran.code), (Some("build_failed"), Some(3)), "{}", ran.stdout);
    let message = ran.json()["diagnostics"]["message"].to_string();
    assert!(message.contains("compiling took more than 48 MiB of memory"), "{message}");
}

#[test]
fn no_file_from_outside_of_the_submission_gets_into_its_program_or_its_errors() {
    let secret = workspace().join("labs/tiny-1-greeter/checks/src/main.rs").canonicalize().unwrap();
    let word = "#[check(";
    assert!(fs::read_to_string(&secret).unwrap().contains(word));
    let file = secret.to_str().unwrap();
    for main in [
        format!("fn main() {{ println!(\"{{}}\", include_str!({file:?})) }}"),
        format!("fn main() {{ println!(\"{{:?}}\", include_bytes!({file:?})) }}"),
        format!("const _: () = panic!(\"{{}}\", include_str!({file:?}));\nfn main() {{}}"),
        format!("#[path = {file:?}]\nmod stolen;\nfn main() {{}}"),
        format!("include!({file:?});\nfn main() {{ missing() }}"),
    ] {
        let ran = grade(workspace(), &main);
        assert_eq!(
            (ran.json()["outcome"].as_str(), ran.code),
            (Some("build_failed"), Some(3)),
            "{main}: {}",
            ran.stdout
        );
        let message = ran.json()["diagnostics"]["message"].to_string();
        assert!(message.contains("which is no part of the submission"), "{main}: {message}");
        assert!(!ran.golden().contains(word), "{main}: {}", ran.golden());
    }
}

#[test]
fn another_program_in_the_place_of_the_one_that_was_built_is_not_graded() {
    let keep = submission("fn main() {}\n");
    let arguments = ["check", "tiny-1", "--submission", keep.path().to_str().unwrap(), "--format", "json"];
    let stages = folder().join("replaced");
    let graded = || Ran::of(command(&arguments).env("LAB_FOLDER", &stages).output().unwrap());
    assert_eq!(graded().json()["outcome"], "start_failed");
    let stage = fs::read_dir(stages.join("stage/tiny-1-greeter")).unwrap().next().unwrap().unwrap().path();
    let program = stage.join("out/debug/tiny-1-greeter");
    let (time, length) = (fs::metadata(&program).unwrap().modified().unwrap(), fs::metadata(&program).unwrap().len());
    // The same in all that the system tells of a file: its time and its length.
    let mut other = b"#!/bin/sh\necho another program >&2; exit 1\n".to_vec();
    other.resize(usize::try_from(length).unwrap(), b'\n');
    fs::remove_file(&program).unwrap();
    fs::write(&program, other).unwrap();
    let file = fs::File::options().append(true).open(&program).unwrap();
    file.set_modified(time).unwrap();
    drop(file);
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ran = graded();
    assert_eq!(ran.json()["outcome"], "start_failed", "{}", ran.stdout);
    assert!(!ran.stdout.contains("another program"), "{}", ran.stdout);
}

/// What somebody types into the user's terminal (TIOCSTI) needs that terminal: neither a build nor a server has it.
#[test]
fn neither_a_build_nor_a_server_has_the_users_terminal() {
    let keep = tempfile::tempdir().unwrap();
    let root = keep.path().canonicalize().unwrap();
    write_workspace(&root, "0.1.23");
    let lab = root.join("labs/tiny-1-greeter");
    use_built_suite(&root);
    let (build, server) = (keep.path().join("of-build"), keep.path().join("of-server"));
    let probe = |mark: &Path| {
        format!("std::fs::write({mark:?}, format!(\"{{:?}}\", std::fs::File::open(\"/dev/tty\").map(drop))).unwrap();")
    };
    fs::write(lab.join("build.rs"), format!("fn main() {{ {} }}\n", probe(&build))).unwrap();
    let solution = fs::read_to_string(lab.join("solution/src/main.rs")).unwrap();
    let main = solution.find("fn main()").unwrap();
    let body = main + solution[main..].find('{').unwrap() + 1;
    fs::write(lab.join("src/main.rs"), format!("{}\n{}{}", &solution[..body], probe(&server), &solution[body..]))
        .unwrap();
    // `script` gives what it runs a terminal of its own.
    let mut script = Command::new("script");
    script.args([
        "--quiet",
        "--return",
        "--command",
        &format!("test -c /dev/tty && : < /dev/tty && '{RUNNER}' check tiny-1"),
        "/dev/null",
    ]);
    script.current_dir(&root).env("CARGO_TARGET_DIR", target()).env("LAB_FOLDER", folder().join("terminal"));
    script.env_remove("LAB_WORKSPACE").env_remove("CARGO_MANIFEST_DIR").stdin(Stdio::null());
    let Ok(output) = script.output() else {
        return not_tried("terminals", "there is no program `script`, which makes a terminal");
    };
    let ran = Ran::of(output);
    assert_eq!(ran.code, Some(0), "{}", ran.golden());
    for mark in [build, server] {
        let seen = fs::read_to_string(&mark).unwrap();
        assert!(seen.starts_with("Err(Os { code: 6,"), "{}: {seen}", mark.display());
    }
}
