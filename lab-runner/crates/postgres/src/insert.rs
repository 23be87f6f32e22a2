//! Many rows at once.

use serde_json::Value;

use super::database::Postgres;
use lab_check::{CheckResult, Failure};

impl Postgres {
    /// Inserts `rows`, objects with the same members, into `table`, and gives the text of the column `returning` of each,
    /// in their order. Postgres reads each value as the type of its column; columns that no row names get their default.
    ///
    /// ```
    /// # use lab_postgres::LabPostgres as _;
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let rows: Vec<Value> = (0..10_000).map(|number| json!({"title": format!("Event {number}"), "seats": 50})).collect();
    /// let ids = lab.postgres().await?.insert("events", &rows, "id").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, if the rows do not fit the schema; ours, if the rows are no objects with members, or
    /// Postgres does not serve.
    pub async fn insert(&self, table: &str, rows: &[Value], returning: &str) -> CheckResult<Vec<String>> {
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let members = first.as_object().filter(|members| !members.is_empty());
        let members = members.ok_or_else(|| Failure::Ours(format!("no row for the table {table}: {first}")))?;
        let columns = members.keys().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect::<Vec<_>>();
        let columns = columns.join(", ");
        // A set of records keeps the array's order, and so does RETURNING.
        let insert = format!(
            "insert into {table} ({columns}) select {columns} from jsonb_populate_recordset(null::{table}, $1)
             returning {returning}::text"
        );
        let ids: Vec<(String,)> = self.sql(insert).bind(Value::from(rows)).rows().await?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }
}
