//! What a rule answers: ranks before the ladder, the order after it, every tie on the way, and the steps of the count.

use super::pairwise::Pairwise;
use super::portfolio::Portfolio;
use super::rounds::{Bucklin, Runoff, Stages};
use super::{Counts, Fraction, Ladder, Step};

/// The outcome of one rule on one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One row a candidate, in resolved order; equals that nothing resolved stand by number.
    pub standings: Vec<Standing>,
    /// Every tie the rule left, from the top; of rules that count in rounds, in the order they were met.
    pub ties: Vec<Tie>,
    /// What the family adds: how the count went.
    pub detail: Detail,
}

/// How a count went, in the terms of the rule's family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Points: for each candidate what its score adds up from, a line a rank and length of ballots.
    Positional(Vec<Vec<Term>>),
    /// Duels.
    Pairwise(Box<Pairwise>),
    /// Bucklin: ranks counted until there is a majority.
    Bucklin(Bucklin),
    /// Instant runoff: one elimination a round.
    Runoff(Runoff),
    /// Single transferable vote: stages.
    Stages(Stages),
    /// A set of so many candidates.
    Portfolio(Box<Portfolio>),
}

/// So much weight at so many points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The weight of the ballots.
    pub weight: Fraction,
    /// What each of them gives.
    pub points: Fraction,
    /// The rank, from 1; none for the unranked.
    pub rank: Option<usize>,
}

/// Where one candidate stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its number in the profile.
    pub candidate: usize,
    /// Standard competition rank (1, 2, 2, 4) by the rule alone.
    pub rank: usize,
    /// Standard competition rank after the ladder.
    pub resolved_rank: usize,
    /// The exact score; none where the rule gives none.
    pub score: Option<Fraction>,
}

/// Candidates that the rule itself does not tell apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The tied, in resolved order.
    pub candidates: Vec<usize>,
    /// The last step of the ladder that was needed to order all of them; none if some are still tied.
    pub resolved_by: Option<Step>,
    /// Whether the tie crosses the cut: some of the tied would be in the top and some not.
    pub matters: bool,
}

impl Outcome {
    /// Ranks candidates by exact score, the highest first.
    pub(super) fn by_score(scores: &[Fraction], counts: &Counts, ladder: &Ladder, cut: usize) -> Self {
        let all: Vec<usize> = (0..scores.len()).collect();
        let tiers = super::ladder::partition(&all, |c| &scores[c]);
        Self::by_tiers(tiers, Some(scores), counts, ladder, cut)
    }

    /// Ranks candidates that stand in tiers, the best tier first.
    pub(super) fn by_tiers(
        tiers: Vec<Vec<usize>>,
        scores: Option<&[Fraction]>,
        counts: &Counts,
        ladder: &Ladder,
        cut: usize,
    ) -> Self {
        let mut outcome =
            Self { standings: Vec::new(), ties: Vec::new(), detail: Detail::Positional(Vec::new()) };
        for tier in tiers {
            let rank = outcome.standings.len() + 1;
            let size = tier.len();
            let resolution = ladder.resolve(counts, tier);
            for part in &resolution.parts {
                let resolved_rank = outcome.standings.len() + 1;
                outcome.standings.extend(part.iter().map(|&candidate| Standing {
                    candidate,
                    rank,
                    resolved_rank,
                    score: scores.map(|scores| scores[candidate].clone()),
                }));
            }
            if size > 1 {
                outcome.ties.push(Tie {
                    resolved_by: resolution.resolved_by(ladder),
                    candidates: resolution.parts.concat(),
                    matters: crosses(rank, size, cut),
                });
            }
        }
        outcome
    }

    /// The same outcome with what its family adds.
    pub(super) fn with(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }
}

/// Whether so many equals from this rank on lie on both sides of the cut.
pub(super) fn crosses(rank: usize, size: usize, cut: usize) -> bool {
    rank <= cut && cut < rank + size - 1
}
