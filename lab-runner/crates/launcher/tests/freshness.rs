//! Every way in which an old program has passed for a new one, with a workspace of two packages and cargo itself.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use lab_launcher::Artifact;

const HOUR: Duration = Duration::from_secs(3600);
const MAIN: &str = "app/src/main.rs";
const LIBRARY: &str = "part/src/lib.rs";

/// A checkout of the workspace. Its program prints what its sources say.
struct Checkout {
    root: PathBuf,
    target: PathBuf,
}

/// A folder that is removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lab-freshness-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(fs::canonicalize(folder).unwrap())
    }

    fn checkout(&self, name: &str) -> Checkout {
        let root = self.0.join(name);
        let checkout = Checkout { target: root.join("target"), root };
        checkout.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"part\"]\n");
        checkout.write(
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\npart = { path = \"../part\" }\n",
        );
        checkout.write("part/Cargo.toml", "[package]\nname = \"part\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        checkout.write(MAIN, "fn main() {\n    println!(\"main one, {}\", part::WORD);\n}\n");
        checkout.write(LIBRARY, "pub const WORD: &str = \"part one\";\n");
        checkout
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Checkout {
    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a file as `cp -p` does: with its own time, an hour ago.
    fn put_back(&self, path: &str, text: &str) {
        self.write(path, text);
        set_time(&self.root.join(path), SystemTime::now() - HOUR);
    }

    fn program(&self) -> Artifact {
        Artifact::new(&self.executable(), &self.root)
    }

    fn executable(&self) -> PathBuf {
        self.target.join("debug/app")
    }

    fn is_fresh(&self) -> bool {
        self.program().is_fresh()
    }

    fn cargo(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new(env!("CARGO"));
        for name in ["CARGO_BUILD_BUILD_DIR", "CARGO_BUILD_TARGET", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .args(["--quiet", "--offline"])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .stderr(Stdio::null());
        command.status().unwrap().success()
    }

    /// Builds as the launcher does, with something happening while cargo is at work. Tells whether it was recorded.
    fn build_while(&self, meanwhile: impl FnOnce()) -> bool {
        let mut build = self.program().before_build(|| ());
        let mut clean = vec!["clean"];
        let overlooked: Vec<String> = build.overlooked().map(str::to_owned).collect();
        overlooked.iter().for_each(|name| clean.extend(["--package", name]));
        if clean.len() > 1 {
            assert!(self.cargo(&clean));
            build.cleaned();
        }
        assert!(self.cargo(&["build", "--package", "app"]));
        meanwhile();
        build.finish(&self.executable()).unwrap()
    }

    fn build(&self) {
        self.build_while(|| ());
    }

    fn says(&self) -> String {
        let output = Command::new(self.executable()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What a user gets: the program, built first unless it is fresh.
    fn run(&self) -> String {
        if !self.is_fresh() {
            self.build();
        }
        self.says()
    }

    /// Changes the times of everything that was built.
    fn shift_products(&self, later: Duration) {
        fn walk(folder: &Path, later: Duration) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, later);
                } else {
                    set_time(&path, path.metadata().unwrap().modified().unwrap() + later);
                }
            }
        }
        walk(&self.target, later);
    }
}

fn set_time(path: &Path, time: SystemTime) {
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn what_was_built_and_not_changed_is_fresh() {
    let scratch = Scratch::new("fresh");
    let here = scratch.checkout("here");
    assert!(!here.is_fresh());
    // The first build writes Cargo.lock, which makes it one whose inputs changed meanwhile.
    here.build();
    here.build();
    assert!(here.is_fresh());
    assert_eq!(here.says(), "main one, part one");
}

#[test]
fn a_new_time_alone_makes_nothing_stale() {
    let scratch = Scratch::new("touched");
    let here = scratch.checkout("here");
    here.build();
    here.build();
    set_time(&here.root.join(MAIN), SystemTime::now() + HOUR);
    assert!(here.is_fresh());
    set_time(&here.root.join(MAIN), SystemTime::now() - HOUR);
    assert!(here.is_fresh());
}

#[test]
fn an_older_file_that_is_put_back_is_built() {
    let scratch = Scratch::new("older");
    let here = scratch.checkout("here");
    here.build();
    here.build();
    here.put_back(LIBRARY, "pub const WORD: &str = \"part two\";\n");
    assert!(!here.is_fresh());
    assert_eq!(here.run(), "main one, part two");
    assert!(here.is_fresh());
}

#[test]
fn an_older_file_of_the_same_length_and_time_is_built() {
    let scratch = Scratch::new("same-time");
    let here = scratch.checkout("here");
    here.build();
    here.build();
    let path = here.root.join(LIBRARY);
    let time = path.metadata().unwrap().modified().unwrap();
    here.write(LIBRARY, "pub const WORD: &str = \"part 222\";\n");
    set_time(&path, time);
    assert!(!here.is_fresh());
    assert_eq!(here.run(), "main one, part 222");
}

#[test]
fn an_older_file_is_built_although_cargo_was_asked_in_between() {
    let scratch = Scratch::new("between");
    let here = scratch.checkout("here");
    here.build();
    here.build();
    here.write(LIBRARY, "pub const WORD: &str = \"part two\";\n");
    assert!(here.cargo(&["build", "--package", "app"]));
    here.put_back(LIBRARY, "pub const WORD: &str = \"part three\";\n");
    assert_eq!(here.run(), "main one, part three");
}

#[test]
fn an_older_file_over_what_only_cargo_has_built_is_built() {
    let scratch = Scratch::new("plain");
    let here = scratch.checkout("here");
    assert!(here.cargo(&["build", "--package", "app"]));
    here.put_back(LIBRARY, "pub const WORD: &str = \"part two\";\n");
    assert_eq!(here.run(), "main one, part two");
}

#[test]
fn a_file_that_is_saved_while_cargo_builds_is_built_the_next_time() {
    let scratch = Scratch::new("meanwhile");
    let here = scratch.checkout("here");
    here.build();
    here.build();
    here.write(MAIN, "fn main() {\n    println!(\"main two, {}\", part::WORD);\n}\n");
    assert!(!here.build_while(|| here.write(LIBRARY, "pub const WORD: &str = \"part two\";\n")));
    assert!(!here.is_fresh());
    assert_eq!(here.run(), "main two, part two");
    assert!(here.is_fresh());
}

#[test]
fn an_older_file_that_is_put_back_while_cargo_builds_is_built_the_next_time() {
    let scratch = Scratch::new("meanwhile-older");
    let here = scratch.checkout("here");
    assert!(!here.build_while(|| here.put_back(LIBRARY, "pub const WORD: &str = \"part two\";\n")));
    assert_eq!(here.run(), "main one, part two");
}

#[test]
fn a_copied_checkout_builds_its_own_program() {
    let scratch = Scratch::new("copy");
    let here = scratch.checkout("here");
    here.write(MAIN, "fn main() {\n    println!(\"{}\", env!(\"CARGO_MANIFEST_DIR\"));\n}\n");
    here.build();
    here.build();
    let there = Checkout { root: scratch.0.join("there"), target: scratch.0.join("there/target") };
    copy(&here.root, &there.root);
    assert!(!there.is_fresh());
    assert_eq!(there.run(), there.root.join("app").to_str().unwrap());
    assert!(here.is_fresh());
}

#[test]
fn a_copied_checkout_that_only_cargo_has_built_builds_its_own_program() {
    let scratch = Scratch::new("plain-copy");
    let here = scratch.checkout("here");
    here.write(MAIN, "fn main() {\n    println!(\"{}\", env!(\"CARGO_MANIFEST_DIR\"));\n}\n");
    assert!(here.cargo(&["build", "--package", "app"]));
    let there = Checkout { root: scratch.0.join("there"), target: scratch.0.join("there/target") };
    copy(&here.root, &there.root);
    assert_eq!(there.run(), there.root.join("app").to_str().unwrap());
}

#[test]
fn a_copied_checkout_that_includes_a_file_of_another_workspace_builds_its_own_program() {
    let scratch = Scratch::new("alone");
    let here = scratch.checkout("here");
    here.write(
        "app/alone/Cargo.toml",
        "[package]\nname = \"alone\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n",
    );
    here.write("app/alone/word.txt", "alone");
    here.write(MAIN, "fn main() {\n    println!(\"{}\", include_str!(\"../alone/word.txt\"));\n}\n");
    here.build();
    let there = Checkout { root: scratch.0.join("there"), target: scratch.0.join("there/target") };
    copy(&here.root, &there.root);
    there.put_back("app/alone/word.txt", "there");
    assert_eq!(there.run(), "there");
}

#[test]
fn checkouts_that_share_a_target_folder_each_run_their_own_program() {
    let scratch = Scratch::new("shared");
    let (here, mut there) = (scratch.checkout("here"), scratch.checkout("there"));
    there.target = here.target.clone();
    there.put_back(LIBRARY, "pub const WORD: &str = \"part two\";\n");
    here.build();
    here.build();
    assert_eq!(there.run(), "main one, part two");
    assert_eq!(here.run(), "main one, part one");
    // A build that fails has compiled a part nevertheless.
    there.write(MAIN, "fn main() { nothing }\n");
    let mut build = there.program().before_build(|| ());
    assert!(there.cargo(&["clean", "--package", "app", "--package", "part"]));
    build.cleaned();
    assert!(!there.cargo(&["build", "--package", "app"]));
    // It is over: whoever builds next may lock the folder.
    drop(build);
    here.write(MAIN, "fn main() {\n    println!(\"main three, {}\", part::WORD);\n}\n");
    assert_eq!(here.run(), "main three, part one");
}

#[test]
fn a_course_that_is_unpacked_over_an_older_one_is_built() {
    let scratch = Scratch::new("zip");
    let here = scratch.checkout("here");
    here.build();
    here.build();
    for (path, text) in [
        (MAIN, "fn main() {\n    println!(\"main two, {}\", part::WORD);\n}\n"),
        (LIBRARY, "pub const WORD: &str = \"part two\";\n"),
    ] {
        here.put_back(path, text);
    }
    assert_eq!(here.run(), "main two, part two");
}

#[test]
fn a_change_after_the_clock_was_set_back_is_built() {
    let scratch = Scratch::new("clock");
    let here = scratch.checkout("here");
    here.build();
    // As if built an hour from now: then the clock was set back.
    here.shift_products(HOUR);
    here.build();
    assert!(here.is_fresh());
    here.write(LIBRARY, "pub const WORD: &str = \"part two\";\n");
    assert!(!here.is_fresh());
    assert_eq!(here.run(), "main one, part two");
}

#[test]
fn manifests_settings_and_toolchains_count() {
    let scratch = Scratch::new("settings");
    let here = scratch.checkout("here");
    here.build();
    here.build();
    let others = [
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"part\"]\n[profile.dev]\ndebug = 0\n"),
        ("part/Cargo.toml", "[package]\nname = \"part\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        (".cargo/config.toml", "[build]\njobs = 1\n"),
        (".cargo/config.toml", "[build]\njobs = 2\n"),
        ("rust-toolchain.toml", "[toolchain]\n"),
        ("part/build.rs", "fn main() {}\n"),
    ];
    for (path, text) in others {
        here.write(path, text);
        set_time(&here.root.join(path), SystemTime::now() - HOUR);
        assert!(!here.is_fresh(), "{path}");
        fs::remove_file(here.root.join("rust-toolchain.toml")).ok();
        here.build();
        here.build();
        assert!(here.is_fresh(), "{path}");
    }
}

#[test]
fn a_file_in_a_folder_that_a_build_script_watches_counts() {
    let scratch = Scratch::new("folder");
    let here = scratch.checkout("here");
    here.write("app/migrations/1.sql", "one");
    here.write(
        "app/build.rs",
        "fn main() {\n    println!(\"cargo::rerun-if-changed=migrations\");\n    let names = std::fs::read_dir(\"migrations\").unwrap().count();\n    println!(\"cargo::rustc-env=NAMES={names}\");\n}\n",
    );
    here.write(MAIN, "fn main() {\n    println!(\"{}\", env!(\"NAMES\"));\n}\n");
    here.build();
    here.build();
    assert_eq!(here.run(), "1");
    here.put_back("app/migrations/2.sql", "two");
    assert!(!here.is_fresh());
    assert_eq!(here.run(), "2");
}

#[test]
fn another_program_in_its_place_is_not_fresh() {
    let scratch = Scratch::new("other");
    let here = scratch.checkout("here");
    here.build();
    here.build();
    fs::remove_file(here.executable()).unwrap();
    fs::copy(env!("CARGO"), here.executable()).unwrap();
    assert!(!here.is_fresh());
}
