//! What a count depends on besides the ballots, under which names, and why it may be refused.

use super::pairwise::Strength;
use super::pairwise::copeland::Draws;
use super::portfolio::Constraints;
use super::property::Titles;
use super::rounds::Transfer;
use super::{Counts, Fraction, Ladder, Profile};

/// The most weight, in units, that all ballots together can have: a thousand times 10^12 for each of 10^8 ballots.
/// Every intermediate sum stays below 2^128 then.
pub const MAX_WEIGHT: u128 = 1 << 80;

/// The ballots to count and the figures already taken from them.
#[derive(Clone, Copy, Debug)]
pub struct Election<'a> {
    /// The ballots.
    pub profile: &'a Profile,
    /// Rank and pairwise counts of the same ballots.
    pub counts: &'a Counts,
    /// k, the most picks a ballot may hold in this round.
    pub picks: usize,
}

impl Election<'_> {
    /// Refuses weights that are no whole numbers.
    pub(super) fn whole(&self) -> Result<(), Refusal> {
        if self.profile.unit() == 1 { Ok(()) } else { Err(Refusal::NotWhole) }
    }
}

/// What a count depends on besides the ballots. What is absent has the rule's own default.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    /// Points per rank, of `custom` and `coverage-ranked`.
    pub points: Option<Vec<Fraction>>,
    /// How ties are resolved.
    pub ladder: Ladder,
    /// m: how many count as "the top"; and the seats, unless `seats` says otherwise.
    pub cut: usize,
    /// How strong a duel is.
    pub strength: Option<Strength>,
    /// What a draw is worth.
    pub draws: Option<Draws>,
    /// How many are elected.
    pub seats: Option<usize>,
    /// How votes move on.
    pub method: Option<Transfer>,
    /// Conditions on a portfolio.
    pub constraints: Constraints,
    /// This count is one of so many that somebody waits for together: each may take that part of the effort; 0 is 1.
    pub one_of: usize,
}

impl Parameters {
    /// How many counts share the effort.
    pub(super) fn share(&self) -> usize {
        self.one_of.max(1)
    }

    /// m, checked.
    pub(super) fn seats(&self, candidates: usize) -> Result<usize, Refusal> {
        let seats = self.seats.unwrap_or(self.cut);
        if (1..=candidates).contains(&seats) { Ok(seats) } else { Err(Refusal::Seats) }
    }

    /// The names of those that are given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let Constraints { must, exclude, either_or, requires, budget } = &self.constraints;
        let given = [
            ("points", self.points.is_some()),
            ("strength", self.strength.is_some()),
            ("draws", self.draws.is_some()),
            ("seats", self.seats.is_some()),
            ("method", self.method.is_some()),
            ("must", !must.is_empty()),
            ("exclude", !exclude.is_empty()),
            ("eitherOr", !either_or.is_empty()),
            ("requires", !requires.is_empty()),
            ("budget", budget.is_some()),
        ];
        given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }
}

/// Why a rule cannot be counted as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A parameter that the rule does not take.
    #[error("the rule does not take {0}")]
    DoesNotTake(&'static str),
    /// `custom` without points.
    #[error("the rule takes points, one per rank")]
    PointsMissing,
    /// As many points as picks are needed.
    #[error("as many points as picks are needed")]
    WrongNumberOfPoints,
    /// Points may not rise from one rank to the next, nor be negative.
    #[error("points may not rise from one rank to the next, nor be negative")]
    PointsRise,
    /// `approval-j` with j above the picks of a ballot.
    #[error("approval-j reads the first j ranks, and a ballot here has fewer")]
    TooDeep,
    /// `opposition` for another rule than `minimax`.
    #[error("opposition is a strength of minimax only")]
    OppositionDoesNotApply,
    /// No seats, or more than there are candidates.
    #[error("seats are 1 to as many as there are candidates")]
    Seats,
    /// More candidates than the rule can be counted for.
    #[error("the rule is counted for at most {most} candidates")]
    TooManyCandidates {
        /// The most.
        most: usize,
    },
    /// More portfolios to compare than anybody would wait for.
    #[error("there are too many portfolios of this size to compare")]
    TooManyPortfolios,
    /// No portfolio meets the conditions.
    #[error("no portfolio meets all the conditions")]
    NoSuchPortfolio,
    /// The rule takes whole weights only.
    #[error("the rule takes whole weights only")]
    NotWhole,
    /// Points or harmonic parts with too fine a common denominator.
    #[error("the points have too fine a common denominator, or are too large")]
    TooFine,
    /// The ballots weigh more than [`MAX_WEIGHT`] together.
    #[error("the ballots weigh too much together to be counted exactly")]
    TooHeavy,
    /// The ladder leaves equals where the count has to choose.
    #[error("the count must choose between equals that the tie ladder leaves; a lot decides")]
    Undecided {
        /// The tied.
        tied: Vec<usize>,
    },
}

