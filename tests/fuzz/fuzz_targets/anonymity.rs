//! Ballots in two orders count the same by every rule.
#![no_main]

use handslag::tally::{Counts, Election, Ladder, Outcome, Parameters, Profile, Rule, Step, rules};
use libfuzzer_sys::fuzz_target;

/// The most picks of a ballot.
const PICKS: usize = 5;

/// The first byte is the number of candidates; then ballots, each as its length and its picks.
fn ballots(bytes: &[u8]) -> Option<(usize, Vec<Vec<u8>>)> {
    let (&first, mut rest) = bytes.split_first()?;
    let candidates = PICKS + usize::from(first % 8);
    let mut ballots = Vec::new();
    while let Some((&length, picks)) = rest.split_first() {
        let (picks, after) = picks.split_at(picks.len().min(usize::from(length) % (PICKS + 1)));
        let mut ballot: Vec<u8> = Vec::new();
        for pick in picks {
            let pick = u8::try_from(usize::from(*pick) % candidates).expect("few candidates");
            if !ballot.contains(&pick) {
                ballot.push(pick);
            }
        }
        ballots.push(ballot);
        rest = after;
    }
    Some((candidates, ballots))
}

/// The outcome; none for a rule that needs parameters of its own.
fn count<'a>(rule: &Rule, candidates: usize, ballots: impl Iterator<Item = &'a Vec<u8>>) -> Option<Outcome> {
    let mut profile = Profile::new(candidates);
    for ballot in ballots {
        profile.add(ballot, 1);
    }
    let counts = Counts::of(&profile);
    let election = Election { profile: &profile, counts: &counts, picks: PICKS };
    let lot = (0..candidates).rev().collect();
    let parameters =
        Parameters { ladder: Ladder { steps: Step::ALL.to_vec(), lot: Some(lot) }, cut: 3, ..Parameters::default() };
    rule.count(&election, &parameters).ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((candidates, ballots)) = ballots(bytes) else { return };
    for rule in rules(PICKS) {
        let forwards = count(&rule, candidates, ballots.iter());
        let backwards = count(&rule, candidates, ballots.iter().rev());
        assert_eq!(forwards, backwards, "{rule:?}");
    }
});
