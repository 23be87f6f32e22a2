//! What surrounds a run: the user's variables, and what else lies in the checkout.

use std::fs;
use std::process::{Command, Stdio};

use crate::sandbox::{Ran, command, command_in, folder, workspace, write_workspace};

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
