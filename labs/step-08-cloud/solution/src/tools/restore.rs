//! `restore TIME`: the database as it was at a moment, from a backup made before it and the log since.
//!
//! The cluster that was backed up may have had any settings, and some of them would do harm here: it would send its log into
//! the archive of the one that it was. So what matters is set anew.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::ToolError;
use super::programs::{program, run, verify};
use crate::configuration::RestoreSettings;

/// How often to ask the cluster whether it has come to the moment.
const PAUSE: Duration = Duration::from_millis(50);
/// Any: it is the name of a socket that only we find.
const PORT: u16 = 5432;

/// Writes the database to standard output, as it was at `time`.
pub async fn restore(time: &OsStr, settings: &RestoreSettings) -> Result<(), ToolError> {
    let time = parse(time)?;
    verify(&settings.programs, &settings.backup).await?;
    copy(&settings.backup, &settings.target)?;
    let sockets = tempfile::tempdir().map_err(|error| ToolError::Io("a folder for sockets".into(), error))?;
    let cluster = Cluster::start(settings, time, sockets)?;
    let cluster = cluster.recovered().await?;
    let dump = cluster.dump().await?;
    cluster.stop().await?;
    // Only now: whoever reads half of a dump would take it for a whole one.
    let copied = std::fs::File::open(dump.path()).and_then(|mut file| io::copy(&mut file, &mut io::stdout()));
    copied.and_then(|_| io::stdout().flush()).map_err(|error| ToolError::Io("standard output".into(), error))
}

fn parse(time: &OsStr) -> Result<DateTime<Utc>, ToolError> {
    let text = time.to_str().ok_or(ToolError::Usage("TIME is no text"))?;
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| ToolError::Usage("TIME is as RFC 3339 has it"))?;
    Ok(time.to_utc())
}

/// Copies a folder with everything in it. Postgres wants to be the only one who can look into it.
fn copy(from: &Path, to: &Path) -> Result<(), ToolError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| ToolError::Io(path, error)
    };
    std::fs::create_dir_all(to).map_err(failed(to))?;
    std::fs::set_permissions(to, Permissions::from_mode(0o700)).map_err(failed(to))?;
    for entry in std::fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(failed(&path))?.is_dir() {
            copy(&path, &target)?;
        } else {
            std::fs::copy(&path, &target).map_err(failed(&path))?;
        }
    }
    Ok(())
}

/// A cluster that comes up, or is up.
struct Cluster<'a> {
    settings: &'a RestoreSettings,
    postgres: Child,
    sockets: TempDir,
}

impl<'a> Cluster<'a> {
    fn start(settings: &'a RestoreSettings, time: DateTime<Utc>, sockets: TempDir) -> Result<Self, ToolError> {
        let write = |path: PathBuf, text: &str| std::fs::write(&path, text).map_err(|error| ToolError::Io(path, error));
        let rules = sockets.path().join("pg_hba.conf");
        // Whoever reaches the socket is us: nobody else may look into its folder.
        write(rules.clone(), "local all all trust\n")?;
        write(settings.target.join("recovery.signal"), "")?;
        // Settings of the cluster that it was; ours come on the command line and have the last word anyway.
        write(settings.target.join("postgresql.auto.conf"), "")?;
        let mut command = program(&settings.programs, "postgres");
        command.arg("-D").arg(&settings.target);
        let (sockets_path, rules) = (sockets.path().display(), rules.display());
        set(
            &mut command,
            &[
                ("listen_addresses", String::new()),
                ("unix_socket_directories", sockets_path.to_string()),
                ("port", PORT.to_string()),
                ("hba_file", rules.to_string()),
                ("ssl", "off".into()),
                ("logging_collector", "off".into()),
                ("log_destination", "stderr".into()),
                ("archive_mode", "off".into()),
                ("synchronous_standby_names", String::new()),
                ("primary_conninfo", String::new()),
                ("restore_command", restore_command(&settings.archive)),
                ("recovery_target_time", moment(time)),
                ("recovery_target_timeline", "latest".into()),
                ("recovery_target_action", "promote".into()),
                ("hot_standby", "off".into()),
            ],
        );
        let postgres = command.spawn().map_err(|error| ToolError::Io(settings.programs.join("postgres"), error))?;
        Ok(Self { settings, postgres, sockets })
    }

    /// Waits until it has come to the moment. A cluster that cannot ends by itself: its log does not lead there, or is broken.
    async fn recovered(mut self) -> Result<Self, ToolError> {
        while !self.is_ready() {
            if let Some(status) = self.postgres.try_wait().map_err(|error| ToolError::Io("postgres".into(), error))? {
                return Err(ToolError::Program { program: "postgres", status });
            }
            sleep(PAUSE).await;
        }
        Ok(self)
    }

    /// Where `pg_ctl` looks as well: the eighth line of Postgres's lock file says how far it is. It is `ready` when nothing is
    /// left to be replayed, because it is no standby that could be read before.
    fn is_ready(&self) -> bool {
        let told = std::fs::read_to_string(self.settings.target.join("postmaster.pid")).unwrap_or_default();
        told.lines().nth(7).is_some_and(|status| status.trim() == "ready")
    }

    /// Writes the database as SQL into a file of ours.
    async fn dump(&self) -> Result<tempfile::NamedTempFile, ToolError> {
        let name = "pg_dump";
        let failed = |error| ToolError::Io("a file for the dump".into(), error);
        let file = tempfile::NamedTempFile::new().map_err(failed)?;
        let database = &self.settings.database;
        let mut command = program(&self.settings.programs, name);
        command.env("PGHOST", self.sockets.path()).env("PGPORT", PORT.to_string());
        command.args(["--no-password", "--username", &database.user(), "--dbname", &database.name()]);
        command.stdout(Stdio::from(file.reopen().map_err(failed)?));
        run(&self.settings.programs, name, &mut command).await?;
        Ok(file)
    }

    /// Ends it in good order: what was restored can be started again.
    async fn stop(mut self) -> Result<(), ToolError> {
        let name = "pg_ctl";
        let mut command = program(&self.settings.programs, name);
        command.args(["stop", "--mode=fast", "--wait", "--silent", "-D"]).arg(&self.settings.target);
        run(&self.settings.programs, name, &mut command).await?;
        self.postgres.wait().await.map_err(|error| ToolError::Io("postgres".into(), error))?;
        Ok(())
    }
}

fn set(command: &mut Command, settings: &[(&str, String)]) {
    for (name, value) in settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
}

/// As Postgres reads it before it knows the names of time zones, of which `Z` is one.
fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string()
}

/// What Postgres gives to a shell for each piece of the log. A percent sign means something to Postgres, a quote to the
/// shell.
fn restore_command(archive: &Path) -> String {
    let archive = archive.display().to_string().replace('%', "%%").replace('\'', r"'\''");
    format!("cp '{archive}'/%f \"%p\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_may_have_any_name() {
        assert_eq!(restore_command(Path::new("/wal of ours")), "cp '/wal of ours'/%f \"%p\"");
        assert_eq!(restore_command(Path::new("/it's 100%")), "cp '/it'\\''s 100%%'/%f \"%p\"");
    }

    #[test]
    fn a_moment_is_told_to_the_microsecond() {
        let time = parse(OsStr::new("2026-11-30T15:00:00.123456Z")).unwrap();
        assert_eq!(moment(time), "2026-11-30 15:00:00.123456+00");
        assert!(parse(OsStr::new("yesterday")).is_err());
    }
}
