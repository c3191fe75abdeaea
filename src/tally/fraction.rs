//! Exact fractions: the only numbers that scores are made of.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

/// An exact rational of any size, always in lowest terms; `Display` writes `19/6`, or `19` when whole.
pub type Fraction = BigRational;

/// The longest text taken for a fraction: far beyond any sensible points, short of a denial of service.
const LONGEST: usize = 40;

/// Reads `5`, `1/2` or `-3/4`: digits only, no spaces, no decimals, a denominator above zero.
///
/// ```
/// use handslag::tally::parse_fraction;
/// assert_eq!(parse_fraction("38/12").unwrap().to_string(), "19/6");
/// assert!(parse_fraction("1/0").is_none());
/// assert!(parse_fraction("0.5").is_none());
/// ```
pub fn parse_fraction(text: &str) -> Option<Fraction> {
    if text.len() > LONGEST {
        return None;
    }
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(numerator.strip_prefix('-').unwrap_or(numerator)) || !digits(denominator) {
        return None;
    }
    let numerator: BigInt = numerator.parse().ok()?;
    let denominator: BigInt = denominator.parse().ok()?;
    (!denominator.is_zero()).then(|| Fraction::new(numerator, denominator))
}
