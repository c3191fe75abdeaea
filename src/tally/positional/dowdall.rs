//! `dowdall`: 1/j points for rank j, 0 for the unranked.
//!
//! Used in Nauru's parliamentary elections (Fraenkel & Grofman 2014). With five picks every score is
//! a fraction over 60.
//!
//! ```
//! use handslag::tally::Rule;
//! let points = Rule::find("dowdall").unwrap().points(13, 5, None).unwrap().unwrap();
//! assert_eq!(points.ranked[2].to_string(), "1/3");
//! ```

use num_bigint::BigInt;

use super::{Frame, Scale};
use crate::tally::Fraction;

pub(crate) fn scale(_: &Frame<'_>, length: usize) -> Scale {
    Scale::of(length, |rank| Fraction::new(BigInt::from(1), BigInt::from(rank)))
}
