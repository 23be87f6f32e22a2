//! What being late costs.

use chrono::{DateTime, TimeDelta, Utc};

use super::policy::Late;

/// How many days late something is that was due at `due`: each day begun counts as one.
pub(super) fn days(submitted: DateTime<Utc>, due: DateTime<Utc>, terms: &Late) -> u32 {
    let late = submitted - due;
    if late <= TimeDelta::minutes(terms.grace_minutes.into()) {
        return 0;
    }
    let day = TimeDelta::days(1).num_milliseconds();
    u32::try_from((late.num_milliseconds() + day - 1).div_euclid(day)).unwrap_or(u32::MAX)
}

/// What is left of `points` out of `of` after `days` that cost something; `late` days late in all.
pub(super) fn rest(points: f64, of: f64, days: u32, late: u32, terms: &Late) -> f64 {
    if days > 0 && terms.last_day.is_some_and(|last| late > last) {
        return 0.0;
    }
    (points - of * terms.percent_per_day / 100.0 * f64::from(days)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::{days, rest};
    use crate::gradebook::policy::{Late, parse_moment};

    #[test]
    fn a_day_begun_is_a_day_and_minutes_of_grace_are_none() {
        let terms = Late { grace_minutes: 10, ..Late::default() };
        let late =
            |time: &str| days(parse_moment(time).unwrap(), parse_moment("2026-12-01T23:00:00+01:00").unwrap(), &terms);
        assert_eq!(late("2026-12-01T22:59:59+01:00"), 0);
        assert_eq!(late("2026-12-01T22:10:00Z"), 0);
        // Whoever misses the grace is as late as without it.
        assert_eq!(late("2026-12-01T22:10:01Z"), 1);
        assert_eq!(late("2026-12-02T22:00:00Z"), 1);
        assert_eq!(late("2026-12-02T22:00:01Z"), 2);
    }

    #[test]
    fn days_cost_a_share_of_what_could_be_had_and_no_more_than_there_is() {
        let terms = Late { percent_per_day: 10.0, last_day: Some(3), ..Late::default() };
        let after = |days| rest(80.0, 100.0, days, days, &terms);
        assert_eq!((after(0), after(2), after(3), after(4)), (80.0, 60.0, 50.0, 0.0));
        assert_eq!(rest(5.0, 100.0, 1, 1, &terms), 0.0);
        // Days that cost nothing also do not end it.
        assert_eq!(rest(80.0, 100.0, 0, 9, &terms), 80.0);
    }
}
