//! `cargo lab` in a workspace that cargo refuses to load: the alias, the launcher and cargo itself, with a runner that
//! says one word.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNNER: &str = "lab-runner/src/main.rs";
const OTHER: &str = "labs/step-2-b/Cargo.toml";

/// A checkout that is removed in the end.
struct Checkout(PathBuf);

/// What a user sees.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Checkout {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("lab-refusals-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let checkout = Self(fs::canonicalize(root).unwrap());
        let launcher = Path::new(env!("CARGO_MANIFEST_DIR"));
        let repository = launcher.ancestors().nth(3).unwrap();
        for folder in ["lab-runner/crates/launcher/src", "lab-runner/crates/launcher/start", ".cargo", "labs/.cargo"] {
            let to = checkout.0.join(folder);
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(repository.join(folder)).unwrap().map(Result::unwrap) {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
        let manifest = "lab-runner/crates/launcher/Cargo.toml";
        fs::copy(repository.join(manifest), checkout.0.join(manifest)).unwrap();
        checkout.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"lab-runner\", \"lab-runner/crates/*\", \"labs/*-[0-9]*\"]\n\
             [workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.95\"\n\
             license = \"MIT\"\npublish = false\n[workspace.lints.rust]\n\
             [profile.launcher]\ninherits = \"dev\"\n",
        );
        checkout.package("lab-runner", "lab-runner", "\n[[bin]]\nname = \"cargo-lab\"\npath = \"src/main.rs\"\n");
        checkout.package("labs/step-1-a", "step-1-a", "");
        checkout.package("labs/step-2-b", "step-2-b", "");
        checkout.write(RUNNER, "fn main() {\n    println!(\"ran\");\n}\n");
        checkout
    }

    fn package(&self, folder: &str, name: &str, more: &str) {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
        self.write(&format!("{folder}/Cargo.toml"), &manifest);
        self.write(&format!("{folder}/src/main.rs"), "fn main() {}\n");
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn append(&self, path: &str, text: &str) {
        let present = fs::read_to_string(self.0.join(path)).unwrap();
        self.write(path, &format!("{present}{text}"));
    }

    /// Changes the runner, so that it has to be built.
    fn make_stale(&self) {
        self.append(RUNNER, "// changed\n");
    }

    /// A file as it is now, to be put back by [`Self::write`].
    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap()
    }

    fn lab_in(&self, folder: &str, variables: &[(&str, &str)]) -> Ran {
        let output = self.command_in(folder, variables).output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn command_in(&self, folder: &str, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO"));
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME") {
                command.env_remove(name);
            }
        }
        command.env_remove("RUSTC_WRAPPER").env_remove("RUSTFLAGS").env_remove("CARGO");
        command
            .arg("lab")
            .current_dir(self.0.join(folder))
            .envs(variables.iter().copied())
            .env("CARGO_NET_OFFLINE", "true")
            .stdin(Stdio::null());
        command
    }

    fn lab(&self) -> Ran {
        self.lab_in("", &[])
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Ran {
    fn assert_ran(&self, why: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(0), "ran\n"), "{why}: {}", self.stderr);
    }

    /// Told in our words: two lines, with the exit code.
    fn assert_told(&self, code: i32, message: &str, hint: &str) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        let (first, second) = self.stderr.trim_end().split_once('\n').unwrap_or((&self.stderr, ""));
        assert_eq!(first, format!("error: {message}"), "{}", self.stderr);
        assert!(second.starts_with("hint: ") && second.contains(hint) && !second.contains('\n'), "{}", self.stderr);
    }
}

