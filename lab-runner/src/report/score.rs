//! Points: what counts, and what a fault of ours takes out of the total.

use std::collections::BTreeMap;

use lab_protocol::{SkipReason, Verdict};

use super::Check;

/// Decides which checks count, gives points to those that passed, and sums up: (score, max_score).
///
/// A check does not count when we failed, when it cannot be asked of this submission, or when it was skipped because
/// of such a check. One that was skipped because another *failed* counts, and its points are lost with that one's.
pub(super) fn score(checks: &mut [Check]) -> (u32, u32) {
    let reasons: BTreeMap<String, (Verdict, Option<SkipReason>)> =
        checks.iter().map(|check| (check.id.clone(), (check.verdict, check.skip_reason.clone()))).collect();
    let (mut total, mut max) = (0, 0);
    for check in checks {
        check.counted = counts(&check.id, &reasons);
        check.points = if check.verdict == Verdict::Passed { check.max_points } else { 0 };
        if check.counted {
            total += check.points;
            max += check.max_points;
        }
    }
    (total, max)
}

fn counts(id: &str, reasons: &BTreeMap<String, (Verdict, Option<SkipReason>)>) -> bool {
    let mut id = id;
    // Needs cannot lead in a circle; should a suite say so all the same, this ends.
    for _ in 0..=reasons.len() {
        match reasons.get(id) {
            Some((Verdict::Error, _)) => return false,
            Some((Verdict::Skipped, Some(SkipReason::NeedsFailed { check }))) => id = check,
            Some((Verdict::Skipped, _)) => return false,
            _ => return true,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(verdicts: &[(&str, Verdict, Option<&str>)]) -> Vec<Check> {
        let make = |(id, verdict, need): &(&str, Verdict, Option<&str>)| {
            let mut check = Check::unreported(&lab_protocol::CheckInfo {
                id: (*id).into(),
                title: String::new(),
                task: 1,
                points: 10,
                needs: Vec::new(),
                why: String::new(),
                source: String::new(),
                hints: Vec::new(),
                held_out: false,
                alone: false,
                limit_seconds: None,
            });
            check.verdict = *verdict;
            check.skip_reason = need.map(|need| match need {
                "" => SkipReason::NotApplicable { message: "not here".into() },
                need => SkipReason::NeedsFailed { check: need.into() },
            });
            check
        };
        verdicts.iter().map(make).collect()
    }

    #[test]
    fn the_points_of_a_check_whose_need_failed_are_lost() {
        let mut checks = checks(&[
            ("root", Verdict::Failed, None),
            ("leaf", Verdict::Skipped, Some("root")),
            ("other", Verdict::Passed, None),
        ]);
        assert_eq!(score(&mut checks), (10, 30));
    }

    #[test]
    fn what_a_fault_of_ours_hides_is_taken_out_of_the_total() {
        let mut checks = checks(&[
            ("root", Verdict::Error, None),
            ("leaf", Verdict::Skipped, Some("root")),
            ("leaf_of_leaf", Verdict::Skipped, Some("leaf")),
            ("other", Verdict::Passed, None),
            ("late", Verdict::TimedOut, None),
        ]);
        assert_eq!(score(&mut checks), (10, 20));
    }

    #[test]
    fn what_cannot_be_asked_here_is_taken_out_of_the_total() {
        let mut checks = checks(&[
            ("restart", Verdict::Skipped, Some("")),
            ("after", Verdict::Skipped, Some("restart")),
            ("other", Verdict::Passed, None),
        ]);
        assert_eq!(score(&mut checks), (10, 10));
    }
}
