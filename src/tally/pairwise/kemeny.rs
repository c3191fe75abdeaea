//! `kemeny`: the order of all candidates that agrees most with the duels.
//!
//! Kemeny, Mathematics without numbers, Daedalus 88 (1959); Young & Levenglick, SIAM J. Appl. Math. 35 (1978). An
//! order scores the sum of N(a, b) over all a it puts above b. The best score of every set of candidates follows from
//! those of its subsets (Held & Karp 1962), so all 2^M sets are visited and no order is tried out; up to
//! [`MOST_CANDIDATES`].
//!
//! Where several orders are best, candidates stand in one tier as far as the best orders do not agree on who is in the
//! top of each size; the published order is the first by the ladder, compared place by place.
//!
//! ```
//! use handslag::tally::{Counts, Detail, Election, Parameters, Profile, Rule};
//! let mut profile = Profile::new(3);
//! profile.add(&[0, 1, 2], 4); // A beats B 6 to 3, B beats C 7 to 2, C beats A 5 to 4
//! profile.add(&[1, 2, 0], 3);
//! profile.add(&[2, 0, 1], 2);
//! let election = Election { profile: &profile, counts: &Counts::of(&profile), picks: 3 };
//! let outcome = Rule::find("kemeny").unwrap().count(&election, &Parameters::default()).unwrap();
//! let Detail::Pairwise(facts) = outcome.detail else { unreachable!() };
//! let orders = facts.orders.unwrap();
//! assert_eq!((orders.optimal, orders.listed[0].as_slice()), (1, [0, 1, 2].as_slice()));
//! assert_eq!(orders.score.to_string(), "17"); // 6 + 7 + 4
//! ```

use super::Pairwise;
use crate::tally::outcome::crosses;
use crate::tally::{Counts, Detail, Election, Fraction, Outcome, Parameters, Refusal, Standing, Tie};

/// The most candidates: above, a million sets become too many for a question that somebody waits for.
pub const MOST_CANDIDATES: usize = 20;
/// How many optimal orders are listed.
pub const MOST_LISTED: usize = 100;

/// The optimal orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    /// The sum of N(a, b) over all a above b; the largest there is.
    pub score: Fraction,
    /// How many orders reach it.
    pub optimal: u64,
    /// Those first by the ladder, at most [`MOST_LISTED`].
    pub listed: Vec<Vec<usize>>,
    /// What all share: every (a, b) such that a stands above b in each of them.
    pub shared: Vec<(usize, usize)>,
    /// The published order; none if the ladder leaves more than one.
    pub published: Option<Vec<usize>>,
}

/// Best scores of every set that can stand on top, and the sets that some optimal order passes.
struct Sets {
    candidates: usize,
    /// How many best orders complete a set; 0 where no optimal order passes it.
    completions: Vec<u64>,
    /// Whether an optimal order that has the set on top can go on with a candidate: one bit each.
    next: Vec<u32>,
    score: u128,
}

impl Sets {
    fn solve(counts: &Counts) -> Self {
        let candidates = counts.candidates();
        let sets = 1_usize << candidates;
        let above: Vec<u128> =
            (0..candidates * candidates).map(|i| counts.above(i / candidates, i % candidates)).collect();
        // What a candidate gains over the set that is left below it, for the two halves of that set's bits.
        let half = candidates / 2;
        let halves = |low: usize, bits: usize| -> Vec<Vec<u128>> {
            (0..candidates)
                .map(|c| {
                    let mut sums = vec![0; 1 << bits];
                    for set in 1..sums.len() {
                        let last = set.trailing_zeros() as usize;
                        let other = low + last;
                        let gain = if other == c { 0 } else { above[c * candidates + other] };
                        sums[set] = sums[set & (set - 1)] + gain;
                    }
                    sums
                })
                .collect()
        };
        let (low, high) = (halves(0, half), halves(half, candidates - half));
        // best[S]: the best score that the order can still gain once S stands on top.
        let mut best = vec![0_u128; sets];
        let mut next = vec![0_u32; sets];
        let mut completions = vec![0_u64; sets];
        completions[sets - 1] = 1;
        for set in (0..sets - 1).rev() {
            let left = !set & (sets - 1);
            let mut rest = left;
            let (mut most, mut ways, mut choices) = (0, 0, 0_u32);
            while rest != 0 {
                let c = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                let gain = low[c][left & ((1 << half) - 1)] + high[c][left >> half];
                let value = gain + best[set | (1 << c)];
                if choices == 0 || value > most {
                    (most, ways, choices) = (value, completions[set | (1 << c)], 1 << c);
                } else if value == most {
                    ways += completions[set | (1 << c)];
                    choices |= 1 << c;
                }
            }
            (best[set], completions[set], next[set]) = (most, ways, choices);
        }
        Self { candidates, completions, next, score: best[0] }
    }

    /// The sets that some optimal order has on top, by size.
    fn all(&self) -> Vec<Vec<usize>> {
        self.first(&vec![0; self.candidates])
    }

    fn choices(&self, set: usize) -> Vec<usize> {
        (0..self.candidates).filter(|&c| self.next[set] & (1 << c) != 0).collect()
    }

