//! One axis of time for one timeline or two: gaps in which nothing happens for more than a second are folded.

use super::Timeline;

/// A gap longer than this is folded, in microseconds.
const LONGEST_GAP: u64 = 1_000_000;
/// How wide a folded gap is, as a part of all that is not folded.
const FOLDED: f64 = 0.07;
/// Room after the last event, as a part of the whole: its mark is to be seen.
const END: f64 = 0.01;

/// From microseconds to places on the axis, which run from 0 to 100.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Where pieces of the axis meet: a time, and its place.
    pub joints: Vec<(u64, f64)>,
    /// The gaps that are folded.
    pub folds: Vec<Fold>,
}

/// A gap that is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// Where it begins.
    pub from_us: u64,
    /// Where it ends.
    pub to_us: u64,
}

impl Scale {
    /// The scale on which all of `timelines` are shown.
    #[must_use]
    pub fn of(timelines: &[&Timeline]) -> Self {
        let mut moments: Vec<u64> = timelines.iter().flat_map(|timeline| timeline.moments()).collect();
        moments.push(0);
        moments.sort_unstable();
        moments.dedup();
        let folds: Vec<Fold> = moments
            .windows(2)
            .filter(|pair| pair[1] - pair[0] > LONGEST_GAP)
            .map(|pair| Fold { from_us: pair[0], to_us: pair[1] })
            .collect();
        let all = moments.last().copied().unwrap_or_default();
        let folded: u64 = folds.iter().map(|fold| fold.to_us - fold.from_us).sum();
        // An axis of no length at all has its one moment at its beginning.
        let open = to_f64(all - folded).max(1.0);
        let total = open * (1.0 + FOLDED * to_f64(folds.len() as u64) + END);
        let (mut joints, mut place, mut time) = (vec![(0, 0.0)], 0.0, 0);
        for fold in &folds {
            place += to_f64(fold.from_us - time);
            joints.push((fold.from_us, place / total * 100.0));
            place += open * FOLDED;
            joints.push((fold.to_us, place / total * 100.0));
            time = fold.to_us;
        }
        place += to_f64(all - time).max(1.0);
        joints.push((all.max(time + 1), place / total * 100.0));
        Self { joints, folds }
    }

    /// The place of a time.
    #[must_use]
    pub fn place(&self, us: u64) -> f64 {
        let after = self.joints.partition_point(|(time, _)| *time <= us).clamp(1, self.joints.len() - 1);
        let ((from, start), (to, end)) = (self.joints[after - 1], self.joints[after]);
        start + (end - start) * (to_f64(us - from) / to_f64((to - from).max(1)))
    }

    /// Times at which the axis is labelled: round numbers, and no more than `most` of them.
    #[must_use]
    pub fn ticks(&self, most: usize) -> Vec<u64> {
        let mut ticks = Vec::new();
        for pair in self.joints.windows(2) {
            let ((from, start), (to, end)) = (pair[0], pair[1]);
            if self.folds.iter().any(|fold| fold.from_us == from && fold.to_us == to) {
                continue;
            }
            let step = step((to - from).max(1), (end - start) / 100.0 * to_f64(most as u64));
            ticks.extend((from.div_ceil(step)..=to / step).map(|tick| tick * step));
        }
        ticks
    }
}

/// A round step, so that `length` has at most `most` of it.
fn step(length: u64, most: f64) -> u64 {
    let least = to_f64(length) / most.max(1.0);
    let mut decade = 1;
    loop {
        if let Some(step) = [1, 2, 5].map(|digit| digit * decade).into_iter().find(|step| to_f64(*step) >= least) {
            return step;
        }
        decade *= 10;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a place on a screen needs no more")]
fn to_f64(us: u64) -> f64 {
    us as f64
}
