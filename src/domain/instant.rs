//! A moment in UTC, cut to the microseconds that both databases keep.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, DurationRound, NaiveDateTime, SecondsFormat, TimeDelta, Timelike, Utc};

/// A moment in UTC with microsecond precision. `Display` is RFC 3339 with `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(DateTime<Utc>);

impl Instant {
    /// Cuts the moment to whole microseconds.
    pub fn new(moment: DateTime<Utc>) -> Self {
        // Only moments beyond the year 2262 cannot be cut; they carry no precision worth keeping either.
        Self(moment.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(moment))
    }

    /// The moment as the databases store it: UTC without saying so.
    pub fn naive(self) -> NaiveDateTime {
        self.0.naive_utc()
    }

    /// The moment for other calendars.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// This moment and so many seconds more.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + TimeDelta::seconds(seconds))
    }
}

impl From<NaiveDateTime> for Instant {
    fn from(stored: NaiveDateTime) -> Self {
        Self::new(stored.and_utc())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(year @ 0..=9999) = u32::try_from(self.0.year()) else {
            return f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true));
        };
        // Every ballot writes several moments, and the general way is slow.
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |place: std::ops::Range<usize>, mut number: u32| {
            for digit in text[place].iter_mut().rev() {
                *digit = b"0123456789"[number as usize % 10];
                number /= 10;
            }
        };
        put(0..4, year);
        put(5..7, self.0.month());
        put(8..10, self.0.day());
        put(11..13, self.0.hour());
        put(14..16, self.0.minute());
        put(17..19, self.0.second());
        put(20..26, self.0.timestamp_subsec_micros());
        f.write_str(std::str::from_utf8(&text).expect("digits and signs"))
    }
}

/// The text is no RFC 3339 moment with an offset between the years 1970 and 2200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 moment with an offset, such as 2026-05-29T21:59:59Z")]
pub struct NotAnInstant;

impl FromStr for Instant {
    type Err = NotAnInstant;

    fn from_str(text: &str) -> Result<Self, NotAnInstant> {
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| NotAnInstant)?.to_utc();
        let seconds = moment.timestamp();
        // Sane bounds, and what both databases and both calendars can hold.
        // A leap second is kept by one database and not by the other.
        let leaps = moment.timestamp_subsec_nanos() >= 1_000_000_000;
        if (0..7_258_118_400).contains(&seconds) && !leaps {
            Ok(Self::new(moment))
        } else {
            Err(NotAnInstant)
        }
    }
}