    /// The optimal orders that are first by these places, compared place by place: the sets that some of them has
    /// on top, by size.
    fn first(&self, places: &[usize]) -> Vec<Vec<usize>> {
        let mut layers = vec![vec![0_usize]];
        for size in 0..self.candidates {
            let ways = |&set: &usize| self.choices(set).into_iter().map(move |c| (places[c], set | (1 << c)));
            let all: Vec<(usize, usize)> = layers[size].iter().flat_map(ways).collect();
            let least = all.iter().map(|(place, _)| *place).min().expect("every set but the last goes on");
            let mut sets: Vec<usize> =
                all.into_iter().filter(|(place, _)| *place == least).map(|(_, set)| set).collect();
            sets.sort_unstable();
            sets.dedup();
            layers.push(sets);
        }
        layers
    }

    /// Up to so many optimal orders, the first by the places.
    fn list(&self, places: &[usize], most: usize) -> Vec<Vec<usize>> {
        let mut listed = Vec::new();
        let mut order = Vec::new();
        self.extend(0, places, most, &mut order, &mut listed);
        listed
    }

    fn extend(
        &self,
        set: usize,
        places: &[usize],
        most: usize,
        order: &mut Vec<usize>,
        listed: &mut Vec<Vec<usize>>,
    ) {
        if order.len() == self.candidates {
            listed.push(order.clone());
            return;
        }
        let mut choices = self.choices(set);
        choices.sort_by_key(|&c| (places[c], c));
        for c in choices {
            if listed.len() < most {
                order.push(c);
                self.extend(set | (1 << c), places, most, order, listed);
                order.pop();
            }
        }
    }

    /// Every (a, b) with a above b in each order that passes these layers.
    fn shared(&self, layers: &[Vec<usize>]) -> Vec<(usize, usize)> {
        // Somebody in a set stands above somebody outside it in some optimal order.
        let mut above_somewhere = vec![0_usize; self.candidates];
        let all = (1_usize << self.candidates) - 1;
        for &set in layers.iter().flatten() {
            for (c, outside) in above_somewhere.iter_mut().enumerate() {
                if set & (1 << c) != 0 {
                    *outside |= all & !set;
                }
            }
        }
        let pairs = (0..self.candidates).flat_map(|a| (0..self.candidates).map(move |b| (a, b)));
        pairs.filter(|&(a, b)| a != b && above_somewhere[b] & (1 << a) == 0).collect()
    }
}

/// Tiers: a new one begins wherever all the orders have the same candidates on top.
fn tiers(layers: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut tiers = Vec::new();
    let mut before = 0_usize;
    for layer in &layers[1..] {
        if let [set] = layer[..] {
            let tier = set & !before;
            tiers.push((0..usize::BITS as usize).filter(|&c| tier & (1 << c) != 0).collect());
            before = set;
        }
    }
    tiers
}

pub(crate) fn count(election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let counts = election.counts;
    let candidates = counts.candidates();
    if candidates > MOST_CANDIDATES {
        return Err(Refusal::TooManyCandidates { most: MOST_CANDIDATES });
    }
    let sets = Sets::solve(counts);
    let ladder = &parameters.ladder;
    let places = ladder.order_of_all(counts);
    let optimal = sets.all();
    let first = sets.first(&places);
    let is_one = |layers: &[Vec<usize>]| layers.iter().all(|layer| layer.len() == 1);
    // The shortest beginning of the ladder that tells all of the tied apart ends with the step that was needed.
    let resolved_by = |tied: &[usize]| {
        let decides = |&steps: &usize| {
            let tiers = tiers(&sets.first(&ladder.first(steps).order_of_all(counts)));
            let apart = tied.iter().all(|&c| tiers.iter().any(|tier| tier[..] == [c]));
            let order = tiers.concat();
            apart && order.into_iter().filter(|c| tied.contains(c)).eq(tied.iter().copied())
        };
        (1..=ladder.steps.len()).find(decides).map(|steps| ladder.steps[steps - 1])
    };

    let tiers_before = tiers(&optimal);
    let tiers_after = tiers(&first);
    let mut outcome =
        Outcome { standings: Vec::new(), ties: Vec::new(), detail: Detail::Positional(Vec::new()) };
    let mut rank_of = vec![0; candidates];
    let mut rank = 1;
    for tier in &tiers_before {
        for &c in tier {
            rank_of[c] = rank;
        }
        rank += tier.len();
    }
    for tier in tiers_after {
        let resolved_rank = outcome.standings.len() + 1;
        outcome.standings.extend(tier.into_iter().map(|candidate| Standing {
            candidate,
            rank: rank_of[candidate],
            resolved_rank,
            score: None,
        }));
    }
    for tier in tiers_before.into_iter().filter(|tier| tier.len() > 1) {
        let rank = rank_of[tier[0]];
        let tied = outcome.standings.iter().filter(|standing| standing.rank == rank);
        let candidates: Vec<usize> = tied.map(|standing| standing.candidate).collect();
        outcome.ties.push(Tie {
            resolved_by: resolved_by(&candidates),
            matters: crosses(rank, tier.len(), parameters.cut),
            candidates,
        });
    }
    let listed = sets.list(&places, MOST_LISTED);
    let orders = Orders {
        score: election.profile.fraction(sets.score),
        optimal: sets.completions[0],
        published: is_one(&first).then(|| listed[0].clone()),
        shared: sets.shared(&optimal),
        listed,
    };
    let facts = Pairwise { orders: Some(orders), ..Pairwise::facts(election) };
    Ok(outcome.with(Detail::Pairwise(Box::new(facts))))
}
