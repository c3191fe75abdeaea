//! Many ballots in memory: each distinct ranking is counted in a table, over several threads.

use super::Profile;

/// What stands in the place of a pick that a ballot does not have.
pub const NO_PICK: u8 = u8::MAX;

/// The largest table: four bytes for each ranking that could be.
const LARGEST: usize = 1 << 24;

/// The profile of ballots that stand one after the other, `picks` bytes each: candidates, the most urgent first, then
/// [`NO_PICK`]. None if one is no ranking of so many candidates, or there could be too many rankings for a table.
///
/// ```
/// use handslag::tally::{NO_PICK, Profile, profile_of_ballots};
/// let mut profile = Profile::new(3);
/// profile.add(&[2, 0], 1);
/// profile.add(&[1], 2);
/// assert_eq!(profile_of_ballots(3, 2, &[2, 0, 1, NO_PICK, 1, NO_PICK], 2), Some(profile));
/// assert_eq!(profile_of_ballots(3, 2, &[NO_PICK, 0], 1), None);
/// ```
pub fn profile_of_ballots(
    candidates: usize,
    picks: usize,
    ballots: &[u8],
    threads: usize,
) -> Option<Profile> {
    if picks == 0 || !ballots.len().is_multiple_of(picks) {
        return None;
    }
    let radix = candidates + 1;
    let size = (0..picks).try_fold(1_usize, |size, _| size.checked_mul(radix))?;
    if size > LARGEST || u32::try_from(ballots.len()).is_err() {
        return None;
    }
    let each = ballots.len().div_ceil(picks).div_ceil(threads.max(1)).max(1) * picks;
    let digits = Digits::new(radix, picks, size);
    // Ballots of the usual lengths have loops of their own, which the compiler unrolls.
    let count = match picks {
        1 => Digits::count::<1>,
        2 => Digits::count::<2>,
        3 => Digits::count::<3>,
        4 => Digits::count::<4>,
        5 => Digits::count::<5>,
        6 => Digits::count::<6>,
        _ => Digits::count::<0>,
    };
    let tables: Option<Vec<Vec<u32>>> = std::thread::scope(|scope| {
        let parts: Vec<_> = ballots.chunks(each).map(|part| scope.spawn(|| count(&digits, part))).collect();
        parts.into_iter().map(|part| part.join().expect("counting does not panic")).collect()
    });
    let mut tables = tables?.into_iter();
    let mut total = tables.next().unwrap_or_else(|| vec![0; size]);
    for table in tables {
        for (sum, figure) in total.iter_mut().zip(table) {
            *sum += figure;
        }
    }
    let met: Vec<(usize, u32)> = total.into_iter().enumerate().filter(|(_, figure)| *figure > 0).collect();
    let rankings =
        met.into_iter().map(|(place, figure)| Some((ranking(place, radix, picks)?, u64::from(figure))));
    Some(Profile::of_sorted(candidates, rankings.collect::<Option<Vec<_>>>()?))
}

/// What each byte at each rank adds to a ballot's place in the table: no pick 0, the first candidate 1, in the order of
/// sorted rankings. What is no candidate adds so much that the place is beyond the table.
struct Digits {
    adds: Vec<[u32; 256]>,
    size: usize,
}

impl Digits {
    fn new(radix: usize, picks: usize, size: usize) -> Self {
        let beyond = u32::try_from(size).unwrap_or(u32::MAX);
        let add = |rank: usize, byte: u8| {
            let digit = usize::from(byte.wrapping_add(1));
            let worth = (rank + 1..picks).fold(1, |worth, _| worth * radix);
            if digit < radix { u32::try_from(digit * worth).unwrap_or(beyond) } else { beyond }
        };
        let adds = (0..picks).map(|rank| {
            let mut row = [0; 256];
            (0..=u8::MAX).for_each(|byte| row[usize::from(byte)] = add(rank, byte));
            row
        });
        Self { adds: adds.collect(), size }
    }

    /// The table of some ballots, of `PICKS` bytes each, or as many as there are ranks if that is 0; none if a byte is no
    /// candidate.
    fn count<const PICKS: usize>(&self, ballots: &[u8]) -> Option<Vec<u32>> {
        let picks = if PICKS == 0 { self.adds.len() } else { PICKS };
        let adds = &self.adds[..picks];
        let mut table = vec![0_u32; self.size];
        for ballot in ballots.chunks_exact(picks) {
            // At most 64 times the size of the table, which is below 2^25.
            let place: u32 = ballot.iter().zip(adds).map(|(&byte, add)| add[usize::from(byte)]).sum();
            *table.get_mut(place as usize)? += 1;
        }
        Some(table)
    }
}

/// The ranking of a place in the table, if it is one: no pick after a missing one, nobody twice.
fn ranking(place: usize, radix: usize, picks: usize) -> Option<Box<[u8]>> {
    let mut digits = vec![0_u8; picks];
    let mut rest = place;
    for digit in digits.iter_mut().rev() {
        *digit = u8::try_from(rest % radix).ok()?;
        rest /= radix;
    }
    let length = digits.iter().position(|&digit| digit == 0).unwrap_or(picks);
    let (ranked, rest) = digits.split_at(length);
    let is_ranking =
        rest.iter().all(|&digit| digit == 0) && (1..length).all(|i| !ranked[..i].contains(&ranked[i]));
    is_ranking.then(|| ranked.iter().map(|digit| digit - 1).collect())
}
