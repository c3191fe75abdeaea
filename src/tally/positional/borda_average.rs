//! `borda-average`: M − j points for rank j; the unranked share the remaining points equally.
//!
//! A ballot of l picks leaves the points M − l − 1, …, 1, 0 to the M − l unranked: (M − l − 1)/2 each
//! (tournament Borda; Terzopoulou & Endriss 2021). Every ballot gives out the same sum.
//!
//! ```
//! use handslag::tally::Rule;
//! let points = Rule::find("borda-average").unwrap().points(13, 5, None).unwrap().unwrap();
//! assert_eq!(points.ranked[0].to_string(), "12");
//! assert_eq!(points.unranked.to_string(), "7/2");
//! ```

use num_bigint::BigInt;
use num_traits::Zero;

use super::{Frame, Scale, whole};
use crate::tally::Fraction;

pub(crate) fn scale(frame: &Frame<'_>, length: usize) -> Scale {
    let unranked = match frame.candidates - length {
        // Nobody is unranked, so the figure is never used; 0 keeps it a number.
        0 => Fraction::zero(),
        left => Fraction::new(BigInt::from(left - 1), BigInt::from(2)),
    };
    Scale { unranked, ..Scale::of(length, |rank| whole(frame.candidates - rank)) }
}
