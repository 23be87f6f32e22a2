//! Whose fault a failed build is: nothing that a submission can write makes it the machine's.

use std::fs;
use std::path::Path;

use crate::sandbox::{Ran, command};

/// What cargo, rustc, linkers and the system say when the machine is at fault.
const SIGNS: [&str; 11] = [
    "No space left on device (os error 28)",
    "Disk quota exceeded",
    "failed to download `serde v1.0.0`",
    "Could not resolve host: index.crates.io",
    "failed to get `serde` as a dependency",
    "spurious network error (3 tries remaining)",
    "linker `cc` not found",
    "Cannot allocate memory",
    "error: could not execute process `rustc` (never executed)",
    "process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)",
    "Blocking waiting for file lock on build directory",
];

fn grade(main: &str) -> Ran {
    let keep = tempfile::tempdir().unwrap();
    let folder: &Path = keep.path();
    fs::create_dir(folder.join("src")).unwrap();
    fs::write(folder.join("src/main.rs"), main).unwrap();
    let arguments = ["check", "tiny-1", "--submission", folder.to_str().unwrap(), "--format", "json"];
    Ran::of(command(&arguments).output().unwrap())
}

fn is_its_own_fault(main: &str) -> Ran {
    let ran = grade(main);
    assert_eq!(ran.json()["outcome"], "build_failed", "{}", ran.stdout);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    ran
}

#[test]
fn a_compile_error_decides_nothing_by_its_text() {
    for sign in SIGNS {
        let ran = is_its_own_fault(&format!("fn main() {{}}\ncompile_error!({sign:?});\n"));
        assert!(ran.stdout.contains(sign.split('`').next().unwrap().trim()), "{}", ran.stdout);
    }
    // Cargo itself keeps this one to itself.
    is_its_own_fault("fn main() {}\ncompile_error!(\"aborting due to 2 previous errors\");\n");
}

#[test]
fn neither_do_several_nor_a_panic_of_the_compiler_at_work() {
    let errors: String = SIGNS.iter().map(|sign| format!("compile_error!({sign:?});\n")).collect();
    is_its_own_fault(&format!("fn main() {{}}\n{errors}"));
    is_its_own_fault("const _: () = panic!(\"No space left on device (os error 28)\");\nfn main() {}\n");
    is_its_own_fault("fn main() { include_str!(\"No space left on device (os error 28)\"); }\n");
}

#[test]
fn nor_what_a_linker_repeats_of_the_code() {
    is_its_own_fault(
        "#[link(name = \"No space left on device\")]\nunsafe extern \"C\" { fn absent(); }\n\
         fn main() { unsafe { absent() } }\n",
    );
}
