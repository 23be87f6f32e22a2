//! `cargo lab test`: what submissions test themselves is run where they stand, with the services of their lab.

use std::fs;

use crate::sandbox::{Ran, command_in, folder, write_workspace};

#[test]
fn the_own_tests_of_a_solution_are_run_and_their_absence_is_told() {
    let root = folder().join("own-tests");
    let _ = fs::remove_dir_all(root.join("labs"));
    fs::create_dir_all(&root).unwrap();
    write_workspace(&root, "0.2.5");
    let solution = root.join("labs/tiny-1-greeter/solution/src/main.rs");
    let without = fs::read_to_string(&solution).unwrap();
    let test = || Ran::of(command_in(&root, &["test", "--solution"]).output().unwrap());

    let none = test();
    assert_eq!((none.code, none.stdout.contains("it has no tests of its own")), (Some(1), true), "{}", none.golden());

    let with = |body: &str| fs::write(&solution, format!("{without}\n#[test]\nfn adds() {{ {body} }}\n")).unwrap();
    with("assert_eq!(1 + 1, 2);");
    let passed = test();
    assert_eq!(passed.code, Some(0), "{}", passed.golden());
    assert!(passed.stdout.starts_with("passed  tiny-1  1 test, "), "{}", passed.golden());

    with("assert_eq!(1 + 1, 3, \"\\u{1b}[2J\");");
    let failed = test();
    assert_eq!(failed.code, Some(1), "{}", failed.golden());
    assert!(failed.stdout.starts_with("failed  tiny-1\n") && failed.stdout.contains("right: 3"), "{}", failed.golden());
    assert!(!failed.stdout.contains('\u{1b}'), "{}", failed.golden());
}
