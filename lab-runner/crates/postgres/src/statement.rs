//! The statements a server ran, and expectations on how many there were.

use std::ops::Deref;
use std::time::{Duration, Instant};

use super::sql;
use lab_check::{CheckResult, Failure};

/// How many statements a failure lists.
const MOST_LISTED: usize = 12;
/// How much of a statement a failure shows.
const MOST_SHOWN: usize = 160;

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
        self.answer.starts_with("ERROR") || self.answer.starts_with("FATAL")
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
pub struct Statements {
    kept: Vec<Statement>,
    /// How many more there were, of which nothing is kept. They are taken for queries.
    unkept: usize,
}

impl Deref for Statements {
    type Target = [Statement];

    fn deref(&self) -> &[Statement] {
        &self.kept
    }
}

impl FromIterator<Statement> for Statements {
    fn from_iter<I: IntoIterator<Item = Statement>>(statements: I) -> Self {
        Self { kept: statements.into_iter().collect(), unkept: 0 }
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
        let queries: Self = self.kept.iter().filter(|statement| statement.is_query()).cloned().collect();
        queries.and_unkept(self.unkept)
    }

    /// The same, and as many more that were not kept.
    pub(super) fn and_unkept(self, unkept: usize) -> Self {
        Self { unkept: self.unkept + unkept, ..self }
    }

    /// Expects exactly `count` queries, because of `why`.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.postgres().await?.record(app.get("/events")).await?;
    /// seen.value.expect_status(200)?;
    /// seen.statements.expect(0, "the second read comes from Redis")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the queries that were seen.
    pub fn expect(&self, count: usize, why: &str) -> CheckResult {
        self.expect_count(&format!("{} to reach Postgres", counted(count)), why, |seen| seen == count)
    }

    /// Expects no more than `count` queries, because of `why`.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.postgres().await?.record(app.get("/events")).await?;
    /// seen.statements.expect_at_most(3, "a list does not need a query for each of its rows")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the queries that were seen.
    pub fn expect_at_most(&self, count: usize, why: &str) -> CheckResult {
        self.expect_count(&format!("at most {} to reach Postgres", counted(count)), why, |seen| seen <= count)
    }

    /// Expects `count` queries or more, because of `why`.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.postgres().await?.record(app.get("/events")).await?;
    /// seen.statements.expect_at_least(1, "the events are in the database, and only there")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the queries that were seen.
    pub fn expect_at_least(&self, count: usize, why: &str) -> CheckResult {
        self.expect_count(&format!("at least {} to reach Postgres", counted(count)), why, |seen| seen >= count)
    }

    fn expect_count(&self, expected: &str, why: &str, holds: impl FnOnce(usize) -> bool) -> CheckResult {
        let queries = self.queries();
        let count = queries.len() + queries.unkept;
        if holds(count) {
            return Ok(());
        }
        let seen = counted(count);
        Err(Failure::learner(format!("{seen} reached Postgres"))
            .expected(expected)
            .actual(queries.listed())
            .because(why))
    }

    /// Every different text with how often it came, in the order of arrival.
    fn listed(&self) -> String {
        let mut lines: Vec<(String, usize)> = Vec::new();
        for statement in &self.kept {
            let text = shown(&statement.sql);
            match lines.iter_mut().find(|(known, _)| *known == text) {
                Some((_, times)) => *times += 1,
                None => lines.push((text, 1)),
            }
        }
        let mut list = counted(self.len() + self.unkept);
        for (text, times) in lines.iter().take(MOST_LISTED) {
            let times = if *times > 1 { format!("{times} × ") } else { String::new() };
            list.push_str(&format!("\n  {times}{text}"));
        }
        if lines.len() > MOST_LISTED {
            list.push_str(&format!("\n  and {} more", lines.len() - MOST_LISTED));
        }
        if self.unkept > 0 {
            list.push_str(&format!("\n  and {} of which only the number was kept", self.unkept));
        }
        list
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

impl<T> Recorded<T> {
    /// [`Statements::expect`] on what was recorded.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.postgres().await?.record(app.get("/events")).await?;
    /// seen.expect_statements(0, "the second read comes from Redis")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the queries that were seen.
    pub fn expect_statements(&self, count: usize, why: &str) -> CheckResult {
        self.statements.expect(count, why)
    }

    /// [`Statements::expect_at_most`] on what was recorded.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.postgres().await?.record(app.get("/events")).await?;
    /// seen.expect_statements_at_most(2, "a list does not need a query for each of its rows")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the queries that were seen.
    pub fn expect_statements_at_most(&self, count: usize, why: &str) -> CheckResult {
        self.statements.expect_at_most(count, why)
    }

    /// [`Statements::expect_at_least`] on what was recorded.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// let seen = lab.postgres().await?.record(app.get("/events")).await?;
    /// seen.expect_statements_at_least(1, "the events are in the database, and only there")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the queries that were seen.
    pub fn expect_statements_at_least(&self, count: usize, why: &str) -> CheckResult {
        self.statements.expect_at_least(count, why)
    }
}

fn counted(count: usize) -> String {
    match count {
        0 => "no SQL statement".into(),
        1 => "1 SQL statement".into(),
        _ => format!("{count} SQL statements"),
    }
}

/// A statement on one line.
fn shown(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= MOST_SHOWN {
        return line;
    }
    format!("{}…", &line[..line.floor_char_boundary(MOST_SHOWN)])
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
        texts.iter().map(one).collect()
    }

    #[test]
    fn only_queries_are_counted() {
        let seen = statements(&["BEGIN", "select * from events", "COMMIT", "select 1"]);
        assert!(seen.expect(1, "").is_ok());
        assert!(seen.expect_at_most(1, "").is_ok());
        assert!(seen.expect_at_least(1, "").is_ok());
        assert!(seen.expect(4, "").is_err());
    }

    #[test]
    fn a_failed_expectation_lists_each_statement_with_how_often_it_came() {
        let seen = statements(&["select *\n  from events", "select name from x", "select name from x"]);
        let Err(Failure::Learner(explanation)) = seen.expect(1, "one query serves the list") else { panic!() };
        assert_eq!(explanation.message, "3 SQL statements reached Postgres");
        assert_eq!(explanation.expected.unwrap(), "1 SQL statement to reach Postgres");
        assert_eq!(explanation.actual.unwrap(), "3 SQL statements\n  select * from events\n  2 × select name from x");
        assert_eq!(explanation.because.unwrap(), "one query serves the list");
    }
}
