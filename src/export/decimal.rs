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
    // The text is the exact rounded decimal; the nearest double prints as the same digits.
    fixed(fraction, 6).parse().expect("digits, a point, digits")
}

/// The fraction as text with so many decimal places, half up.
pub(super) fn fixed(fraction: &Fraction, places: u32) -> String {
    let scale = BigInt::from(10_u32).pow(places);
    let half = Fraction::new(1.into(), 2.into());
    let scaled = (fraction * &scale + half).floor().to_integer();
    let sign = if scaled.is_negative() { "-" } else { "" };
    let width = places as usize;
    format!("{sign}{}.{:0>width$}", scaled.abs() / &scale, (scaled.abs() % &scale).to_string())
}
