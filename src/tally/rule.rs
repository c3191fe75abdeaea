//! The one list of rules. Routes, command line, documentation and tests read it; nothing repeats it.

use std::fmt;

use super::positional::{self, Scale};
use super::{Counts, Fraction, Ladder, Outcome, Profile};

/// The most picks a ballot can hold: as many as there can be candidates. Rounds allow fewer.
pub const MAX_PICKS: usize = 64;

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
}

impl Family {
    /// The name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Positional => "positional",
        }
    }
}

/// A parameter that a rule takes, under the same name everywhere.
#[derive(Debug)]
pub struct Parameter {
    /// The name in queries and on the command line.
    pub name: &'static str,
    /// What it does.
    pub description: Titles,
}

/// The parameters that every rule takes, and after them those of single rules.
pub const PARAMETERS: [Parameter; 3] = [
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
            sv: "Stegen som skiljer lika, med komma: listed, first-places, head-to-head, lot; none för inga.",
            en: "The steps that tell equals apart, comma-separated: listed, first-places, head-to-head, lot; none for none.",
        },
    },
    Parameter {
        name: "points",
        description: Titles {
            sv: "Poängen per plats, fallande, med komma; heltal eller bråk som 1/2.",
            en: "The points per rank, not increasing, comma-separated; whole numbers or fractions such as 1/2.",
        },
    },
];

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

/// What a count depends on besides the ballots.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    /// Points per rank for `custom`.
    pub points: Option<Vec<Fraction>>,
    /// How ties are resolved.
    pub ladder: Ladder,
    /// m: how many count as "the top".
    pub cut: usize,
}

/// Why a rule cannot be counted as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `custom` without points, or points for a rule that has its own.
    #[error("the rule custom takes points, one per rank, and no other rule does")]
    PointsDoNotApply,
    /// As many points as picks are needed.
    #[error("as many points as picks are needed")]
    WrongNumberOfPoints,
    /// Points may not rise from one rank to the next, nor be negative.
    #[error("points may not rise from one rank to the next, nor be negative")]
    PointsRise,
    /// `approval-j` with j above the picks of a ballot.
    #[error("approval-j reads the first j ranks, and a ballot here has fewer")]
    TooDeep,
}

