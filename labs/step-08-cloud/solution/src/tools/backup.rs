//! `backup`: a copy of the cluster's files, made while it works.
//!
//! With the log that the cluster archives, such a copy leads to every moment since. A dump leads to one, and takes longer to
//! read back the more there is.

use super::ToolError;
use super::programs::{program, run, verify};
use crate::configuration::BackupSettings;

/// Makes a backup, and looks at it: one that nobody has looked at is none.
pub async fn backup(settings: &BackupSettings) -> Result<(), ToolError> {
    let name = "pg_basebackup";
    let mut command = program(&settings.programs, name);
    command.args(["--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password"]);
    command.arg("--pgdata").arg(&settings.backup).envs(settings.database.environment());
    run(&settings.programs, name, &mut command).await?;
    verify(&settings.programs, &settings.backup).await
}
