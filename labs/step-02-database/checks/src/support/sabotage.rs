//! Writes that fail because the grader wants them to: a trigger that raises an error.
//!
//! A sequence counts the writes. What `nextval` did is not undone by a rollback, so the count goes on over the tries
//! of a server that begins its transaction anew.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

/// When the error is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When the row is written.
    Write,
    /// When the transaction commits.
    Commit,
}

/// Which writes to a table fail, and how.
#[derive(Debug, Clone)]
pub struct Sabotage {
    table: &'static str,
    sqlstate: &'static str,
    moment: Moment,
    first: u32,
    last: Option<u32>,
}

impl Sabotage {
    /// Every row that is inserted into or updated in `table` fails, with an error that no retry can mend.
    pub fn of(table: &'static str) -> Self {
        Self { table, sqlstate: "P0001", moment: Moment::Write, first: 1, last: None }
    }

    /// With this SQLSTATE.
    pub fn with(self, sqlstate: &'static str) -> Self {
        Self { sqlstate, ..self }
    }

    /// At this moment.
    pub fn at(self, moment: Moment) -> Self {
        Self { moment, ..self }
    }

    /// Only from the `first` write on.
    pub fn from(self, first: u32) -> Self {
        Self { first, ..self }
    }

    /// Only the first `count` writes.
    pub fn times(self, count: u32) -> Self {
        Self { last: Some(count), ..self }
    }

    /// Sets it up.
    pub async fn arm(&self, lab: &Lab) -> CheckResult {
        let Self { table, sqlstate, first, .. } = self;
        let last = self.last.map_or_else(|| "2147483647".to_owned(), |last| last.to_string());
        let trigger = match self.moment {
            Moment::Write => format!("create trigger grader before insert or update on {table} for each row"),
            Moment::Commit => format!(
                "create constraint trigger grader after insert or update on {table}
                 deferrable initially deferred for each row"
            ),
        };
        lab.note(format!("writes {first} to {last} on {table} fail with {sqlstate} ({:?})", self.moment));
        // The function runs with the grader's rights: the server's user need not be allowed near the sequence.
        let statements = [
            "drop schema if exists grader cascade".to_owned(),
            "create schema grader".to_owned(),
            "create sequence grader.writes".to_owned(),
            format!(
                "create function grader.fail() returns trigger language plpgsql security definer as $$
                 -- Counted in a variable: BETWEEN evaluates its operand twice, and would count twice.
                 declare
                   this bigint := nextval('grader.writes');
                 begin
                   if this between {first} and {last} then
                     raise exception 'the grader makes this write fail' using errcode = '{sqlstate}';
                   end if;
                   return new;
                 end $$"
            ),
            format!("{trigger} execute function grader.fail()"),
        ];
        let db = lab.postgres().await?;
        for statement in statements {
            db.execute(&statement).await?;
        }
        Ok(())
    }

    /// How many writes were tried since it was set up.
    pub async fn writes(lab: &Lab) -> CheckResult<i64> {
        let sql = "select case when is_called then last_value else 0 end from grader.writes";
        lab.postgres().await?.scalar(sql).await
    }

    /// Takes it away.
    pub async fn disarm(lab: &Lab) -> CheckResult {
        lab.note("writes succeed again");
        lab.postgres().await?.execute("drop schema grader cascade").await?;
        Ok(())
    }
}
