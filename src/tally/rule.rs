//! The one list of rules. Routes, command line, documentation and tests read it; nothing repeats it.

use std::fmt;

use super::ladder::Step;
use super::parameters::COMMON;
use super::positional::{self, Scale};
use super::property::Property::{
    Additivity, Condorcet, EjrPlus, Homogeneity, Monotonicity, Pareto, Reversal, ScoreSum, Smith,
};
use super::property::{Family, Property, Titles};
use super::{
    Detail, Election, Fraction, MAX_WEIGHT, Outcome, PARAMETERS, Parameter, Parameters, Refusal, pairwise,
    portfolio, rounds,
};

/// The most picks a ballot can hold: as many as there can be candidates. Rounds allow fewer.
pub const MAX_PICKS: usize = 64;

/// How a rule counts.
type Count = fn(&Election<'_>, &Parameters) -> Result<Outcome, Refusal>;

/// How a family's rules are counted.
#[derive(Clone, Copy, Debug)]
enum Method {
    /// From points for a ballot of a given length.
    Positional(fn(&positional::Frame<'_>, usize) -> Scale),
    Pairwise(Count),
    Rounds(Count),
    Portfolio(Count),
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
    /// Parameters besides those that every rule takes.
    takes: &'static [&'static str],
    /// Properties it has: tests try to refute each.
    keeps: &'static [Property],
    /// Properties it lacks: a counterexample to each stands in the tests.
    breaks: &'static [Property],
    method: Method,
}

static TABLE: [Row; 24] = [
    Row {
        id: "linear",
        numbered: false,
        title: Titles { sv: "Linjär poäng", en: "Linear points" },
        definition: Titles {
            sv: "Första platsen ger lika många poäng som en prioritering kan ha platser, varje plats därefter ett mindre; det som inte valts ger 0.",
            en: "The first rank gives as many points as a ballot can have ranks, each further rank one less; what is not picked gives 0.",
        },
        source: "Terzopoulou & Endriss, The Borda class, Journal of Mathematical Economics 92 (2021), step g = 1",
        takes: &[],
        keeps: &[Homogeneity, Monotonicity, Reversal, Pareto, Additivity, ScoreSum],
        breaks: &[Condorcet, Smith],
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
        takes: &[],
        keeps: &[Homogeneity, Monotonicity, Reversal, Pareto, Additivity, ScoreSum],
        breaks: &[Condorcet, Smith],
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
        takes: &[],
        keeps: &[Homogeneity, Monotonicity, Reversal, Pareto, Additivity, ScoreSum],
        breaks: &[Condorcet, Smith],
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
        takes: &[],
        keeps: &[Homogeneity, Monotonicity, Reversal, Pareto, Additivity, ScoreSum],
        breaks: &[Condorcet, Smith],
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
        takes: &[],
        keeps: &[Homogeneity, Monotonicity, Pareto, Additivity, ScoreSum],
        breaks: &[Condorcet, Smith, Reversal],
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
        takes: &[],
        keeps: &[Homogeneity, Monotonicity, Additivity, ScoreSum],
        breaks: &[Condorcet, Smith, Reversal, Pareto],
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
        takes: &["points"],
        keeps: &[Homogeneity, Monotonicity, Additivity, ScoreSum],
        breaks: &[Condorcet, Smith, Reversal, Pareto],
        method: Method::Positional(positional::custom::scale),
    },
    Row {
        id: "copeland",
        numbered: false,
        title: Titles { sv: "Copeland", en: "Copeland" },
        definition: Titles {
            sv: "Varje vunnen duell ger 1 poäng, ett oavgjort ½; högst summa först.",
            en: "Every duel won gives 1 point, a draw ½; the largest sum first.",
        },
        source: "Copeland, A reasonable social welfare function (1951); Hägele & Pukelsheim, Llull's writings on electoral systems, Studia Lulliana 41 (2001)",
        takes: &["draws"],
        keeps: &[Homogeneity, Monotonicity, Condorcet, Smith, Reversal, Pareto],
        breaks: &[],
        method: Method::Pairwise(pairwise::copeland::count),
    },
    Row {
        id: "minimax",
        numbered: false,
        title: Titles { sv: "Minimax", en: "Minimax" },
        definition: Titles {
            sv: "Den vars sämsta duell är minst dålig står först; styrkan säger vad som mäts.",
            en: "Whoever's worst duel is the least bad comes first; the strength says what is measured.",
        },
        source: "Simpson, On defining areas of voter choice, Quarterly Journal of Economics 83 (1969); Kramer, A dynamical model of political equilibrium, Journal of Economic Theory 16 (1977)",
        takes: &["strength"],
        keeps: &[Homogeneity, Monotonicity, Condorcet],
        breaks: &[Smith, Reversal, Pareto],
        method: Method::Pairwise(pairwise::minimax::count),
    },
    Row {
        id: "schulze",
        numbered: false,
        title: Titles { sv: "Schulze", en: "Schulze" },
        definition: Titles {
            sv: "a står över b om den starkaste kedjan av vunna dueller från a till b är starkare än den tillbaka; en kedja är så stark som sin svagaste duell.",
            en: "a stands above b if the strongest chain of won duels from a to b is stronger than the one back; a chain is as strong as its weakest duel.",
        },
        source: "Schulze, A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner election method, Social Choice and Welfare 36 (2011)",
        takes: &["strength"],
        keeps: &[Homogeneity, Monotonicity, Condorcet, Smith, Reversal, Pareto],
        breaks: &[],
        method: Method::Pairwise(pairwise::schulze::count),
    },
    Row {
        id: "ranked-pairs",
        numbered: false,
        title: Titles { sv: "Rangordnade par", en: "Ranked pairs" },
        definition: Titles {
            sv: "Dueller låses från den starkaste nedåt, utom de som skulle sluta en cirkel med låsta; obesegrade tas bort i tur och ordning.",
            en: "Duels are locked from the strongest down, but for those that would close a circle with locked ones; the unbeaten are taken away in turn.",
        },
        source: "Tideman, Independence of clones as a criterion for voting rules, Social Choice and Welfare 4 (1987)",
        takes: &["strength"],
        keeps: &[Homogeneity, Monotonicity, Condorcet, Smith, Reversal, Pareto],
        breaks: &[],
        method: Method::Pairwise(pairwise::ranked_pairs::count),
    },
    Row {
        id: "kemeny",
        numbered: false,
        title: Titles { sv: "Kemeny", en: "Kemeny" },
        definition: Titles {
            sv: "Den ordning av alla initiativ som stämmer med flest parvisa jämförelser på prioriteringarna.",
            en: "The order of all initiatives that agrees with the most pairwise comparisons on the ballots.",
        },
        source: "Kemeny, Mathematics without numbers, Daedalus 88 (1959); Young & Levenglick, SIAM Journal on Applied Mathematics 35 (1978)",
        takes: &[],
        keeps: &[Homogeneity, Monotonicity, Condorcet, Smith, Reversal],
        breaks: &[Pareto],
        method: Method::Pairwise(pairwise::kemeny::count),
    },
    Row {
        id: "bucklin",
        numbered: false,
        title: Titles { sv: "Bucklin", en: "Bucklin" },
        definition: Titles {
            sv: "Förstaplatser räknas, sedan första och andra, och så vidare tills något har mer än hälften; alla ordnas efter antalet där.",
            en: "First places are counted, then first and second, and so on until somebody has more than half; all are ordered by the count there.",
        },
        source: "Hoag & Hallett, Proportional Representation (1926)",
        takes: &[],
        keeps: &[Homogeneity, Monotonicity],
        breaks: &[Condorcet, Smith, Reversal, Pareto],
        method: Method::Rounds(rounds::bucklin::count),
    },
    Row {
        id: "irv",
        numbered: false,
        title: Titles { sv: "Omgångsräkning (IRV)", en: "Instant runoff (IRV)" },
        definition: Titles {
            sv: "Varje prioritering räknas för sitt första initiativ som är kvar; det med minst antal lämnar, tills ett är kvar.",
            en: "Every ballot counts for its first initiative still in; the one with the fewest leaves, until one is left.",
        },
        source: "Ware's method; Tideman, Collective Decisions and Voting (2006)",
        takes: &[],
        keeps: &[Homogeneity],
        breaks: &[Monotonicity, Condorcet, Smith, Reversal, Pareto],
        method: Method::Rounds(rounds::irv::count),
    },
    Row {
        id: "stv",
        numbered: false,
        title: Titles { sv: "Enkel överförbar röst (STV)", en: "Single transferable vote (STV)" },
        definition: Titles {
            sv: "Ett antal platser, var och en för en kvot av röster; det som är över kvoten och det som de uteslutna lämnar flyttas till nästa val.",
            en: "So many seats, each for a quota of votes; what is over a quota and what the excluded leave moves to the next pick.",
        },
        source: "Scottish Local Government Elections Order 2007, schedule 1, part III; Local Electoral Regulations 2001 (New Zealand), schedule 1A",
        takes: &["seats", "method"],
        keeps: &[],
        breaks: &[Homogeneity],
        method: Method::Rounds(rounds::stv::count),
    },
    Row {
        id: "coverage",
        numbered: false,
        title: Titles { sv: "Täckning", en: "Coverage" },
        definition: Titles {
            sv: "Den portfölj av m initiativ där flest prioriteringar har minst ett val med.",
            en: "The portfolio of m initiatives in which the most ballots have at least one pick.",
        },
        source: "Chamberlin & Courant, Representative deliberations and representative decisions, American Political Science Review 77 (1983)",
        takes: &["seats", "must", "exclude", "eitherOr", "requires", "budget"],
        keeps: &[Homogeneity],
        breaks: &[EjrPlus],
        method: Method::Portfolio(portfolio::coverage::count),
    },
    Row {
        id: "coverage-ranked",
        numbered: false,
        title: Titles { sv: "Täckning efter plats", en: "Coverage by rank" },
        definition: Titles {
            sv: "Den portfölj av m initiativ som ger flest poäng när varje prioritering räknar sitt bäst placerade val i den.",
            en: "The portfolio of m initiatives that gives the most points when every ballot counts its best placed pick in it.",
        },
        source: "Chamberlin & Courant 1983",
        takes: &["seats", "points", "must", "exclude", "eitherOr", "requires", "budget"],
        keeps: &[Homogeneity],
        breaks: &[EjrPlus],
        method: Method::Portfolio(portfolio::coverage_ranked::count),
    },
    Row {
        id: "approval",
        numbered: false,
        title: Titles { sv: "De mest valda", en: "The most listed" },
        definition: Titles {
            sv: "De m initiativ som flest har valt.",
            en: "The m initiatives that the most ballots list.",
        },
        source: "Lackner & Skowron, Multi-Winner Voting with Approval Preferences (2023), section 2.2 (AV)",
        takes: &["seats", "must", "exclude", "eitherOr", "requires", "budget"],
        keeps: &[Homogeneity],
        breaks: &[EjrPlus],
        method: Method::Portfolio(portfolio::approval::count),
    },
    Row {
        id: "pav",
        numbered: false,
        title: Titles { sv: "Proportionell portfölj (PAV)", en: "Proportional approval (PAV)" },
        definition: Titles {
            sv: "Den portfölj där summan är störst, när en prioritering räknar 1 för sitt första val i den, 1/2 för det andra, 1/3 för det tredje och så vidare.",
            en: "The portfolio with the largest sum, when a ballot counts 1 for its first pick in it, 1/2 for the second, 1/3 for the third and so on.",
        },
        source: "Thiele, Om Flerfoldsvalg (1895); Brill & Peters, Robust and verifiable proportionality axioms (EC 2023)",
        takes: &["seats", "must", "exclude", "eitherOr", "requires", "budget"],
        keeps: &[Homogeneity, EjrPlus],
        breaks: &[],
        method: Method::Portfolio(portfolio::pav::count),
    },
    Row {
        id: "sequential-pav",
        numbered: false,
        title: Titles {
            sv: "Proportionell portfölj, steg för steg", en: "Sequential proportional approval"
        },
        definition: Titles {
            sv: "Ett initiativ i taget: det som ökar summan i pav mest.",
            en: "One initiative at a time: the one that adds most to the sum of pav.",
        },
        source: "Thiele 1895; Janson, Phragmén's and Thiele's election methods (2016)",
        takes: &["seats"],
        keeps: &[Homogeneity],
        breaks: &[EjrPlus],
        method: Method::Portfolio(portfolio::sequential_pav::count),
    },
    Row {
        id: "sequential-phragmen",
        numbered: false,
        title: Titles { sv: "Phragmén, steg för steg", en: "Sequential Phragmén" },
        definition: Titles {
            sv: "Varje initiativ är en börda som delas av dem som valt det; ett i taget, det som belastar minst.",
            en: "Every initiative is a load shared by those who list it; one at a time, the one that burdens least.",
        },
        source: "Phragmén 1894; Janson, Phragmén's and Thiele's election methods (2016), section 3",
        takes: &["seats"],
        keeps: &[Homogeneity],
        breaks: &[EjrPlus],
        method: Method::Portfolio(portfolio::sequential_phragmen::count),
    },
    Row {
        id: "leximax-phragmen",
        numbered: false,
        title: Titles { sv: "Phragmén, minsta största börda", en: "Leximax Phragmén" },
        definition: Titles {
            sv: "Den portfölj vars bördor kan fördelas så att de största blir så små som möjligt.",
            en: "The portfolio whose loads can be spread so that the largest are as small as possible.",
        },
        source: "Brill, Freeman, Janson & Lackner, Phragmén's voting methods and justified representation (AAAI 2017)",
        takes: &["seats", "must", "exclude", "eitherOr", "requires", "budget"],
        keeps: &[Homogeneity],
        breaks: &[EjrPlus],
        method: Method::Portfolio(portfolio::leximax_phragmen::count),
    },
    Row {
        id: "equal-shares",
        numbered: false,
        title: Titles { sv: "Lika andelar", en: "Equal shares" },
        definition: Titles {
            sv: "Varje prioritering får lika mycket pengar; initiativ köps av dem som valt dem, i lika delar. Tomma platser fylls enligt Phragmén.",
            en: "Every ballot gets the same money; initiatives are bought by those who list them, in equal parts. Empty seats are filled by Phragmén.",
        },
        source: "Peters & Skowron, Proportionality and the limits of welfarism (EC 2020)",
        takes: &["seats"],
        keeps: &[Homogeneity, EjrPlus],
        breaks: &[],
        method: Method::Portfolio(portfolio::equal_shares::count),
    },
    Row {
        id: "monroe",
        numbered: false,
        title: Titles { sv: "Monroe", en: "Monroe" },
        definition: Titles {
            sv: "Den portfölj där flest företräds av ett val de gjort, när varje initiativ företräder lika många.",
            en: "The portfolio in which the most are represented by one of their picks, when every initiative represents equally many.",
        },
        source: "Monroe, Fully proportional representation, American Political Science Review 89 (1995)",
        takes: &["seats", "must", "exclude", "eitherOr", "requires", "budget"],
        keeps: &[],
        breaks: &[Homogeneity, EjrPlus],
        method: Method::Portfolio(portfolio::monroe::count),
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
    pub fn title(&self, pick: impl Fn(&Titles) -> &'static str) -> String {
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
            Method::Pairwise(_) => Family::Pairwise,
            Method::Rounds(_) => Family::Rounds,
            Method::Portfolio(_) => Family::Portfolio,
        }
    }

    /// The parameters it takes.
    pub fn parameters(&self) -> Vec<&'static Parameter> {
        let own = PARAMETERS.iter().enumerate();
        own.filter(|(i, parameter)| *i < COMMON || self.takes(parameter.name)).map(|(_, p)| p).collect()
    }

    /// Whether it takes this parameter besides those that every rule takes.
    pub fn takes(&self, parameter: &str) -> bool {
        self.row.takes.contains(&parameter)
    }

    /// The properties it has.
    pub fn keeps(&self) -> &'static [Property] {
        self.row.keeps
    }

    /// The properties it lacks.
    pub fn breaks(&self) -> &'static [Property] {
        self.row.breaks
    }

    /// The ladder that these steps of a round's rule set make for this rule.
    ///
    /// Steps in the positional order T1 T2 T3 T4 take the order of the rule's family: T3 T1 T2 T4 for pairwise rules, and
    /// T0 first where there are eliminations. Steps in any other order were meant as they stand.
    pub fn steps(&self, stated: &[Step]) -> Vec<Step> {
        let of = |order: &[Step]| order.iter().copied().filter(|step| stated.contains(step)).collect();
        let positional: Vec<Step> = of(&Step::ALL);
        match self.family() {
            _ if positional != stated => stated.to_vec(),
            Family::Positional | Family::Portfolio => positional,
            Family::Pairwise => of(&Step::PAIRWISE),
            Family::Rounds if self.row.id == "bucklin" || stated.is_empty() => positional,
            Family::Rounds => {
                let first = Some(Step::EarlierCount).filter(|step| !stated.contains(step));
                first.into_iter().chain(positional).collect()
            }
        }
    }

    /// Counts.
    ///
    /// # Errors
    /// A [`Refusal`] if the parameters do not fit the rule or the ballots, or the count has to choose between equals.
    pub fn count(&self, election: &Election<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
        if election.profile.weight() > MAX_WEIGHT {
            return Err(Refusal::TooHeavy);
        }
        if let Some(name) = parameters.given().into_iter().find(|name| !self.takes(name)) {
            return Err(Refusal::DoesNotTake(name));
        }
        if parameters.strength == Some(pairwise::Strength::Opposition) && self.row.id != "minimax" {
            return Err(Refusal::OppositionDoesNotApply);
        }
        match self.row.method {
            Method::Positional(scale) => {
                let candidates = election.profile.candidates();
                let frame = self.frame(candidates, election.picks, parameters.points.as_deref())?;
                let lengths = 0..=election.counts.longest();
                let scales: Vec<Scale> = lengths.map(|length| scale(&frame, length)).collect();
                let terms = positional::terms(election, &scales);
                let scores = positional::scores(&terms);
                let outcome = Outcome::by_score(&scores, election.counts, &parameters.ladder, parameters.cut);
                Ok(outcome.with(Detail::Positional(terms)))
            }
            Method::Pairwise(count) | Method::Rounds(count) | Method::Portfolio(count) => {
                count(election, parameters)
            }
        }
    }

    /// Of a positional rule the points of a full ballot (ranks 1 to k) and of an unranked candidate; none of others.
    ///
    /// # Errors
    /// A [`Refusal`] if the parameters do not fit the rule.
    pub fn points(
        &self,
        candidates: usize,
        picks: usize,
        points: Option<&[Fraction]>,
    ) -> Result<Option<Scale>, Refusal> {
        match self.row.method {
            Method::Positional(scale) => Ok(Some(scale(&self.frame(candidates, picks, points)?, picks))),
            Method::Pairwise(_) | Method::Rounds(_) | Method::Portfolio(_) => Ok(None),
        }
    }

    fn frame<'a>(
        &self,
        candidates: usize,
        picks: usize,
        points: Option<&'a [Fraction]>,
    ) -> Result<positional::Frame<'a>, Refusal> {
        let points = match points {
            Some(_) if !self.takes("points") => return Err(Refusal::DoesNotTake("points")),
            None if self.takes("points") => return Err(Refusal::PointsMissing),
            Some(points) => {
                positional::custom::check(points, picks)?;
                points
            }
            None => &[],
        };
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
