//! Rows as the database has them. A server that the grader did not start keeps them to itself: then only its answers
//! are judged.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use super::made::Made;

/// Columns that may be `numeric` with a scale, and then read `4500.00` for 4500.
const AMOUNTS: [&str; 2] = ["seats", "price_cents"];

/// One row's columns, as text; NULL is `None`.
///
/// # Errors
/// The learner's failure if the table has no such row or columns.
pub async fn texts(lab: &Lab, made: &Made, columns: &[&str]) -> CheckResult<Option<Vec<Option<String>>>> {
    let Some(db) = database(lab).await? else { return Ok(None) };
    let table = if made.path.starts_with("/orders") { "orders" } else { "events" };
    let columns: Vec<_> = columns.iter().map(|column| as_text(column)).collect();
    let sql = format!("select array[{}] from {table} where id::text = $1", columns.join(", "));
    let row: Option<(Vec<Option<String>>,)> = db.sql(sql).bind(made.id.to_string()).optional().await?;
    match row {
        Some((values,)) => Ok(Some(values)),
        None => Err(Failure::learner(format!("the table `{table}` has no row with the id {}", made.id))
            .expected(format!("the row of {}, which got 201", made.path))
            .actual("no row")),
    }
}

fn as_text(column: &str) -> String {
    if AMOUNTS.contains(&column) { format!("trim_scale({column}::numeric)::text") } else { format!("{column}::text") }
}

/// How many rows a table has for which `condition` holds. It may name one value as `$1`.
///
/// # Errors
/// The learner's failure if there is no such table or column.
pub async fn count(lab: &Lab, table: &str, condition: &str, value: &str) -> CheckResult<Option<i64>> {
    let Some(db) = database(lab).await? else { return Ok(None) };
    let rows = db.sql(format!("select count(*) from {table} where {condition}")).bind(value.to_owned());
    rows.scalar().await.map(Some)
}

/// Makes the requests that follow overlap: the server opens its connections, and from then on every answer of the
/// database is a little late, as on a network. Else a transaction may be over before the next one begins, and a race
/// would be seen on one run and not on the other.
pub async fn overlap(lab: &Lab, app: &App) -> CheckResult {
    lab.burst((0..12).map(|_| app.get("/events?limit=1"))).await?;
    if let Some(db) = database(lab).await? {
        db.proxy().delay(Duration::from_millis(2));
    }
    Ok(())
}

async fn database(lab: &Lab) -> CheckResult<Option<&lab_postgres::Postgres>> {
    match lab.postgres().await {
        Ok(db) => Ok(Some(db)),
        Err(Failure::NotApplicable(why)) => {
            lab.note(format!("the rows are not looked at: {why}"));
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}
