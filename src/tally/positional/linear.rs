//! `linear`: k points for the first rank, one less for each rank after it, 0 for the unranked.
//!
//! With five picks 5 4 3 2 1. While every ballot has exactly k picks it ranks as optimistic, modified
//! and non-domination Borda do (Terzopoulou & Endriss, The Borda class, J. Math. Econ. 92, 2021).
//!
//! ```
//! use handslag::tally::Rule;
//! let points = Rule::find("linear").unwrap().points(13, 5, None).unwrap().unwrap();
//! let ranked: Vec<String> = points.ranked.iter().map(ToString::to_string).collect();
//! assert_eq!(ranked, ["5", "4", "3", "2", "1"]);
//! assert_eq!(points.unranked.to_string(), "0");
//! ```

use super::{Frame, Scale, whole};

pub(crate) fn scale(frame: &Frame<'_>, length: usize) -> Scale {
    Scale::of(length, |rank| whole(frame.picks + 1 - rank))
}
