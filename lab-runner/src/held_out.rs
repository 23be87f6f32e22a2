//! Held-out checks: who is asked them, and what a report shows of them.
//!
//! A suite declares them like all others. `check` leaves them out, so that to a learner at work they do not exist; `grade`
//! asks them, and shows of them what the lab's manifest says. All of that is decided on the way between runner and suite:
//! what reporters, recordings and files get to see has been covered by then.

use std::collections::BTreeMap;

use lab_protocol::{CheckInfo, CheckReport, Envelope, Event, Explanation, SkipReason, Verdict};
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a failed held-out check says where its own words are covered.
const COVERED: &str = "a held-out check did not pass; reports do not show what it asks";
/// What a held-out check is called where its title is covered.
const TITLE: &str = "held-out check";

/// What reports show of held-out checks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// That there are some, their task, points and verdict.
    #[default]
    Hidden,
    /// Their ids and titles as well.
    Title,
    /// All that is shown of other checks.
    Full,
}

/// How a run deals with the held-out checks of its suite.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cover {
    /// Whether some were taken out: those that are left have to be named.
    left_out: bool,
    /// What is covered: by the suite's own id, the id that reports show.
    shown: BTreeMap<String, String>,
}

impl Cover {
    /// Leaves the held-out checks out of `checks`, or covers of them what `disclosure` does not show.
    pub(crate) fn over(checks: &mut Vec<CheckInfo>, disclosure: Option<Disclosure>) -> Self {
        let Some(disclosure) = disclosure else {
            let all = checks.len();
            checks.retain(|check| !check.held_out);
            return Self { left_out: checks.len() < all, ..Self::default() };
        };
        let mut cover = Self::default();
        if disclosure == Disclosure::Full {
            return cover;
        }
        for (number, check) in (1..).zip(checks.iter_mut().filter(|check| check.held_out)) {
            let own = check.id.clone();
            if disclosure == Disclosure::Hidden {
                check.id = format!("held_out_{number}");
                check.title = TITLE.to_owned();
            }
            (check.why, check.source, check.hints) = Default::default();
            cover.shown.insert(own, check.id.clone());
        }
        for need in checks.iter_mut().flat_map(|check| &mut check.needs) {
            cover.rename(need);
        }
        cover
    }

    /// The names by which the suite is asked for `asked`, of the checks that `left` lists; none means all that it has.
    pub(crate) fn names(&self, asked: &[String], left: &[CheckInfo]) -> Vec<String> {
        if asked.is_empty() && self.left_out {
            return left.iter().map(|check| check.id.clone()).collect();
        }
        asked.iter().map(|id| self.own(id)).collect()
    }

    /// What the suite tells, with all covered that is not to be shown.
    pub(crate) fn cover(&self, mut told: Envelope) -> Envelope {
        let of_covered = told.check.as_ref().is_some_and(|check| self.shown.contains_key(check));
        if let Some(check) = &mut told.check {
            self.rename(check);
        }
        match &mut told.event {
            Event::CheckStarted { id } | Event::CheckPostponed { id } => self.rename(id),
            Event::CheckFinished(report) => self.cover_report(report),
            // It shows what is sent and expected.
            Event::Transcript { .. } if of_covered => told.event = Event::Alive,
            _ => {}
        }
        told
    }

    fn cover_report(&self, report: &mut CheckReport) {
        if let Some(SkipReason::NeedsFailed { check }) = &mut report.skip_reason {
            self.rename(check);
        }
        if !self.shown.contains_key(&report.id) {
            return;
        }
        self.rename(&mut report.id);
        report.asked_again = None;
        // What failed of ours has to be mended, and says nothing of what is asked.
        if report.verdict != Verdict::Error && report.explanation.is_some() {
            report.explanation = Some(Explanation { message: COVERED.to_owned(), ..Explanation::default() });
        }
    }

