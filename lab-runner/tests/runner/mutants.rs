//! `cargo lab mutant refresh`: patches follow the solution that they change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::assert_golden;
use crate::sandbox::{Ran, command_in, folder, write_workspace};

/// A repository with the tests' lab in it, whose solution is committed as its mutants were made for it.
fn repository_of_its_own(name: &str) -> PathBuf {
    let root = folder().join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    write_workspace(&root, "0.1.0");
    git(&root, &["init", "--quiet"]);
    commit(&root);
    root
}

fn commit(root: &Path) {
    git(root, &["add", "labs"]);
    git(root, &["-c", "user.name=Tests", "-c", "user.email=tests@example.org", "commit", "--quiet", "-m", "A change"]);
}

fn git(root: &Path, arguments: &[&str]) {
    let status = Command::new("git").args(arguments).current_dir(root).status().unwrap();
    assert!(status.success(), "git {arguments:?}");
}

fn refresh(root: &Path, arguments: &[&str]) -> Ran {
    Ran::of(command_in(root, &[&["mutant", "refresh"], arguments].concat()).output().unwrap())
}

/// Changes the solution, and commits it if `committed`.
fn change(root: &Path, changes: &[(&str, &str)], committed: bool) {
    let path = root.join("labs/tiny-1-greeter/solution/src/main.rs");
    let mut text = fs::read_to_string(&path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    fs::write(&path, text).unwrap();
    if committed {
        commit(root);
    }
}

fn patch(root: &Path, name: &str) -> String {
    fs::read_to_string(root.join(format!("labs/tiny-1-greeter/mutants/{name}.patch"))).unwrap()
}

/// What the hash of a commit is depends on when it was made.
fn masked(ran: &Ran) -> String {
    let words = ran.golden();
    let hash = |word: &str| word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mask = |word: &str| {
        if hash(word.trim_end_matches(',')) {
            word.replace(word.trim_end_matches(','), "[commit]")
        } else {
            word.to_owned()
        }
    };
    words.lines().map(|line| line.split(' ').map(mask).collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn patches_follow_a_solution_that_has_moved_and_those_that_cannot_are_told_with_the_reason() {
    let root = repository_of_its_own("refresh");
    let fits = refresh(&root, &["tiny-1"]);
    assert_eq!(
        (fits.code, fits.stdout.as_str()),
        (
            Some(0),
            "3 patches: 3 fit, 0 to be rewritten, 0 cannot be carried over\n"
                .replace("to be rewritten", "rewritten")
                .as_str()
        )
    );

    // Down by two lines, and then changed around one mutant and in the line of another; the last change is not
    // committed yet.
    change(&root, &[("fn main()", "// One thread\n// for each client.\nfn main()")], true);
    let moved = refresh(&root, &["tiny-1", "--mutant", "deaf", "--dry-run"]);
    let before = patch(&root, "deaf");
    assert_golden!(masked(&moved));
    assert!(before.contains("@@ -20,5"), "a dry run writes nothing");
    change(
        &root,
        &[("let mut reader = BufReader::new(stream.try_clone()?);", "let mut reader = BufReader::new(&stream);")],
        true,
    );
    change(
        &root,
        &[("Some(word) => (\"200 OK\", word.to_owned())", "Some(word) => (\"200 OK\", word.to_string())")],
        false,
    );
    let ran = refresh(&root, &[]);
    assert_golden!(masked(&ran));
    assert_eq!(patch(&root, "deaf"), before, "what cannot be carried over stays as it is");
    for name in ["sulks", "shouts"] {
        insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(format!("refreshed_{name}"), patch(&root, name));
        });
    }
    let again = refresh(&root, &["tiny-1", "--mutant", "sulks,shouts"]);
    assert_eq!(again.stdout, "2 patches: 2 fit, 0 rewritten, 0 cannot be carried over\n");
}

#[test]
fn a_mutant_to_refresh_that_is_none_is_refused_with_the_nearest_name() {
    let root = repository_of_its_own("refresh-unknown");
    let ran = refresh(&root, &["tiny-1", "--mutant", "shout"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.stderr, "error: tiny-1 has no mutant `shout`\n\nhint: did you mean `shouts`?\n");
}
