//! What the table says of a rule besides how it counts: titles, family, properties.

/// A title or text in the two languages people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Titles {
    /// Swedish.
    pub sv: &'static str,
    /// English.
    pub en: &'static str,
}

/// How a rule looks at ballots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A rank is worth points.
    Positional,
    /// Every two candidates meet in a duel.
    Pairwise,
    /// Votes are counted in rounds.
    Rounds,
    /// A set of so many is chosen.
    Portfolio,
}

impl Family {
    /// Every family, in the table's order.
    pub const ALL: [Self; 4] = [Self::Positional, Self::Pairwise, Self::Rounds, Self::Portfolio];

    /// The name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Positional => "positional",
            Self::Pairwise => "pairwise",
            Self::Rounds => "rounds",
            Self::Portfolio => "portfolio",
        }
    }
}

/// A property that a rule has or lacks, as the tests check it; `docs/RULES.md` defines each.
///
/// Ranks are those before the ladder, of counts that need no ladder, with the rule's default parameters; an outcome is
/// only compared with others of the same candidates and k. "First alone" is rank 1 without equals. A ballot puts its
/// picks above the unranked, whom it does not compare. A rule whose parameters decide keeps what it keeps with all.
///
/// Anonymity (the order of ballots is nothing) and neutrality (nor are the names of candidates) hold for every rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// With every ballot taken so many times, all ranks and optima stay what they are.
    Homogeneity,
    /// Who stands first alone still does after rising a place, or coming last instead of nowhere, on one ballot or on
    /// all with one ranking.
    Monotonicity,
    /// Whoever beats everybody else, each in a duel, stands first alone.
    Condorcet,
    /// Nobody outside the Smith set, the smallest in which each beats all outside it, stands before or beside anybody
    /// in it.
    Smith,
    /// With every complete ballot turned round, who stood first alone does not again.
    Reversal,
    /// Where every ballot puts a above b, a stands before b.
    Pareto,
    /// The scores of two groups of ballots add up to the scores of both together.
    Additivity,
    /// The sum of all scores follows from the lengths of the ballots.
    ScoreSum,
    /// Every optimum is fair to all groups (EJR+): none leaves out somebody whom so many list that they deserve l of
    /// the m seats, each of them with fewer than l of their picks in it.
    EjrPlus,
}
