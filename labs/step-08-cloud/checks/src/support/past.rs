//! A cluster with a past: its rows, its backup, its log, and the two tools that are to bring back what was.

use std::path::{Path, PathBuf};

use lab_kit::prelude::*;
use lab_kit::{Files, ProgramBuilder};
use lab_postgres::{LabCluster as _, OwnCluster};

/// How long a tool may take on a busy machine: it copies some 40 MB twice, and starts a server.
const TOOL: Duration = Duration::from_secs(40);
/// Where the programs find what they need, and what they make.
const PLACES: [&str; 3] = ["BACKUP_DIR", "WAL_ARCHIVE", "RESTORE_DIR"];

/// A cluster, and what is kept of it.
#[derive(Debug)]
pub struct Past<'a> {
    lab: &'a Lab,
    cluster: OwnCluster,
    /// What of Postgres is on this machine.
    installation: Vec<PathBuf>,
    backup: PathBuf,
    archive: PathBuf,
    /// A row from before the backup.
    pub first: String,
}

/// What has happened since the backup, in this order.
#[derive(Debug)]
pub struct Since {
    pub second: String,
    /// A moment between the second row and the third.
    pub earlier: String,
    /// Written when the first was deleted.
    pub third: String,
    /// A moment between the third row and the last.
    pub later: String,
    pub last: String,
}

/// What a run of `restore` has left.
#[derive(Debug)]
pub struct Restored {
    pub done: Finished,
    folder: PathBuf,
}

impl<'a> Past<'a> {
    /// A cluster with a row.
    pub async fn begin(lab: &'a Lab) -> CheckResult<Self> {
        let cluster = lab.cluster().await?;
        let (backup, archive, first) = (lab.folder()?, lab.folder()?, lab.word());
        // As it is where somebody has set it up: whatever is started from its files would archive to the same place.
        cluster.leave_setting("archive_mode", "on").await?;
        cluster.leave_setting("archive_command", &format!("cp \"%p\" \"{}/%f\"", archive.display())).await?;
        let table = "create table ledger (id bigint generated always as identity primary key, entry text not null);
                     create table moment (name text primary key, at timestamptz not null)";
        cluster.sql(table).await?;
        cluster.sql(&insert(&first)).await?;
        let installation = cluster.installation().await?;
        Ok(Self { lab, cluster, installation, backup, archive, first })
    }

    /// Runs `backup`, which succeeds.
    pub async fn back_up(&self) -> CheckResult {
        let done = self.tool().arg("backup").env(PLACES[0], &text(&self.backup)).run().await?;
        done.expect_code(0).because("the cluster runs, its role may replicate, and the folder is empty")?;
        Ok(())
    }

    /// Has it live on, and ends it: all of its log is in the archive then.
    pub async fn end(&self) -> CheckResult<Since> {
        let (second, third, last) = (self.lab.word(), self.lab.word(), self.lab.word());
        // The moments are in the middle of a second, and some milliseconds away from every commit.
        let sql = format!(
            "select pg_sleep(case when f < 0.1 then 0.1 - f when f > 0.7 then 1.1 - f else 0 end)
                 from (select extract(epoch from clock_timestamp()) % 1 as f) as now;
             begin; {}; commit;
             select pg_sleep(0.02);
             begin; insert into moment values ('earlier', clock_timestamp()); commit;
             select pg_sleep(0.02);
             begin; {}; delete from ledger where entry = '{}'; commit;
             select pg_sleep(0.02);
             begin; insert into moment values ('later', clock_timestamp()); commit;
             select pg_sleep(0.02);
             begin; {}; commit",
            insert(&second),
            insert(&third),
            self.first,
            insert(&last),
        );
        self.cluster.sql(&sql).await?;
        let (earlier, later) = (self.moment("earlier").await?, self.moment("later").await?);
        self.cluster.stop().await?;
        self.keep_log()?;
        Ok(Since { second, earlier, third, later, last })
    }