/// How a family's rules are counted.
#[derive(Clone, Copy, Debug)]
pub enum Method {
    /// From points for a ballot of a given length.
    Positional(fn(&positional::Frame<'_>, usize) -> Scale),
}

/// A row of the table.
#[derive(Debug)]
struct Row {
    id: &'static str,
    /// `approval` stands for `approval-1`, `approval-2`, …
    numbered: bool,
    title: Titles,
    definition: Titles,
    source: &'static str,
    takes_points: bool,
    method: Method,
}

static TABLE: [Row; 7] = [
    Row {
        id: "linear",
        numbered: false,
        title: Titles { sv: "Linjär poäng", en: "Linear points" },
        definition: Titles {
            sv: "Första platsen ger lika många poäng som en prioritering kan ha platser, varje plats därefter ett mindre; det som inte valts ger 0.",
            en: "The first rank gives as many points as a ballot can have ranks, each further rank one less; what is not picked gives 0.",
        },
        source: "Terzopoulou & Endriss, The Borda class, Journal of Mathematical Economics 92 (2021), step g = 1",
        takes_points: false,
        method: Method::Positional(positional::linear::scale),
    },
    Row {
        id: "borda-average",
        numbered: false,
        title: Titles { sv: "Borda, medelvärde för ej valda", en: "Borda, average for the unranked" },
        definition: Titles {
            sv: "Plats j ger M − j poäng; det som inte valts delar lika på de poäng som är kvar, (M − l − 1)/2 var för en prioritering med l val.",
            en: "Rank j gives M − j points; the unranked share what is left equally, (M − l − 1)/2 each for a ballot of l picks.",
        },
        source: "Terzopoulou & Endriss 2021 (tournament Borda); Borda, Mémoire sur les élections au scrutin (1781)",
        takes_points: false,
        method: Method::Positional(positional::borda_average::scale),
    },
    Row {
        id: "borda-pessimistic",
        numbered: false,
        title: Titles { sv: "Borda, 0 för ej valda", en: "Borda, 0 for the unranked" },
        definition: Titles {
            sv: "Plats j ger M − j poäng; det som inte valts ger 0.",
            en: "Rank j gives M − j points; the unranked get 0.",
        },
        source: "Terzopoulou & Endriss 2021 (domination Borda, pessimistic)",
        takes_points: false,
        method: Method::Positional(positional::borda_pessimistic::scale),
    },
    Row {
        id: "modified-borda",
        numbered: false,
        title: Titles { sv: "Modifierad Borda", en: "Modified Borda" },
        definition: Titles {
            sv: "En prioritering med l val ger l poäng åt den första, l − 1 åt den andra och så vidare ned till 1; det som inte valts ger 0.",
            en: "A ballot of l picks gives l points to its first, l − 1 to its second and so on down to 1; the unranked get 0.",
        },
        source: "Emerson, The original Borda count and partial voting, Social Choice and Welfare 40 (2013)",
        takes_points: false,
        method: Method::Positional(positional::modified_borda::scale),
    },
    Row {
        id: "dowdall",
        numbered: false,
        title: Titles { sv: "Dowdall", en: "Dowdall" },
        definition: Titles {
            sv: "Plats j ger 1/j poäng; det som inte valts ger 0.",
            en: "Rank j gives 1/j points; the unranked get 0.",
        },
        source: "Fraenkel & Grofman, The Borda count and its real-world alternatives, Australian Journal of Political Science 49 (2014)",
        takes_points: false,
        method: Method::Positional(positional::dowdall::scale),
    },
    Row {
        id: "approval",
        numbered: true,
        title: Titles { sv: "Antal bland de j första", en: "Count among the first j" },
        definition: Titles {
            sv: "De j första platserna ger 1 poäng var; allt annat ger 0. Med j = 1 räknas förstaplatser, med j lika med antalet val räknas omnämnanden.",
            en: "The first j ranks give 1 point each; all else gives 0. With j = 1 it counts first places, with j equal to the number of picks it counts mentions.",
        },
        source: "Brams & Fishburn, Approval voting, American Political Science Review 72 (1978); j = 1 is plurality",
        takes_points: false,
        method: Method::Positional(positional::approval::scale),
    },
    Row {
        id: "custom",
        numbered: false,
        title: Titles { sv: "Egna poäng", en: "Custom points" },
        definition: Titles {
            sv: "Plats j ger det j:te av de angivna poängtalen; det som inte valts ger 0.",
            en: "Rank j gives the j-th of the given points; the unranked get 0.",
        },
        source: "Young, Social choice scoring functions, SIAM Journal on Applied Mathematics 28 (1975)",
        takes_points: true,
        method: Method::Positional(positional::custom::scale),
    },
];

/// A rule, ready to count: a row of the table, and its number where the row has one.
#[derive(Clone, Copy)]
pub struct Rule {
    row: &'static Row,
    depth: Option<usize>,
}

/// Every rule for ballots of at most `picks` picks, in the table's order.
pub fn rules(picks: usize) -> impl Iterator<Item = Rule> {
    TABLE.iter().flat_map(move |row| {
        let depths: Vec<Option<usize>> =
            if row.numbered { (1..=picks).map(Some).collect() } else { vec![None] };
        depths.into_iter().map(move |depth| Rule { row, depth })
    })
}

impl Rule {
    /// The rule of this id: `linear`, `approval-3`, …
    pub fn find(id: &str) -> Option<Self> {
        rules(MAX_PICKS).find(|rule| rule.id() == id)
    }

    /// The id.
    pub fn id(&self) -> String {
        match self.depth {
            None => self.row.id.to_owned(),
            Some(depth) => format!("{}-{depth}", self.row.id),
        }
    }

    /// What people call it.
    pub fn title(&self, pick: fn(&Titles) -> &'static str) -> String {
        match self.depth {
            None => pick(&self.row.title).to_owned(),
            Some(depth) => format!("{} (j = {depth})", pick(&self.row.title)),
        }
    }

    /// What it is, in a sentence.
    pub fn definition(&self) -> Titles {
        self.row.definition
    }

    /// Where it is defined in the literature.
    pub fn source(&self) -> &'static str {
        self.row.source
    }

    /// How it looks at ballots.
    pub fn family(&self) -> Family {
        match self.row.method {
            Method::Positional(_) => Family::Positional,
        }
    }

    /// The parameters it takes.
    pub fn parameters(&self) -> &'static [Parameter] {
        if self.row.takes_points { &PARAMETERS } else { &PARAMETERS[..2] }
    }

    /// Counts.
    ///
    /// # Errors
    /// A [`Refusal`] if the parameters do not fit the rule or the ballots.
    pub fn count(&self, election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
        match self.row.method {
            Method::Positional(_) => {
                let scales = self.scales(election, parameters)?;
                let scores = positional::scores(election.counts, &scales);
                Ok(Outcome::by_score(&scores, election.counts, &parameters.ladder, parameters.cut))
            }
        }
    }

    /// The points of a full ballot (ranks 1 to k) and of an unranked candidate.
    ///
    /// # Errors
    /// A [`Refusal`] if the parameters do not fit the rule or the ballots.
    pub fn points(
        &self,
        candidates: usize,
        picks: usize,
        points: Option<&[Fraction]>,
    ) -> Result<Scale, Refusal> {
        let frame = self.frame(candidates, picks, points)?;
        match self.row.method {
            Method::Positional(scale) => Ok(scale(&frame, picks)),
        }
    }

    fn scales(&self, election: &Election<'_>, parameters: &Parameters) -> Result<Vec<Scale>, Refusal> {
        let frame =
            self.frame(election.profile.candidates(), election.picks, parameters.points.as_deref())?;
        let Method::Positional(scale) = self.row.method;
        Ok((0..=election.counts.longest()).map(|length| scale(&frame, length)).collect())
    }

    fn frame<'a>(
        &self,
        candidates: usize,
        picks: usize,
        points: Option<&'a [Fraction]>,
    ) -> Result<positional::Frame<'a>, Refusal> {
        if self.row.takes_points != points.is_some() {
            return Err(Refusal::PointsDoNotApply);
        }
        let points = points.unwrap_or_default();
        if self.row.takes_points {
            positional::custom::check(points, picks)?;
        }
        if self.depth.is_some_and(|depth| depth > picks) {
            return Err(Refusal::TooDeep);
        }
        // A draft may lack its initiatives yet; there is nobody then to give points to.
        let candidates = candidates.max(picks);
        Ok(positional::Frame { candidates, picks, points, depth: self.depth.unwrap_or(0) })
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.id())
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.row, other.row) && self.depth == other.depth
    }
}

impl Eq for Rule {}
