//! What Postgres says when it refuses (PostgreSQL manual, "Error and Notice Message Fields").

use std::fmt;

use super::wire::Message;

/// An error message's severity, code and text.
#[derive(Debug, Default, Clone)]
pub(super) struct PgError {
    severity: String,
    code: String,
    text: String,
    /// The function of Postgres that complains.
    routine: String,
}

impl PgError {
    pub fn read(mut body: &[u8]) -> Self {
        let mut error = Self::default();
        while let Some((&field, rest)) = body.split_first() {
            if field == 0 {
                break;
            }
            let (value, next) = Message::text(rest);
            let value = String::from_utf8_lossy(value).into_owned();
            match field {
                b'V' => error.severity = value,
                // The severity in the cluster's own language, if the other is not sent.
                b'S' if error.severity.is_empty() => error.severity = value,
                b'C' => error.code = value,
                b'M' => error.text = value,
                b'R' => error.routine = value,
                _ => {}
            }
            body = next;
        }
        error
    }

    /// Whether the cluster itself has failed, whatever the statement was. What a statement raises on purpose, with
    /// whichever code, is its own.
    pub fn is_ours(&self) -> bool {
        is_ours(&self.code) && !is_raised(&self.routine)
    }

    /// Whether something is used up that all who use the cluster share.
    pub fn is_shortage(&self) -> bool {
        is_shortage(&self.code, &self.routine)
    }
}

impl fmt::Display for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == "FATAL" || self.severity == "PANIC" { "FATAL" } else { "ERROR" };
        write!(f, "{severity} {}: {}", self.code, self.text)
    }
}

/// Whether an SQLSTATE says that the cluster has failed: a failing disk, a crash, a damaged file (PostgreSQL manual,
/// "PostgreSQL Error Codes"). Not so 53300, the role's own limit of connections, 53100 and 53200, to which plain SQL can
/// bring the disk and the lock table, and 57P01, which is what a check brings about on purpose.
pub(super) fn is_ours(code: &str) -> bool {
    matches!(code, "57P02" | "58030" | "XX001" | "XX002")
}

/// Whether an SQLSTATE says that something is used up that all share: the disk, or shared memory, most often the lock
/// table. Whoever used it up meets it, and so may a neighbour. A session that cannot be begun because the disk is full
/// says so by no SQLSTATE of its own: Postgres's `routine` tells.
pub(super) fn is_shortage(code: &str, routine: &str) -> bool {
    let session = code == "XX000" && routine == "write_item";
    (is_full_disk(code) || code == "53200" || session) && !is_raised(routine)
}

/// Whether an SQLSTATE says that the disk is full.
pub(super) fn is_full_disk(code: &str) -> bool {
    code == "53100"
}

/// Whether an error comes from a RAISE, which may use any SQLSTATE, and so says nothing but what its author wanted.
pub(super) fn is_raised(routine: &str) -> bool {
    routine == "exec_stmt_raise"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_gives_its_code_and_text() {
        let body = b"SFEHLER\0VERROR\0C23505\0Mduplicate key\0Dmore\0\0";
        let error = PgError::read(body);
        assert_eq!(error.to_string(), "ERROR 23505: duplicate key");
        assert!(!error.is_ours());
    }

    #[test]
    fn a_full_disk_or_lock_table_is_a_shortage_unless_it_is_invented() {
        let read =
            |code: &str, routine: &str| PgError::read(format!("VERROR\0C{code}\0Mno room\0R{routine}\0\0").as_bytes());
        for (code, routine) in [("53100", "mdextend"), ("53200", "LockAcquireExtended"), ("XX000", "write_item")] {
            let full = read(code, routine);
            assert!(full.is_shortage() && !full.is_ours(), "{code}");
            let invented = read(code, "exec_stmt_raise");
            assert!(!invented.is_shortage() && !invented.is_ours(), "{code}");
        }
    }
}