    async fn moment(&self, name: &str) -> CheckResult<String> {
        let format = r#"YYYY-MM-DD"T"HH24:MI:SS.US"Z""#;
        let sql = format!("select to_char(at at time zone 'UTC', '{format}') from moment where name = '{name}'");
        self.cluster.text(&sql).await
    }

    /// Copies the log to where the tool finds it.
    fn keep_log(&self) -> CheckResult {
        let from = self.cluster.wal_archive();
        let copy = || {
            for entry in from.read_dir()? {
                let entry = entry?;
                std::fs::copy(entry.path(), self.archive.join(entry.file_name()))?;
            }
            Ok::<_, std::io::Error>(())
        };
        copy().ours("copying the log of a cluster")
    }

    /// Runs `restore` in a new folder, and expects that the archive is as it was.
    pub async fn restore(&self, time: &str) -> CheckResult<Restored> {
        let folder = self.lab.folder()?;
        let archive = Files::of(&self.archive);
        let before = archive.contents()?;
        let places = [&self.backup, &self.archive, &folder];
        let tool = self.tool().args(["restore", time]);
        let tool = PLACES.iter().zip(places).fold(tool, |tool, (name, place)| tool.env(name, &text(place)));
        let done = tool.run().await?;
        let after = archive.contents()?;
        let differs = |path: &&PathBuf| before.get(*path) != after.get(*path);
        let changed: Vec<&PathBuf> = before.keys().chain(after.keys()).filter(differs).collect();
        if !changed.is_empty() {
            let failure =
                done.failure("the folder WAL_ARCHIVE is not as it was: it belongs to the cluster that was backed up");
            return Err(failure.expected("the same files").actual(format!("other or new: {changed:?}")));
        }
        Ok(Restored { done, folder })
    }

    /// The files of the backup.
    pub fn files(&self) -> Files {
        Files::of(&self.backup)
    }

    /// A tool, where it finds the cluster and Postgres's programs.
    fn tool(&self) -> ProgramBuilder<'a> {
        let tool = self.lab.program().within(TOOL).networked().with_system_programs().without_root();
        let tool = self.installation.iter().fold(tool, |tool, path| tool.readable(path));
        tool.env("DATABASE_URL", self.cluster.url()).env("PG_BIN", &text(self.cluster.programs()))
    }
}

impl Restored {
    /// Expects these rows in what was written, and none of those.
    pub fn expect_rows(&self, rows: &[(&str, &str)], others: &[(&str, &str)]) -> CheckResult {
        self.done.expect_code(0)?;
        for (row, what) in rows {
            if !self.has(row) {
                return Err(self
                    .failure(&format!("a row is missing that was {what}"))
                    .expected(format!("the row `{row}`"))
                    .actual("standard output does not have it"));
            }
        }
        for (row, what) in others {
            if self.has(row) {
                return Err(self
                    .failure(&format!("a row is there that was {what}"))
                    .expected(format!("no row `{row}`"))
                    .actual("standard output has it"));
            }
        }
        Ok(())
    }

    fn has(&self, row: &str) -> bool {
        self.done.output().windows(row.len()).any(|text| text == row.as_bytes())
    }

    fn failure(&self, message: &str) -> Failure {
        self.done.failure(format!("{message}, in the database that was restored"))
    }

    /// Expects that the cluster was stopped: Postgres removes this file as the last thing it does.
    pub fn expect_stopped(&self) -> CheckResult {
        let left = Files::of(&self.folder).contents()?.into_keys().find(|path| path.ends_with("postmaster.pid"));
        let Some(left) = left else { return Ok(()) };
        let failure = self.done.failure("the restored cluster was not stopped when the tool ended");
        Err(failure.expected("no postmaster.pid in RESTORE_DIR").actual(format!("RESTORE_DIR/{}", left.display())))
    }
}

fn insert(entry: &str) -> String {
    format!("insert into ledger (entry) values ('{entry}')")
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
