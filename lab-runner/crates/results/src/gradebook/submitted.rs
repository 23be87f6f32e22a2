//! When submissions were handed in: a CSV file with the columns `submission`, `submitted_at` and, where a file is for more
//! than one lab, `lab`. The times of files are not asked: who submits them chooses these.

use std::collections::BTreeMap;

use camino::Utf8Path;
use chrono::{DateTime, Utc};

use super::policy::parse_moment;
use super::refuse;
use crate::ResultsError;

/// When each submission was handed in.
#[derive(Debug, Clone, Default)]
pub(super) struct Submitted {
    times: BTreeMap<(Option<String>, Option<String>, String), DateTime<Utc>>,
}

impl Submitted {
    /// When `submission` was handed in for `lab`, as the report folder `report` has it. The most particular row counts.
    pub(super) fn when(&self, report: &str, lab: &str, submission: &str) -> Option<DateTime<Utc>> {
        let report = Some(report.trim_end_matches('/').to_owned());
        let lab = Some(lab.to_owned());
        let keys = [(report.clone(), lab.clone()), (report, None), (None, lab), (None, None)];
        keys.into_iter().find_map(|(report, lab)| self.times.get(&(report, lab, submission.to_owned())).copied())
    }
}

/// Reads the file at `path`.
///
/// # Errors
/// It cannot be read, a column is missing, a time is none, or a submission is there twice.
pub(super) fn read(path: &Utf8Path) -> Result<Submitted, ResultsError> {
    let failed = |error: csv::Error| ResultsError::Refused(format!("cannot read {path}: {error}"));
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    let header: Vec<String> = reader
        .headers()
        .map_err(failed)?
        .iter()
        .map(|cell| cell.trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    let column = |name: &str| header.iter().position(|column| column == name);
    let (Some(submission), Some(time)) = (column("submission"), column("submitted_at")) else {
        return refuse(format!(
            "{path} needs the columns `submission` and `submitted_at`; `lab` and `report` are optional"
        ));
    };
    let (lab, report) = (column("lab"), column("report"));
    let mut times = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |column: usize| record.get(column).unwrap_or_default().trim().to_owned();
        let optional = |column: Option<usize>| column.map(cell).filter(|cell| !cell.is_empty());
        let when = parse_moment(&cell(time)).map_err(|why| ResultsError::Refused(format!("{path}:{line}: {why}")))?;
        let report = optional(report).map(|report| report.trim_end_matches('/').to_owned());
        let key = (report, optional(lab), cell(submission));
        if times.insert(key, when).is_some() {
            return refuse(format!("{path}:{line}: `{}` is there twice", cell(submission)));
        }
    }
    Ok(Submitted { times })
}