/// A parameter that a rule takes, under the same name everywhere.
#[derive(Debug)]
pub struct Parameter {
    /// The name in queries and on the command line.
    pub name: &'static str,
    /// What it does.
    pub description: Titles,
}

/// How many of the [`PARAMETERS`] every rule takes: the first.
pub(super) const COMMON: usize = 3;

/// The parameters that every rule takes, and after them those of single rules.
pub static PARAMETERS: [Parameter; 13] = [
    Parameter {
        name: "picks",
        description: Titles {
            sv: "Läs bara så många av de första platserna på varje prioritering.",
            en: "Read only so many first ranks of every ballot.",
        },
    },
    Parameter {
        name: "ladder",
        description: Titles {
            sv: "Stegen som skiljer lika resultat åt, åtskilda med komma: earlier-count, listed, first-places, head-to-head, lot; none för inga.",
            en: "The steps that tell equals apart, comma-separated: earlier-count, listed, first-places, head-to-head, lot; none for none.",
        },
    },
    Parameter {
        name: "weights",
        description: Titles {
            sv: "Vad en prioritering väger: population, sqrt-population eller en kolumn i röstlängden.",
            en: "What a ballot weighs: population, sqrt-population or a column of the roll.",
        },
    },
    Parameter {
        name: "points",
        description: Titles {
            sv: "Poängen per plats, fallande, åtskilda med komma; heltal eller bråk som 1/2.",
            en: "The points per rank, not increasing, comma-separated; whole numbers or fractions such as 1/2.",
        },
    },
    Parameter {
        name: "strength",
        description: Titles {
            sv: "Hur stark en duell är: winning-votes eller margins; för minimax även opposition.",
            en: "How strong a duel is: winning-votes or margins; for minimax also opposition.",
        },
    },
    Parameter {
        name: "draws",
        description: Titles {
            sv: "Vad ett oavgjort är värt: half, llull (1) eller strict (0).",
            en: "What a draw is worth: half, llull (1) or strict (0).",
        },
    },
    Parameter {
        name: "seats",
        description: Titles {
            sv: "Antalet platser m; annars omgångens gräns för toppen.",
            en: "The number of seats m; the round's cut unless given.",
        },
    },
    Parameter {
        name: "method",
        description: Titles {
            sv: "Hur röster flyttas: scottish eller meek.",
            en: "How votes move: scottish or meek.",
        },
    },
    Parameter {
        name: "must",
        description: Titles {
            sv: "Initiativ som måste vara med, åtskilda med komma.",
            en: "Initiatives that must be in it, comma-separated.",
        },
    },
    Parameter {
        name: "exclude",
        description: Titles {
            sv: "Initiativ som inte får vara med, åtskilda med komma.",
            en: "Initiatives that must not be in it, comma-separated.",
        },
    },
    Parameter {
        name: "eitherOr",
        description: Titles {
            sv: "Par av vilka högst ett är med: a:b, åtskilda med komma.",
            en: "Pairs of which at most one is in it: a:b, comma-separated.",
        },
    },
    Parameter {
        name: "requires",
        description: Titles {
            sv: "Par där det första kräver det andra: a:b, åtskilda med komma.",
            en: "Pairs of which the first needs the second: a:b, comma-separated.",
        },
    },
    Parameter {
        name: "budget",
        description: Titles {
            sv: "Vad alla tillsammans får kosta, och vad vart och ett kostar: 100,a:40,b:25 …",
            en: "What all together may cost, and what each costs: 100,a:40,b:25 …",
        },
    },
];
