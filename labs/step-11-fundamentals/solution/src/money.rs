//! Money, in whole cents.

use std::fmt;

/// The most that can be told: 2⁶³ − 1 cents.
const MOST: u64 = i64::MAX.unsigned_abs();

/// An amount of money that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cents(u64);

impl Cents {
    /// So many cents, if that is not too much.
    pub fn new(cents: u128) -> Option<Self> {
        u64::try_from(cents).ok().filter(|cents| *cents <= MOST).map(Self)
    }

    /// So many times as much, if that is not too much.
    pub fn times(self, count: u64) -> Option<Self> {
        Self::new(u128::from(self.0) * u128::from(count))
    }

    /// As a number for sums, which may be more than can be told.
    pub fn get(self) -> u128 {
        self.0.into()
    }
}

/// Why a text is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceError {
    /// It is not digits, a point and two digits.
    Form,
    /// It is more than can be told.
    TooMuch,
}

impl std::str::FromStr for Cents {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let (whole, fraction) = text.split_once('.').ok_or(PriceError::Form)?;
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let leads = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leads || fraction.len() != 2 || !are_digits(whole) || !are_digits(fraction) {
            return Err(PriceError::Form);
        }
        let digits = whole.bytes().chain(fraction.bytes());
        let cents = digits
            .map(|digit| u64::from(digit - b'0'))
            .try_fold(0_u64, |cents, digit| cents.checked_mul(10)?.checked_add(digit).filter(|cents| *cents <= MOST));
        cents.map(Self).ok_or(PriceError::TooMuch)
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_come_back_as_they_were() {
        for text in ["0.00", "0.05", "0.10", "12.50", "1234567.89", "92233720368547758.07"] {
            assert_eq!(text.parse::<Cents>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "", ".", "1", "1.", "1.5", "1.505", "01.00", "00.50", ".50", "-1.00", "+1.00", "1,00", " 1.00", "1.00 ",
            "1e2", "1.0a", "１.00",
        ] {
            assert_eq!(text.parse::<Cents>(), Err(PriceError::Form), "{text}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused_and_does_not_wrap() {
        for text in ["92233720368547758.08", "184467440737095516.16", "999999999999999999999999999999.99"] {
            assert_eq!(text.parse::<Cents>(), Err(PriceError::TooMuch), "{text}");
        }
        let half = "46116860184273879.04".parse::<Cents>().unwrap();
        assert_eq!(half.times(2), None);
        assert_eq!(half.times(1), Some(half));
    }
}
