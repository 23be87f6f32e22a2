//! The template: a data folder made by `initdb` once, which every new instance is a copy of.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lab_files::FileLock;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::verifier;
use crate::account::Account;
use crate::command::last_lines;
use crate::environment::{self, Purpose};
use crate::error::ProviderError;
use crate::program::{Preparation, Program};
use crate::secret::Secret;

/// Counts the changes to how a template is made that its arguments do not show.
const LAYOUT: u8 = 2;

/// The databases that `initdb` makes.
const SYSTEM_DATABASES: [&str; 3] = ["template0", "template1", "postgres"];

/// A data folder that nobody runs, ready to be copied.
#[derive(Debug)]
pub(super) struct Template {
    /// The folder to copy.
    pub(super) data: PathBuf,
    pub(super) facts: Facts,
}

/// What is known of a template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Tells this template's copies from another's.
    pub(super) id: String,
    /// The administrator's.
    pub(super) password: Secret,
}

/// The template for the program, made now if there is none.
pub(super) fn get(preparation: &Preparation<'_>) -> Result<Template, ProviderError> {
    let Preparation { program, cache, progress } = preparation;
    let place = cache.folder("templates")?.join(name(program));
    if let Some(template) = load(&place) {
        return Ok(template);
    }
    let _lock = FileLock::acquire(beside(&place, "lock")).map_err(|error| failed(&error))?;
    // Another run may have made it while we waited.
    if let Some(template) = load(&place) {
        return Ok(template);
    }
    progress.report(format!("preparing {} (once)", program.name()));
    make(program, &place, cache.account())?;
    load(&place).ok_or_else(|| ProviderError::new("the template database was created but cannot be read"))
}

fn failed(error: &io::Error) -> ProviderError {
    ProviderError::io("create the template database", error)
}

/// One template for each version and set of `initdb` arguments: its data folder serves no other.
fn name(program: &Program) -> String {
    let mut digest = Sha256::new();
    digest.update([LAYOUT]);
    digest.update(program.path.as_os_str().as_encoded_bytes());
    for argument in arguments(program, Locale::Utf8) {
        digest.update(argument);
        digest.update([0]);
    }
    format!("postgres-{}-{}", program.version, &hex::encode(digest.finalize())[..8])
}

/// A path beside the template's. `with_extension` would take the version's last number for one.
fn beside(place: &Path, ending: &str) -> PathBuf {
    let mut path = place.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    PathBuf::from(path)
}

fn load(place: &Path) -> Option<Template> {
    let facts = fs::read(place.join("facts.json")).ok()?;
    Some(Template { data: place.join("data"), facts: serde_json::from_slice(&facts).ok()? })
}

fn make(program: &Program, place: &Path, account: Account) -> Result<(), ProviderError> {
    let unfinished = beside(place, "unfinished");
    for old in [&unfinished, &place.to_owned()] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(|error| failed(&error))?;
        }
    }
    // The umask takes bits away from a new folder's mode, and initdb may run under another account.
    DirBuilder::new()
        .mode(account.passage())
        .create(&unfinished)
        .and_then(|()| fs::set_permissions(&unfinished, fs::Permissions::from_mode(account.passage())))
        .map_err(|error| failed(&error))?;
    let facts = Facts { id: Secret::random().expose()[..8].to_owned(), password: Secret::random() };
    let made = fill(program, &unfinished, account, &facts);
    if made.is_err() {
        let _ = fs::remove_dir_all(&unfinished);
    }
    made?;
    fs::rename(&unfinished, place).map_err(|error| failed(&error))
}

