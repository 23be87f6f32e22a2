//! The model's times (RFC 3339).

use std::fmt;

/// An instant from 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    seconds: u64,
    nanoseconds: u32,
}

/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

impl Instant {
    /// The instant of `seconds` and `nanoseconds` since 1970.
    pub fn new(seconds: u64, nanoseconds: u32) -> Self {
        Self { seconds, nanoseconds }
    }

    /// Reads a time. Whether a year is a leap year, `is_leap` says.
    pub fn read(text: &str, is_leap: fn(i64) -> bool) -> Option<Self> {
        let (clock, rest) = text.split_at_checked(19)?;
        let shape = b"0000-00-00T00:00:00";
        let fits = |(&byte, &wanted): (&u8, &u8)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
        if !clock.as_bytes().iter().zip(shape).all(fits) {
            return None;
        }
        let part = |from: usize, to: usize| clock[from..to].parse::<i64>().ok();
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
        if !(1..=12).contains(&month) || !(1..=days_of(month, is_leap(year))).contains(&day) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (nanoseconds, rest) = fraction(rest)?;
        let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset(rest)?;
        let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds <= LAST)?;
        Some(Self { seconds, nanoseconds })
    }
}

/// How many days `month` has.
fn days_of(month: i64, leap: bool) -> i64 {
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The nanoseconds that `text` begins with, and what is left.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let (digits, rest) = digits.split_at(count);
    Some((format!("{digits:0<9}").parse().ok()?, rest))
}

/// `Z`, or an offset, in seconds.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let two =
        |text: &str| (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok());
    let (hours, minutes): (i64, i64) = (two(hours)??, two(minutes)??);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Whether `year` is a leap year (RFC 3339, appendix C).
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many leap days there were before `year`.
fn leap_days_before(year: i64) -> i64 {
    let last = year - 1;
    last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let years = (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970);
    years + (1..month).map(|month| days_of(month, is_leap(year))).sum::<i64>() + day - 1
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, time) = (self.seconds / 86_400, self.seconds % 86_400);
        let mut day = i64::try_from(days).map_err(|_| fmt::Error)?;
        let (mut year, mut month) = (1970, 1);
        while day >= 365 + i64::from(is_leap(year)) {
            day -= 365 + i64::from(is_leap(year));
            year += 1;
        }
        while day >= days_of(month, is_leap(year)) {
            day -= days_of(month, is_leap(year));
            month += 1;
        }
        let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
        write!(f, "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}", day + 1)?;
        if self.nanoseconds > 0 {
            write!(f, ".{}", format!("{:09}", self.nanoseconds).trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}