#[test]
fn a_workspace_that_cargo_refuses_runs_what_is_built_and_is_told_in_our_words() {
    let here = Checkout::new("all");
    here.lab().assert_ran("a first run");
    here.lab_in("labs/step-1-a/src", &[]).assert_ran("from a lab's subfolder");
    let lock = here.read("Cargo.lock");
    let other = here.read(OTHER);
    let root = here.read("Cargo.toml");

    here.append(OTHER, "<<<<<<< HEAD\nname = 1\n=======\n>>>>>>> theirs\n");
    here.lab().assert_ran("conflict markers in a lab's manifest");
    here.make_stale();
    let told = "labs/step-2-b/Cargo.toml:5: conflict markers of git are in it";
    here.lab().assert_told(2, told, "delete the lines that begin with <<<<<<<");
    here.write(OTHER, &other.replace("edition = ", "edition "));
    here.lab().assert_told(2, "labs/step-2-b/Cargo.toml:4: key with no value, expected `=`", "git checkout HEAD");
    here.write(OTHER, &format!("{other}\n[dependencies]\nnone = {{ path = \"../none\" }}\n"));
    here.lab().assert_told(2, "labs/step-2-b/Cargo.toml: No such file or directory (os error 2)", "git checkout HEAD");
    here.write(OTHER, &other);

    here.package("labs/step-2-b-old", "step-2-b", "");
    let told = "labs/step-2-b and labs/step-2-b-old are both the package `step-2-b`";
    here.lab().assert_told(2, told, "labs/step-2-b-old looks like the copy");
    fs::remove_dir_all(here.0.join("labs/step-2-b-old")).unwrap();

    fs::create_dir(here.0.join("labs/notes-2")).unwrap();
    here.lab().assert_told(2, "labs/notes-2 has no Cargo.toml, and its name is a lab's", "move the folder");
    fs::remove_dir(here.0.join("labs/notes-2")).unwrap();

    here.write("Cargo.lock", &format!("{lock}<<<<<<< HEAD\n"));
    let line = lock.lines().count() + 1;
    let told = format!("Cargo.lock:{line}: conflict markers of git are in it");
    here.lab().assert_told(2, &told, "git checkout --ours Cargo.lock");
    here.write("Cargo.lock", &lock);

    here.append("Cargo.toml", "=======\n");
    let told = format!("Cargo.toml:{}: conflict markers of git are in it", root.lines().count() + 1);
    here.lab().assert_told(2, &told, "delete the lines");
    here.write("Cargo.toml", &root);

    here.append(OTHER, "\n[dependencies]\nno-such-crate-anywhere = \"9\"\n");
    let told = "cargo could not download `no-such-crate-anywhere`, which labs/step-2-b/Cargo.toml asks for";
    here.lab().assert_told(4, told, "check the network");
    here.write(OTHER, &other);

    here.lab().assert_ran("everything is mended");
}

#[test]
fn an_editors_cargo_keeps_nobody_from_starting_and_is_named_when_it_is_waited_for() {
    let here = Checkout::new("locked");
    let first = here.lab_in("", &[("CARGO_TERM_QUIET", "true")]);
    first.assert_ran("a first run");
    assert!(first.stderr.contains("Compiling lab-runner"), "a quiet cargo hides the build: {}", first.stderr);
    // The first build writes Cargo.lock, and so is one whose inputs have changed meanwhile.
    here.lab().assert_ran("a second run");
    // As `cargo check` does while it is at work.
    let lock = fs::File::options().write(true).open(here.0.join("target/debug/.cargo-lock")).unwrap();
    lock.lock().unwrap();
    here.lab().assert_ran("nothing has to be compiled");
    here.lab_in("labs/step-1-a", &[]).assert_ran("nor from a lab's folder");
    here.make_stale();
    let began = Instant::now();
    let mut command = here.command_in("", &[]);
    let mut waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let line = said.next().unwrap().unwrap();
    let took = began.elapsed();
    lock.unlock().unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(0), "{line}");
    if cfg!(target_os = "linux") {
        let own = format!("(process {}", std::process::id());
        assert!(line.starts_with("waiting for `refusals-") && line.contains(&own), "{line}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

/// Where the paths of the root's alias lead nowhere, every folder has an alias of its own.
/// `lab-not-tried` has the same for the other crates. The launcher has no dependencies, not for its tests either: its manifest
/// stands in workspaces that have no table of them.
#[expect(clippy::print_stderr, reason = "a test that proves nothing says so")]
fn not_tried(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("not tried: {why}");
}

#[test]
fn every_folder_at_the_root_has_an_alias() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        return not_tried("git does not tell which folders are the repository's");
    };
    let files = String::from_utf8_lossy(&listed.stdout);
    let mut folders: Vec<&str> = files.split('\0').filter_map(|file| Some(file.split_once('/')?.0)).collect();
    folders.dedup();
    for folder in folders.iter().filter(|folder| !folder.starts_with('.')) {
        let alias = fs::read_to_string(root.join(folder).join(".cargo/config.toml"));
        assert!(alias.is_ok_and(|alias| alias.contains("lab-launcher")), "{folder}/.cargo/config.toml");
    }
}
