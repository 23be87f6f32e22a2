//! Task 6: what was, is brought back.

use std::path::{Path, PathBuf};

use lab_kit::prelude::*;

use crate::support::{Past, Restored};

/// What nobody has restored is no backup (PostgreSQL manual, 25.3 Continuous Archiving and Point-in-Time Recovery).
#[check(title = "the database is restored to a moment: all from before it, and nothing after", task = 6, points = 5,
        hints = ["A dump leads to the moment when it was made, and to no other. `pg_basebackup` copies the files, and the log leads on from there.",
                 "`recovery.signal`, `restore_command`, `recovery_target_time`, and `recovery_target_action = 'promote'`. Postgres is ready when all of that is replayed: write the dump then, and not before.",
                 "The files of the cluster bring its settings along, of its archive too. What you give to `postgres` with `-c` has the last word: `archive_mode=off`."])]
async fn restore(lab: &Lab) -> CheckResult {
    let past = Past::begin(lab).await?;
    past.back_up().await?;
    let since = past.end().await?;
    let first = (past.first.as_str(), "committed before the backup");
    let second = (since.second.as_str(), "committed after the backup and before TIME");
    let restored = past.restore(&since.earlier).await?;
    let later = [(since.third.as_str(), "committed after TIME"), (since.last.as_str(), "committed after TIME")];
    restored.expect_rows(&[first, second], &later)?;
    restored.expect_stopped().hint("`pg_ctl stop` waits until it has ended. SIGKILL leaves the file behind.")?;
    let restored = past.restore(&since.later).await?;
    let third = (since.third.as_str(), "committed after the backup and before TIME");
    let gone = (past.first.as_str(), "deleted before TIME");
    restored.expect_rows(&[second, third], &[gone, (since.last.as_str(), "committed after TIME")])?;
    restored.expect_stopped()
}

/// A disk forgets a byte in silence, and who restores finds out when nothing else is left (PostgreSQL manual,
/// pg_verifybackup).
#[check(title = "a backup that is not as it was is noticed before anything is restored", task = 6, points = 3, needs = ["restore"],
        hints = ["Postgres starts from damaged files, as long as it does not come across the damage.",
                 "`pg_basebackup` writes a manifest with a hash of each file, and `pg_verifybackup` compares. Its exit code counts.",
                 "First look, then write: nothing is on standard output when the exit code is 1."])]
async fn damaged(lab: &Lab) -> CheckResult {
    let past = Past::begin(lab).await?;
    past.back_up().await?;
    let since = past.end().await?;
    let (files, victims) = (past.files(), Victims::of(&past)?);
    let (changed, at) = &victims.changed;
    files.flip(changed, *at)?;
    lab.note(format!("byte {at} of the backup's {} is another now", changed.display()));
    refused(&past.restore(&since.later).await?)
        .because(&format!("a byte of {} is not as it was", changed.display()))?;
    files.flip(changed, *at)?;
    files.remove(&victims.missing)?;
    lab.note(format!("it is as it was, and {} is missing", victims.missing.display()));
    let missing = victims.missing.display();
    refused(&past.restore(&since.later).await?).because(&format!("{missing} is missing from the backup"))
}

fn refused(restored: &Restored) -> CheckResult {
    restored.done.expect_code(1)?.expect_output("")?;
    Ok(())
}

/// The files of a backup that are damaged: such that a cluster would not come across the damage.
struct Victims {
    /// A file, and the position in it.
    changed: (PathBuf, u64),
    missing: PathBuf,
}

impl Victims {
    fn of(past: &Past<'_>) -> CheckResult<Self> {
        let mut sizes: Vec<(u64, PathBuf)> =
            past.files().contents()?.into_iter().map(|(path, content)| (content.size, path)).collect();
        sizes.sort();
        let largest = |within: &str| sizes.iter().rfind(|(_, path)| path.starts_with(within));
        // template1, which is no file's of the database that is wanted. In an archive of files, all are one.
        let changed = largest("base/1").or_else(|| largest("")).filter(|(size, _)| *size > 0);
        let Some((size, changed)) = changed else {
            // never fails alone: what `restore` needs is not there either
            let failure = Failure::learner("`backup` has written nothing to BACKUP_DIR, though its exit code was 0");
            return Err(failure.expected("a copy of the cluster").actual("no file, or empty ones"));
        };
        // A map of free space, which Postgres makes anew where it is missing.
        let is_map = |path: &Path| path.to_str().is_some_and(|path| path.ends_with("_fsm"));
        let missing = sizes.iter().find(|(_, path)| path.starts_with("base") && is_map(path));
        let missing = missing.map_or(changed, |(_, path)| path).clone();
        Ok(Self { changed: (changed.clone(), size / 2), missing })
    }
}
