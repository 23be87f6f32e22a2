//! `cargo lab mutant`: patches are made in copies of the solution, and follow the solution that they change.

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

fn mutant(root: &Path, arguments: &[&str]) -> Ran {
    let mut command = command_in(root, &[&["mutant"], arguments].concat());
    // No terminal: nothing is to be opened, whatever the user prefers.
    Ran::of(command.env("EDITOR", "false").env("LAB_FOLDER", root.join("lab")).output().unwrap())
}

/// Replaces `good` by `bad` in the draft's server.
fn misbehave(draft: &Path, good: &str, bad: &str) {
    let path = draft.join("src/main.rs");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(good), "{text}");
    fs::write(path, text.replace(good, bad)).unwrap();
}

#[test]
fn a_mutant_is_made_in_a_copy_of_the_solution_and_saved_once_it_is_caught() {
    let root = folder().join("mutant-new");
    let _ = fs::remove_dir_all(root.join("lab"));
    fs::create_dir_all(&root).unwrap();
    write_workspace(&root, "0.2.5");
    let saved = root.join("labs/tiny-1-greeter/mutants/mumbles.patch");
    let _ = fs::remove_file(&saved);
    let draft = root.join("lab/mutants/tiny-1-greeter/mumbles");

    let begun = mutant(&root, &["new", "tiny-1", "mumbles", "--fails", "echoes"]);
    assert_eq!(begun.code, Some(0), "{}", begun.golden());
    let told = "a copy of the solution  lab/mutants/tiny-1-greeter/mumbles\n\n  1. make the mistake in it: src\n  \
                2. cargo lab mutant save tiny-1 mumbles\n";
    assert!(begun.stdout.starts_with(told), "{}", begun.stdout);
    let unsaid = mutant(&root, &["save", "tiny-1", "mumbles"]);
    assert!(unsaid.stderr.contains("says in one line what it breaks"), "{}", unsaid.golden());
    let unchanged = mutant(&root, &["save", "tiny-1", "mumbles", "--breaks", "words are mumbled"]);
    assert!(unchanged.stderr.contains("nothing is changed yet in lab/mutants/"), "{}", unchanged.golden());

    misbehave(&draft, "word.to_owned()", "word.to_lowercase()");
    let again = mutant(&root, &["new", "tiny-1", "mumbles", "--fails", "echoes"]);
    assert!(again.code == Some(2) && again.stderr.contains("--restart"), "{}", again.golden());
    let missed = mutant(&root, &["save", "tiny-1", "mumbles"]);
    assert_eq!(missed.code, Some(1), "{}", missed.golden());
    assert!(missed.stdout.starts_with("missed  `echoes` lets it pass\n\nnot saved; "), "{}", missed.stdout);
    assert!(!saved.exists());

    misbehave(&draft, "Some(word) => (\"200 OK\", word.to_lowercase())", "Some(_) => (\"200 OK\", \"mm\".to_owned())");
    let unknown = mutant(&root, &["save", "tiny-1", "mumbles", "--fails", "echos"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("did you mean `echoes`?"), "{}", unknown.golden());
    let caught = mutant(&root, &["save", "tiny-1", "mumbles", "--fails", "echoes"]);
    let told = "caught  `echoes` fails it\nsaved   labs/tiny-1-greeter/mutants/mumbles.patch\n";
    assert_eq!((caught.code, caught.stdout.as_str()), (Some(0), told), "{}", caught.golden());
    let patch = fs::read_to_string(&saved).unwrap();
    assert!(patch.starts_with("Breaks: words are mumbled\nFails: echoes\n\n--- a/src/main.rs\n"), "{patch}");
    assert!(!draft.exists());

    let shown = mutant(&root, &["show", "tiny-1", "mumbles"]);
    assert_eq!(shown.stdout, format!("labs/tiny-1-greeter/mutants/mumbles.patch\n{patch}"));
    let edited = mutant(&root, &["edit", "tiny-1", "mumbles"]);
    assert_eq!(edited.code, Some(0), "{}", edited.golden());
    assert!(fs::read_to_string(draft.join("src/main.rs")).unwrap().contains("\"mm\""));
    assert!(fs::read_to_string(draft.join("mutant.txt")).unwrap().contains("Breaks: words are mumbled"));
    fs::write(draft.join("src/main.rs"), "fn main() { this is not rust }").unwrap();
    let broken = mutant(&root, &["save", "tiny-1", "mumbles"]);
    assert!(broken.code == Some(1) && broken.stdout.starts_with("not graded  "), "{}", broken.golden());
    assert_eq!(fs::read_to_string(&saved).unwrap(), patch);
    let _ = fs::remove_file(&saved);
}

#[test]
fn a_mutant_that_is_none_or_is_there_already_is_told_with_what_to_do() {
    let root = repository_of_its_own("mutant-refused");
    let cases: [(&[&str], &str); 5] = [
        (&["new", "tiny-1", "deaf", "--fails", "echoes"], "hint: `cargo lab mutant edit tiny-1 deaf` changes it"),
        (&["new", "tiny-1", "../deaf", "--fails", "echoes"], "cannot be a mutant's name"),
        (&["edit", "tiny-1", "dead"], "hint: did you mean `deaf`?"),
        (&["show", "tiny-1", "dead"], "hint: did you mean `deaf`?"),
        (&["save", "tiny-1", "dead"], "no work on a mutant `dead` of tiny-1 has been begun"),
    ];
    for (arguments, told) in cases {
        let ran = mutant(&root, arguments);
        assert!(ran.code == Some(2) && ran.stderr.contains(told), "{}", ran.golden());
    }
}

#[test]
fn what_a_patch_holds_is_shown_inert() {
    let root = repository_of_its_own("mutant-inert");
    let path = root.join("labs/tiny-1-greeter/mutants/deaf.patch");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("what?", "\u{1b}[2Jwhat?")).unwrap();
    let ran = mutant(&root, &["show", "tiny-1", "deaf"]);
    assert!(ran.stdout.contains("what?") && !ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
}