    fn rename(&self, id: &mut String) {
        if let Some(shown) = self.shown.get(id) {
            id.clone_from(shown);
        }
    }

    fn own(&self, shown: &String) -> String {
        let found = self.shown.iter().find(|(_, name)| *name == shown);
        found.map_or_else(|| shown.clone(), |(own, _)| own.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checks() -> Vec<CheckInfo> {
        let check = |id: &str, held_out: bool, needs: &[&str]| {
            let info = json!({ "id": id, "title": format!("title of {id}"), "task": 1, "points": 5, "needs": needs,
                               "why": "why", "source": "source", "hints": ["hint"], "held_out": held_out, "alone": false });
            serde_json::from_value(info).unwrap()
        };
        vec![check("seen", false, &[]), check("unseen", true, &["seen"]), check("deeper", true, &["unseen"])]
    }

    fn covered(disclosure: Disclosure) -> (Vec<CheckInfo>, Cover) {
        let mut checks = checks();
        let cover = Cover::over(&mut checks, Some(disclosure));
        (checks, cover)
    }

    fn finished(id: &str, verdict: Verdict) -> Envelope {
        let report = json!({ "id": id, "verdict": verdict, "skip_reason": null, "started_us": 1, "duration_ms": 1,
                             "explanation": { "message": "secret", "sent": "secret", "received": null, "expected": null,
                                              "actual": null, "diff": [], "because": "secret", "reproduce": "secret",
                                              "server_log": ["secret"] }, "asked_again": "secret" });
        let event = Event::CheckFinished(Box::new(serde_json::from_value(report).unwrap()));
        let clock = lab_protocol::RunClock::start();
        Envelope { nonce: String::new(), at: clock.now(), check: Some(id.into()), event }
    }

    #[test]
    fn a_learner_is_asked_what_is_not_held_out_by_name() {
        let mut left = checks();
        let cover = Cover::over(&mut left, None);
        assert_eq!(cover.names(&[], &left), ["seen"]);
        assert_eq!(left.len(), 1);
    }

    #[test]
    fn a_suite_without_held_out_checks_is_asked_for_all_without_naming_them() {
        let mut left = checks();
        left.truncate(1);
        assert!(Cover::over(&mut left, None).names(&[], &left).is_empty());
    }

    #[test]
    fn nothing_of_a_hidden_check_is_told_but_its_verdict() {
        let (checks, cover) = covered(Disclosure::Hidden);
        let told = serde_json::to_string(&checks[1..]).unwrap();
        assert!(!told.contains("unseen") && !told.contains("deeper") && !told.contains("why\":\"why"), "{told}");
        let event = cover.cover(finished("unseen", Verdict::Failed));
        let text = serde_json::to_string(&event).unwrap();
        assert!(text.contains("held_out_1") && !text.contains("unseen") && !text.contains("secret"), "{text}");
        assert_eq!(cover.names(&["held_out_2".into()], &checks), ["deeper"]);
    }

    #[test]
    fn a_title_is_shown_without_what_the_check_sends_and_expects() {
        let (checks, cover) = covered(Disclosure::Title);
        assert_eq!((checks[1].id.as_str(), checks[1].title.as_str()), ("unseen", "title of unseen"));
        assert!(checks[1].hints.is_empty() && checks[1].why.is_empty());
        let text = serde_json::to_string(&cover.cover(finished("unseen", Verdict::Failed))).unwrap();
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn whoever_is_shown_everything_sees_it_and_other_checks_are_never_covered() {
        let (shown, cover) = covered(Disclosure::Full);
        assert_eq!(shown, checks());
        assert!(serde_json::to_string(&cover.cover(finished("unseen", Verdict::Failed))).unwrap().contains("secret"));
        let (_, cover) = covered(Disclosure::Hidden);
        assert!(serde_json::to_string(&cover.cover(finished("seen", Verdict::Failed))).unwrap().contains("secret"));
    }
}
