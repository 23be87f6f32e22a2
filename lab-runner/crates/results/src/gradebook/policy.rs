//! The instructor's policy: which attempt counts, when a lab is due, what being late costs, and who is an exception.

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

use super::refuse;
use crate::ResultsError;

/// What a policy file says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Which of a learner's attempts counts.
    pub attempt: Which,
    /// What being late costs.
    pub late: Late,
    /// The column of the roster that Moodle finds its users by, such as `Email address`.
    pub moodle_key: Option<String>,
    /// The labs, by id.
    pub labs: BTreeMap<String, LabTerms>,
    /// More time for a learner.
    #[serde(rename = "extension")]
    pub extensions: Vec<Extension>,
    /// Points that an instructor gives.
    #[serde(rename = "adjustment")]
    pub adjustments: Vec<Adjustment>,
}

/// Which of a learner's attempts counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The one with the most points, after what being late costs.
    #[default]
    Best,
    /// The last one that has a grade.
    Last,
}

/// What being late costs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Late {
    /// The percentage of a lab's points that each day begun costs, from 0 to 100.
    pub percent_per_day: f64,
    /// After so many days an attempt has no points at all.
    pub last_day: Option<u32>,
    /// How many days each learner may be late in all labs together without a cost.
    pub free_days: u32,
    /// How many minutes late still counts as in time.
    pub grace_minutes: u32,
}

/// How a lab counts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabTerms {
    /// The column's title. Defaults to the lab's own.
    pub title: Option<String>,
    /// When the lab is due (RFC 3339).
    #[serde(deserialize_with = "moment")]
    pub due: Option<DateTime<Utc>>,
    /// How many points the lab counts for. Defaults to those of its checks.
    pub points: Option<f64>,
    /// The number of the assignment in Canvas.
    pub canvas_id: Option<u64>,
}

/// More time for a learner.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The learner, as the submission is called.
    pub learner: String,
    /// The lab's id.
    pub lab: String,
    /// When the lab is due for this learner (RFC 3339).
    #[serde(deserialize_with = "moment")]
    pub due: Option<DateTime<Utc>>,
}

/// Points that an instructor gives in place of those that were graded.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// The learner, as the submission is called.
    pub learner: String,
    /// The lab's id.
    pub lab: String,
    /// The points.
    pub points: f64,
    /// Why. It is shown beside the points.
    pub reason: String,
}

impl Policy {
    /// Reads the policy at `path`.
    ///
    /// # Errors
    /// It cannot be read, has an unknown or wrong value, or contradicts itself.
    pub fn read(path: &Utf8Path) -> Result<Self, ResultsError> {
        let text = fs::read_to_string(path).map_err(|source| ResultsError::File { path: path.to_owned(), source })?;
        let policy: Self = toml::from_str(&text)
            .map_err(|error| ResultsError::Refused(format!("{path}: {}", error.to_string().trim())))?;
        policy.check().map_err(|why| ResultsError::Refused(format!("{path}: {why}")))?;
        Ok(policy)
    }

    fn check(&self) -> Result<(), String> {
        if !(0.0..=100.0).contains(&self.late.percent_per_day) {
            return Err("`percent_per_day` is not between 0 and 100".into());
        }
        let points =
            self.labs.values().filter_map(|lab| lab.points).chain(self.adjustments.iter().map(|one| one.points));
        if points.into_iter().any(|points| !points.is_finite() || points < 0.0) {
            return Err("`points` cannot be negative".into());
        }
        if let Some(empty) = self.adjustments.iter().find(|one| one.reason.trim().is_empty()) {
            return Err(format!("the adjustment for {} in {} gives no reason", empty.learner, empty.lab));
        }
        let due = |lab: &String| self.labs.get(lab).is_some_and(|terms| terms.due.is_some());
        match self.extensions.iter().find(|one| !due(&one.lab)) {
            Some(one) => {
                Err(format!("an extension for {}, which is never due: [labs.{}] has no `due`", one.lab, one.lab))
            }
            None => Ok(()),
        }
    }

    /// When `lab` is due for `learner`. None, if it never is.
    #[must_use]
    pub fn due(&self, lab: &str, learner: &str) -> Option<DateTime<Utc>> {
        let extended = self.extensions.iter().filter(|one| one.lab == lab && one.learner == learner);
        extended.filter_map(|one| one.due).max().or_else(|| self.labs.get(lab)?.due)
    }

    /// What an instructor gave `learner` for `lab`: the last that the file names.
    #[must_use]
    pub fn adjustment(&self, lab: &str, learner: &str) -> Option<&Adjustment> {
        self.adjustments.iter().rev().find(|one| one.lab == lab && one.learner == learner)
    }

    /// Refuses labs and learners that are named here and that nobody knows: a mistake in a name must not cost somebody.
    ///
    /// # Errors
    /// One is unknown.
    pub(super) fn names_only(
        &self,
        labs: &dyn Fn(&str) -> bool,
        learners: &dyn Fn(&str) -> bool,
    ) -> Result<(), ResultsError> {
        let extended = self.extensions.iter().map(|one| (&one.lab, &one.learner));
        let adjusted = self.adjustments.iter().map(|one| (&one.lab, &one.learner));
        for (lab, learner) in extended.chain(adjusted) {
            if !labs(lab) {
                return refuse(format!("the policy names the lab `{lab}`, of which there is no report"));
            }
            if !learners(learner) {
                return refuse(format!("the policy names `{learner}`, who is neither in the roster nor in a report"));
            }
        }
        Ok(())
    }
}

/// A moment as TOML has it, with or without quotation marks. One without an offset means nothing.
fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = toml::Value::deserialize(from)?;
    let text = match &value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(moment) => moment.to_string(),
        other => return Err(serde::de::Error::custom(format!("`{other}` is no date and time"))),
    };
    parse_moment(&text).map(Some).map_err(serde::de::Error::custom)
}

/// A moment (RFC 3339), also with a space in place of the `T`.
pub(super) fn parse_moment(text: &str) -> Result<DateTime<Utc>, String> {
    let parsed = DateTime::parse_from_rfc3339(text.trim());
    parsed
        .map(|moment| moment.with_timezone(&Utc))
        .map_err(|_| format!("`{text}` is no date and time with an offset, such as 2026-12-01T23:59:00+01:00"))
}
