//! Points as a round's definition states them: short fractions, kept in lowest terms.

use std::fmt;
use std::str::FromStr;

/// A fraction that is not negative, in lowest terms: points per rank, or a participant's weight.
///
/// Only carried here; `tally` calculates with fractions of any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Points {
    numerator: u64,
    denominator: u64,
}

impl Points {
    /// The largest numerator and denominator: twelve digits.
    pub const LARGEST: u64 = 999_999_999_999;

    /// A whole number.
    pub const fn whole(number: u32) -> Self {
        Self { numerator: number as u64, denominator: 1 }
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.numerator == 0
    }
}

impl PartialOrd for Points {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Points {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        product(self.numerator, other.denominator).cmp(&product(other.numerator, self.denominator))
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(f, "{}", self.numerator),
            denominator => write!(f, "{}/{denominator}", self.numerator),
        }
    }
}

/// The text is no fraction such as `5` or `1/2` with parts of at most twelve digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a whole number or a fraction such as 1/2, with parts of at most twelve digits")]
pub struct NotPoints;

impl FromStr for Points {
    type Err = NotPoints;

    fn from_str(text: &str) -> Result<Self, NotPoints> {
        let number = |part: &str| -> Result<u64, NotPoints> {
            let digits = part == "0" || !part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|&n| digits && n <= Self::LARGEST).ok_or(NotPoints)
        };
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
        let (numerator, denominator) = (number(numerator)?, number(denominator)?);
        if denominator == 0 {
            return Err(NotPoints);
        }
        let divisor = gcd(numerator, denominator);
        Ok(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
