//! How hard it is to guess a value that a server makes up anew each time, as far as a few of them show.

use std::collections::HashSet;

/// How many bits it takes to tell `values` apart, each place of theirs by itself: a place where all have the same letter
/// has none, one where each of 16 letters comes up has four. Numbers that count, and times, have few.
///
/// ```
/// use lab_kit::guess::differing_bits;
///
/// let counted = ["session-0001", "session-0002", "session-0003", "session-0004"].map(str::to_owned);
/// assert_eq!(differing_bits(&counted), 2.0);
/// ```
pub fn differing_bits(values: &[String]) -> f64 {
    let longest = values.iter().map(String::len).max().unwrap_or_default();
    let letters = |place: usize| values.iter().map(|value| value.as_bytes().get(place)).collect::<HashSet<_>>().len();
    (0..longest).map(|place| f64::from(u32::try_from(letters(place)).unwrap_or(u32::MAX)).log2()).sum()
}
