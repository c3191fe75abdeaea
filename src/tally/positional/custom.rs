//! `custom`: any points that do not rise from one rank to the next, 0 for the unranked.
//!
//! Points per rank with nothing else to them are what Young (SIAM J. Appl. Math. 28, 1975) calls a
//! scoring function. Fractions are exact.
//!
//! ```
//! use handslag::tally::{Rule, parse_fraction};
//! let given = ["4", "3/2", "0"].map(|text| parse_fraction(text).unwrap());
//! let custom = Rule::find("custom").unwrap();
//! assert_eq!(custom.points(6, 3, Some(&given)).unwrap().unwrap().ranked[1].to_string(), "3/2");
//! assert!(custom.points(6, 2, Some(&given)).is_err());
//! ```

use num_traits::Signed;

use super::{Frame, Scale};
use crate::tally::{Fraction, Refusal};

pub(crate) fn scale(frame: &Frame<'_>, length: usize) -> Scale {
    Scale::of(length, |rank| frame.points[rank - 1].clone())
}

/// As many points as picks, none negative, none above the one before it.
pub(crate) fn check(points: &[Fraction], picks: usize) -> Result<(), Refusal> {
    if points.len() != picks {
        return Err(Refusal::WrongNumberOfPoints);
    }
    if points.windows(2).any(|pair| pair[0] < pair[1]) || points.iter().any(Signed::is_negative) {
        return Err(Refusal::PointsRise);
    }
    Ok(())
}
