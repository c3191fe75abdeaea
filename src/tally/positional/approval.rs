//! `approval-j`: 1 point for each of the first j ranks, 0 for all else.
//!
//! `approval-1` is plurality, `approval-k` the plain count of mentions (Brams & Fishburn 1978).
//!
//! ```
//! use handslag::tally::Rule;
//! let points = Rule::find("approval-2").unwrap().points(13, 5, None).unwrap().unwrap();
//! let ranked: Vec<String> = points.ranked.iter().map(ToString::to_string).collect();
//! assert_eq!(ranked, ["1", "1", "0", "0", "0"]);
//! ```

use super::{Frame, Scale, whole};

pub(crate) fn scale(frame: &Frame<'_>, length: usize) -> Scale {
    Scale::of(length, |rank| whole(usize::from(rank <= frame.depth)))
}
