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
    let count = |part: &[u8]| -> Option<Vec<u32>> {
        let mut table = vec![0_u32; size];
        for ballot in part.chunks_exact(picks) {
            // No pick is 0, the first candidate 1: in the order of these numbers rankings are sorted.
            let place = ballot.iter().try_fold(0, |place, &pick| {
                let digit = usize::from(pick.wrapping_add(1));
                (digit < radix).then_some(place * radix + digit)
            })?;
            table[place] += 1;
        }
        Some(table)
    };
    let tables: Option<Vec<Vec<u32>>> = std::thread::scope(|scope| {
        let parts: Vec<_> = ballots.chunks(each).map(|part| scope.spawn(|| count(part))).collect();
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
