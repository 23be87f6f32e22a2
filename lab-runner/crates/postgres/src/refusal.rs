//! Whose fault a failed statement of the grader's is, and what a beginner is told of it.

use sqlx::postgres::PgDatabaseError;

use super::log::Log;
use super::pg_error;
use lab_check::Failure;

/// How much of a statement is shown.
const MOST_SHOWN: usize = 300;

/// Why Postgres refused what the schema forbids.
///
/// ```
/// # use lab_postgres::LabPostgres as _;
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab) -> CheckResult<()> {
/// let update = lab.postgres().await?.sql("update events set price_cents = -1");
/// let refusal = update.expect_refused("a negative price").await?;
/// lab.note(format!("refused by {}: {}", refusal.constraint.unwrap_or_default(), refusal.message));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The SQLSTATE, such as `23514`.
    pub code: String,
    /// What Postgres says.
    pub message: String,
    /// The constraint, if it is one with a name.
    pub constraint: Option<String>,
}

impl Refusal {
    /// The refusal in `error`, if that is what it is: by a constraint (class 23), by a type (22), or by the
    /// learner's own function or trigger (P0, 44: a view's check; whatever it raises).
    pub(super) fn of(error: &sqlx::Error) -> Option<Self> {
        let error = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
        let classes = ["22", "23", "44", "P0"];
        let refused = is_raised(error) || classes.iter().any(|class| error.code().starts_with(class));
        refused.then(|| Self {
            code: error.code().to_owned(),
            message: error.message().to_owned(),
            constraint: error.constraint().map(str::to_owned),
        })
    }
}

/// What to tell of `error`, which `sql` ended in. A shortage of what all share is noted in `log`.
pub(super) fn explain(error: &sqlx::Error, sql: &str, log: &Log) -> Failure {
    match error {
        sqlx::Error::Database(refused) => match refused.try_downcast_ref::<PgDatabaseError>() {
            Some(refused) => {
                if pg_error::is_shortage(refused.code(), refused.routine().unwrap_or_default()) {
                    log.ran_short(format!("Postgres: {}", refused.message()));
                }
                refused_by_postgres(refused, sql).unwrap_or_else(|| ours(error, sql))
            }
            None => ours(error, sql),
        },
        sqlx::Error::RowNotFound => {
            Failure::learner("the database does not contain the row that the grader looked for")
                .expected(format!("a row from: {}", on_one_line(sql)))
                .actual("no row")
        }
        sqlx::Error::ColumnDecode { index, source } => {
            Failure::learner(format!("column {index} does not contain what the README asks for"))
                .expected(format!("a readable value from: {}", on_one_line(sql)))
                .actual(source.to_string())
        }
        _ => ours(error, sql),
    }
}

fn ours(error: &sqlx::Error, sql: &str) -> Failure {
    Failure::ours(&format!("running `{}`", on_one_line(sql)), error)
}

fn is_raised(error: &PgDatabaseError) -> bool {
    error.routine().is_some_and(pg_error::is_raised)
}

/// Whether the cluster itself does not serve: it is at its limits or shuts down, or the system fails it (classes 08, 57P,
/// 58 and XX, and what [`pg_error::is_ours`] tells).
fn is_the_clusters(error: &PgDatabaseError) -> bool {
    let code = error.code();
    let classes = ["08", "57P", "58", "F0"];
    // What a function ran into says where; what the cluster ran into by itself does not.
    let internal = code.starts_with("XX") && error.r#where().is_none();
    // An owner may limit the connections of a database.
    let limited = code == "53300" && error.routine() == Some("CheckMyDatabase");
    let clusters = pg_error::is_ours(code) || (matches!(code, "53300" | "53400" | "53000") && !limited);
    clusters || internal || classes.iter().any(|class| code.starts_with(class))
}

/// The learner's share: the statement is right by the README, so what it fails on is the schema, with its triggers and
/// functions, which may raise whatever they like.
fn refused_by_postgres(error: &PgDatabaseError, sql: &str) -> Option<Failure> {
    let (code, text) = (error.code(), error.message());
    if is_raised(error) {
        return Some(refused(
            format!("a trigger or function of the schema refuses it: {}", unquoted(text)),
            error,
            sql,
        ));
    }
    // A syntax error is in what we wrote, unless a function ran it.
    if is_the_clusters(error) || (code == "42601" && error.r#where().is_none()) {
        return None;
    }
    let message = match code {
        "42P01" => format!("the table {} does not exist", quoted(text)),
        "42703" => format!("a column is missing: {}", unquoted(text)),
        "42883" | "42804" | "42846" => {
            format!("a column has a different type from the one in the README: {}", unquoted(text))
        }
        "23502" => format!("the schema requires a value that the README does not mention: {}", unquoted(text)),
        "23503" => format!("a foreign key refuses a row that the README allows: {}", unquoted(text)),
        "23505" => format!("a unique constraint refuses a row that the README allows: {}", unquoted(text)),
        "23514" => format!("a check constraint refuses a row that the README allows: {}", unquoted(text)),
        "55P03" => "a transaction of the server holds a lock and does not end".into(),
        "40001" | "40P01" => format!("a transaction of the server blocked the grader: {text}"),
        "42501" => format!("the schema's rights or its functions forbid it: {}", unquoted(text)),
        "57014" => "the database cancels it: a time limit, or a function of the schema".into(),
        "53100" => "the disk of Postgres is full".into(),
        "53200" => "the transactions on the database have used up its memory for locks".into(),
        _ => format!("the schema does not allow what the README asks for: {}", unquoted(text)),
    };
    Some(refused(message, error, sql))
}

fn refused(message: String, error: &PgDatabaseError, sql: &str) -> Failure {
    Failure::learner(message).expected(format!("Postgres to run: {}", on_one_line(sql))).actual(format!(
        "ERROR {}: {}",
        error.code(),
        error.message()
    ))
}

/// What `text` has between its first double quotes, in backquotes.
fn quoted(text: &str) -> String {
    let name = text.split('"').nth(1).unwrap_or(text);
    format!("`{name}`")
}

/// Backquotes in place of double quotes, as everywhere else in what a learner reads.
fn unquoted(text: &str) -> String {
    text.replace('"', "`")
}

/// A statement as one line of bounded length.
pub(super) fn on_one_line(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.len() {
        0..=MOST_SHOWN => line,
        _ => format!("{}…", &line[..line.floor_char_boundary(MOST_SHOWN)]),
    }
}
