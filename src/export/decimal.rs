//! Decimals for reading.

use num_bigint::BigInt;
use num_traits::Signed;

use crate::tally::Fraction;

/// The fraction to six decimal places, half up, computed from whole numbers.
///
/// ```
/// let third = handslag::tally::parse_fraction("19/6").unwrap();
/// assert_eq!(handslag::export::decimal(&third).to_string(), "3.166667");
/// ```
pub fn decimal(fraction: &Fraction) -> f64 {
    let million = BigInt::from(1_000_000);
    let half = Fraction::new(1.into(), 2.into());
    let scaled = (fraction * &million + half).floor().to_integer();
    let sign = if scaled.is_negative() { "-" } else { "" };
    let text = format!("{sign}{}.{:0>6}", scaled.abs() / &million, (scaled.abs() % &million).to_string());
    // The text is the exact rounded decimal; the nearest double prints as the same digits.
    text.parse().expect("digits, a point, digits")
}