fn fill(program: &Program, folder: &Path, account: Account, facts: &Facts) -> Result<(), ProviderError> {
    let data = folder.join("data");
    DirBuilder::new().mode(0o700).create(&data).and_then(|()| account.own(&data)).map_err(|error| failed(&error))?;
    let password = folder.join("password");
    write_private(&password, verifier(facts.password.expose()).as_bytes())
        .and_then(|()| account.own(&password))
        .map_err(|error| failed(&error))?;
    let mut result = initdb(program, folder, account, Locale::Utf8);
    if result.is_err() {
        // Not every system has the locale C.UTF-8; without it, upper() and lower() know ASCII alone.
        empty(&data).map_err(|error| failed(&error))?;
        result = initdb(program, folder, account, Locale::Plain);
    }
    result?;
    fs::remove_file(&password).map_err(|error| failed(&error))?;
    for database in SYSTEM_DATABASES {
        compact(program, folder, account, database)?;
    }
    let text = serde_json::to_vec(facts).map_err(|error| ProviderError::new(error.to_string()))?;
    write_private(&folder.join("facts.json"), &text).map_err(|error| failed(&error))?;
    // Servers get copies: from now on nobody but us needs to reach it.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(|error| failed(&error))
}

/// How a template sorts text and tells letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locale {
    /// By code point, with Unicode's letters.
    Utf8,
    /// By code point, with ASCII's letters.
    Plain,
}

fn arguments(program: &Program, locale: Locale) -> Vec<&'static str> {
    let mut arguments = vec![
        "--username=postgres",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-sync",
        "--no-instructions",
        // The smallest there is: a template of 29 MB in place of 39.
        "--wal-segsize=1",
        "--lc-messages=C",
    ];
    // From 17 on Postgres brings the locale itself.
    let built_in = program.version.major() >= 17;
    match locale {
        Locale::Utf8 if built_in => {
            arguments.extend(["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"])
        }
        Locale::Utf8 => arguments.push("--locale=C.UTF-8"),
        Locale::Plain => arguments.push("--no-locale"),
    }
    arguments
}

fn initdb(program: &Program, folder: &Path, account: Account, locale: Locale) -> Result<(), ProviderError> {
    let path = program.path.with_file_name("initdb");
    let mut command = Command::new(&path);
    environment::restrict(&mut command, Purpose::Server);
    account.apply(&mut command);
    command.args(arguments(program, locale)).arg("--pgdata").arg(folder.join("data"));
    command.arg("--pwfile").arg(folder.join("password")).current_dir(folder).stdin(Stdio::null());
    lab_process::die_with_parent(&mut command, lab_process::Signal::INT);
    let output =
        command.output().map_err(|error| ProviderError::io(format_args!("start {}", path.display()), &error))?;
    judge(&path, &output, folder)
}

/// An error if `program` says that it has failed in `folder`.
fn judge(program: &Path, output: &Output, folder: &Path) -> Result<(), ProviderError> {
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("No space left") {
        return Err(ProviderError::new(format!(
            "there is no disk space left to create a database in {}",
            folder.display()
        ))
        .full());
    }
    Err(ProviderError::new(format!("{} failed ({}):{}", program.display(), output.status, last_lines(&text))))
}

/// Has `database` hold nothing that it does not need: every check's is a copy of the first, an eighth smaller by this, and of
/// a quarter fewer files. Without a server beside it, Postgres lets itself into the database that nobody may connect to.
fn compact(program: &Program, folder: &Path, account: Account, database: &str) -> Result<(), ProviderError> {
    let mut command = Command::new(&program.path);
    environment::restrict(&mut command, Purpose::Server);
    account.apply(&mut command);
    command.args(["--single", "-F", "-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-D"]);
    command.arg(folder.join("data")).arg(database).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    lab_process::die_with_parent(&mut command, lab_process::Signal::INT);
    let mut run = || -> io::Result<Output> {
        let mut child = command.spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // If it ends before it has read this, its exit code says more.
            let _ = input.write_all(b"vacuum (full, freeze)\n");
        }
        child.wait_with_output()
    };
    let output = run().map_err(|error| ProviderError::io(format_args!("start {}", program.path.display()), &error))?;
    judge(&program.path, &output, folder)
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
    }
    Ok(())
}

fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(bytes)
}
