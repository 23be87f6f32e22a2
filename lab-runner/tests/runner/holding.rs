//! What surrounds a run and must make no difference: odd places, languages, terminals and settings. Each runs the real
//! grader on the tests' own lab.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::sandbox::{RUNNER, Ran, command, command_in, folder, target, workspace};

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
