//! What most of many times were.

use std::time::Duration;

/// The shortest of `times` that `percent` of them do not exceed (nearest rank): the median at 50, nothing without times.
///
/// ```
/// use lab_kit::percentile;
/// use std::time::Duration;
///
/// let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
/// assert_eq!(percentile(&times, 50), Some(Duration::from_millis(100)));
/// assert_eq!(percentile(&times, 99), Some(Duration::from_millis(198)));
/// ```
pub fn percentile(times: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent.min(100)).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times = [3, 1, 2].map(Duration::from_secs);
        assert_eq!(
            [0, 1, 33, 34, 50, 67, 100, 200].map(|p| percentile(&times, p).unwrap().as_secs()),
            [1, 1, 1, 2, 2, 3, 3, 3]
        );
        assert_eq!(percentile(&[], 50), None);
    }
}
