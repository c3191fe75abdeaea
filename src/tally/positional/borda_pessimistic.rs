//! `borda-pessimistic`: M − j points for rank j, 0 for the unranked.
//!
//! Domination Borda: a candidate scores one for each candidate that its ballot puts below it for
//! certain (Terzopoulou & Endriss, The Borda class, 2021).
//!
//! ```
//! use handslag::tally::Rule;
//! let points = Rule::find("borda-pessimistic").unwrap().points(13, 5, None).unwrap().unwrap();
//! assert_eq!(points.ranked[4].to_string(), "8");
//! assert_eq!(points.unranked.to_string(), "0");
//! ```

use super::{Frame, Scale, whole};

pub(crate) fn scale(frame: &Frame<'_>, length: usize) -> Scale {
    Scale::of(length, |rank| whole(frame.candidates - rank))
}
