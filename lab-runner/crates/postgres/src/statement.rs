//! The statements a server ran, and expectations on how many there were.

use std::ops::Deref;
use std::time::{Duration, Instant};

use super::sql;
use lab_check::exchanges::{Exchanges, Recordable};

/// One statement that reached Postgres.
///
/// ```
/// # use lab_postgres::LabPostgres as _;
/// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
/// for statement in lab.postgres().await?.statements().iter() {
///     lab.note(format!("{} gave {} after {:?}", statement.sql, statement.answer, statement.took));
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its text, with `$1` where values are bound.
    pub sql: String,
    /// What Postgres answered: `SELECT 3`, or `ERROR 23505: duplicate key …`. Empty while there is no answer.
    pub answer: String,
    /// When it arrived. Comparable with the `at` of a Redis command.
    pub at: Instant,
    /// How long the answer took; zero while there is none.
    pub took: Duration,
    /// Its text was too long to be kept to its end.
    pub(super) cut: bool,
}

impl Statement {
    /// Whether it asks for or changes data. Not counted are transaction control, `SET` and its like, pings, and a
    /// driver's look-ups of types in the system catalogs.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let statements = lab.postgres().await?.statements();
    /// let queries = statements.iter().filter(|statement| statement.is_query()).count();
    /// # Ok(()) }
    /// ```
    pub fn is_query(&self) -> bool {
        self.cut || sql::is_query(&self.sql)
    }

    /// Whether Postgres refused it.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let refused = lab.postgres().await?.statements().iter().filter(|statement| statement.is_error()).count();
    /// # Ok(()) }
    /// ```
    pub fn is_error(&self) -> bool {
        is_refusal(&self.answer)
    }

    /// Whether it begins with `word`, such as `COMMIT`, in any letter case.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let statements = lab.postgres().await?.statements();
    /// let committed = statements.iter().find(|statement| statement.begins_with("commit")).map(|commit| commit.at);
    /// # Ok(()) }
    /// ```
    pub fn begins_with(&self, word: &str) -> bool {
        sql::first_word(&self.sql).is_some_and(|first| first.eq_ignore_ascii_case(word))
    }
}

/// Statements in the order of their arrival.
///
/// ```
/// # use lab_postgres::LabPostgres as _;
/// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
/// let statements = lab.postgres().await?.statements();
/// lab.note(format!("{} statements, {} of them queries", statements.len(), statements.queries().len()));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Statements(Exchanges<Statement>);

impl Deref for Statements {
    type Target = Exchanges<Statement>;

    fn deref(&self) -> &Exchanges<Statement> {
        &self.0
    }
}

impl From<Exchanges<Statement>> for Statements {
    fn from(exchanges: Exchanges<Statement>) -> Self {
        Self(exchanges)
    }
}

impl Recordable for Statement {
    const SERVICE: &'static str = "Postgres";
    const NOUN: &'static str = "SQL statement";

    fn counts(&self) -> bool {
        self.is_query()
    }

    fn text(&self) -> String {
        self.sql.clone()
    }
}

impl Statements {
    /// Those that ask for or change data: see [`Statement::is_query`].
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # async fn example(lab: &lab_kit::Lab) -> lab_kit::CheckResult<()> {
    /// let queries = lab.postgres().await?.statements().queries();
    /// assert!(queries.iter().all(|query| !query.begins_with("begin")));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn queries(&self) -> Self {
        Self(self.counted())
    }
}

/// What a piece of a check came to, and the statements that reached Postgres meanwhile.
///
/// ```
/// # use lab_postgres::LabPostgres as _;
/// # use lab_kit::prelude::*;
/// use lab_postgres::Recorded;
/// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
/// let Recorded { value, statements } = lab.postgres().await?.record(app.get("/events")).await?;
/// value.expect_status(200)?;
/// statements.expect_at_most(2, "a list does not need a query for each of its rows")?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Recorded<T> {
    /// What was awaited.
    pub value: T,
    /// The statements that arrived meanwhile, from every connection of the check's servers.
    pub statements: Statements,
}

/// Whether an answer is an error, as [`super::PgError`] is shown.
pub(super) fn is_refusal(answer: &str) -> bool {
    answer.starts_with("ERROR") || answer.starts_with("FATAL")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(texts: &[&str]) -> Statements {
        let one = |sql: &&str| Statement {
            sql: (*sql).into(),
            answer: "SELECT 1".into(),
            at: Instant::now(),
            took: Duration::ZERO,
            cut: false,
        };
        Statements(texts.iter().map(one).collect())
    }

    #[test]
    fn only_queries_are_counted() {
        let seen = statements(&["BEGIN", "select * from events", "COMMIT", "select 1"]);
        assert!(seen.expect(1, "").is_ok());
        assert!(seen.expect_at_most(1, "").is_ok());
        assert!(seen.expect_at_least(1, "").is_ok());
        assert!(seen.expect(4, "").is_err());
    }
}
