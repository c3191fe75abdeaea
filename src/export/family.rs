//! How a count went, as documents show it: the member that each family of rules adds to a result.

use serde::{Serialize, Serializer};

use crate::domain::Slate;
use crate::service::results::{Names, Tally};
use crate::tally::pairwise::{Decision, Orders, Pairwise};
use crate::tally::portfolio::{Optima, Portfolio};
use crate::tally::rounds::{Action, Bucklin, Runoff, Stages, Transfer};
use crate::tally::{Detail, Fraction, Step};

/// Something by initiative, in the order given.
#[derive(Debug)]
pub(super) struct ById<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for ById<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(id, value)| (id, value)))
    }
}

/// The largest number that a reader of JSON can be trusted to take for what it is: 2^53 - 1.
const MOST: u64 = (1 << 53) - 1;

type Square = ById<ById<String>>;

/// The members that only one family has.
#[derive(Debug, Default, Serialize)]
pub(super) struct FamilyMembers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pairwise: Option<PairwiseView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<OrdersView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rounds: Option<Vec<RoundView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<Vec<StageView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    portfolio: Option<PortfolioView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PairwiseView {
    matrix: Square,
    condorcet_winner: Option<String>,
    weak_condorcet_winners: Vec<String>,
    smith_set: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paths: Option<Square>,
    #[serde(skip_serializing_if = "Option::is_none")]
    defeats: Option<Vec<DefeatView>>,
}

#[derive(Debug, Serialize)]
struct DefeatView {
    winner: String,
    loser: String,
    strength: String,
    locked: bool,
}

#[derive(Debug, Serialize)]
struct OrdersView {
    score: String,
    optimal: u64,
    complete: bool,
    published: Option<Vec<String>>,
    listed: Vec<Vec<String>>,
    shared: Vec<[String; 2]>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RoundView {
    round: usize,
    votes: ById<String>,
    exhausted: Option<String>,
    majority_above: String,
    majority: Vec<String>,
    eliminated: Option<String>,
    tied: Vec<String>,
    resolved_by: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StageView {
    stage: usize,
    action: &'static str,
    initiative_id: Option<String>,
    surplus: Option<String>,
    quota: String,
    votes: ById<String>,
    not_transferred: String,
    elected: Vec<String>,
    tied: Vec<String>,
    resolved_by: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PortfolioView {
    seats: usize,
    selected: Option<Vec<String>>,
    value: Option<String>,
    optima: OptimaView,
    selection: Vec<SelectionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_completion: Option<OptimaView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    loads: Vec<LoadView>,
    coverage: Option<CoverageView>,
    curve: Vec<CurveView>,
    trade_offs: Option<Vec<TradeOffView>>,
    certificate: Option<CertificateView>,
    uncovered: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct OptimaView {
    count: u64,
    complete: bool,
    listed: Vec<Vec<String>>,
    shared: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SelectionView {
    initiative_id: String,
    figure: Option<String>,
    tied: Vec<String>,
}

#[derive(Debug, Serialize)]
struct LoadView {
    load: String,
    weight: String,
}

#[derive(Debug, Serialize)]
struct CoverageView {
    covered: String,
    twice: String,
    alone: ById<String>,
}

#[derive(Debug, Serialize)]
struct CurveView {
    seats: usize,
    covered: String,
    gain: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TradeOffView {
    score: String,
    covered: String,
    initiative_ids: Vec<String>,
    count: usize,
}

#[derive(Debug, Serialize)]
struct CertificateView {
    axiom: &'static str,
    holds: bool,
    violation: Option<ViolationView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ViolationView {
    initiative_id: String,
    deserved: usize,
    weight: String,
    needed: String,
    participant_codes: Option<Vec<String>>,
}

/// What a family adds, seen with the ids of a slate.
struct Writer<'a>(&'a Slate);

impl FamilyMembers {
    pub(super) fn of(slate: &Slate, tally: &Tally) -> Self {
        let writer = Writer(slate);
        match &tally.outcome.detail {
            Detail::Positional(_) => Self::default(),
            Detail::Pairwise(facts) => Self {
                pairwise: Some(writer.pairwise(facts)),
                orders: facts.orders.as_ref().map(|orders| writer.orders(orders)),
                ..Self::default()
            },
            Detail::Bucklin(bucklin) => Self { rounds: Some(writer.bucklin(bucklin)), ..Self::default() },
            Detail::Runoff(runoff) => Self { rounds: Some(writer.runoff(runoff)), ..Self::default() },
            Detail::Stages(stages) => Self { stages: Some(writer.stages(stages)), ..Self::default() },
            Detail::Portfolio(portfolio) => {
                Self { portfolio: Some(writer.portfolio(portfolio, tally.names.as_ref())), ..Self::default() }
            }
        }
    }
}

impl Writer<'_> {
    fn id(&self, candidate: usize) -> String {
        self.0.initiatives()[candidate].id.to_string()
    }

    fn ids(&self, candidates: &[usize]) -> Vec<String> {
        candidates.iter().map(|&c| self.id(c)).collect()
    }

    fn by_id<T>(&self, values: impl IntoIterator<Item = (usize, T)>) -> ById<T> {
        ById(values.into_iter().map(|(c, value)| (self.id(c), value)).collect())
    }

    fn square(&self, square: &[Vec<Fraction>]) -> Square {
        self.by_id(square.iter().enumerate().map(|(a, row)| {
            let others = row.iter().enumerate().filter(move |(b, _)| *b != a);
            (a, self.by_id(others.map(|(b, weight)| (b, weight.to_string()))))
        }))
    }

    fn pairwise(&self, facts: &Pairwise) -> PairwiseView {
        let defeats = facts.pairs.iter().map(|pair| DefeatView {
            winner: self.id(pair.winner),
            loser: self.id(pair.loser),
            strength: pair.strength.to_string(),
            locked: pair.decision == Decision::Locked,
        });
        let defeats: Vec<DefeatView> = defeats.collect();
        PairwiseView {
            matrix: self.square(&facts.matrix),
            condorcet_winner: facts.condorcet_winner.map(|c| self.id(c)),
            weak_condorcet_winners: self.ids(&facts.weak_winners),
            smith_set: self.ids(&facts.smith_set),
            paths: facts.paths.as_ref().map(|paths| self.square(paths)),
            defeats: Some(defeats).filter(|defeats| !defeats.is_empty()),
        }
    }

    fn orders(&self, orders: &Orders) -> OrdersView {
        OrdersView {
            score: orders.score.to_string(),
            optimal: orders.optimal.min(MOST),
            complete: orders.listed.len() as u64 == orders.optimal,
            published: orders.published.as_ref().map(|order| self.ids(order)),
            listed: orders.listed.iter().map(|order| self.ids(order)).collect(),
            shared: orders.shared.iter().map(|&(a, b)| [self.id(a), self.id(b)]).collect(),
        }
    }

    fn bucklin(&self, bucklin: &Bucklin) -> Vec<RoundView> {
        let round = |(i, votes): (usize, &Vec<Fraction>)| {
            let majority: Vec<usize> = (0..votes.len()).filter(|&c| votes[c] > bucklin.half).collect();
            RoundView {
                round: i + 1,
                votes: self.by_id(votes.iter().map(ToString::to_string).enumerate()),
                exhausted: None,
                majority_above: bucklin.half.to_string(),
                majority: self.ids(&majority),
                eliminated: None,
                tied: Vec::new(),
                resolved_by: None,
            }
        };
        bucklin.levels.iter().enumerate().map(round).collect()
    }

    fn runoff(&self, runoff: &Runoff) -> Vec<RoundView> {
        let round = |(i, round): (usize, &crate::tally::rounds::Round)| {
            let counting = round.votes.iter().fold(Fraction::default(), |sum, (_, votes)| sum + votes);
            let half = counting / num_bigint::BigInt::from(2);
            let leads = round.votes.iter().filter(|(_, votes)| *votes > half);
            let majority: Vec<usize> = leads.map(|(c, _)| *c).collect();
            RoundView {
                round: i + 1,
                votes: self.by_id(round.votes.iter().map(|(c, votes)| (*c, votes.to_string()))),
                exhausted: Some(round.exhausted.to_string()),
                majority_above: half.to_string(),
                majority: self.ids(&majority),
                eliminated: round.eliminated.map(|c| self.id(c)),
                tied: self.ids(&round.tied),
                resolved_by: round.resolved_by.map(Step::id),
            }
        };
        runoff.rounds.iter().enumerate().map(round).collect()
    }

    fn stages(&self, stages: &Stages) -> Vec<StageView> {
        let places = match stages.method {
            Transfer::Scottish => 5,
            Transfer::Meek => 9,
        };
        let text = |votes: &Fraction| super::decimal::fixed(votes, places);
        let stage = |(i, stage): (usize, &crate::tally::rounds::Stage)| {
            let (action, of, surplus) = match &stage.action {
                Action::FirstPreferences => ("first-preferences", None, None),
                Action::Surplus { of, surplus } => ("surplus", Some(*of), Some(surplus)),
                Action::Exclusion { of } => ("exclusion", Some(*of), None),
                Action::LastVacancies => ("last-vacancies", None, None),
            };
            StageView {
                stage: i + 1,
                action,
                initiative_id: of.map(|c| self.id(c)),
                surplus: surplus.map(text),
                quota: text(&stage.quota),
                votes: self.by_id(stage.votes.iter().map(text).enumerate()),
                not_transferred: text(&stage.not_transferred),
                elected: self.ids(&stage.elected),
                tied: self.ids(&stage.tied),
                resolved_by: stage.resolved_by.map(Step::id),
            }
        };
        stages.stages.iter().enumerate().map(stage).collect()
    }

    fn optima(&self, optima: &Optima) -> OptimaView {
        OptimaView {
            count: optima.count.min(MOST),
            complete: optima.complete,
            listed: optima.listed.iter().map(|members| self.ids(members)).collect(),
            shared: self.ids(&optima.shared),
        }
    }

    fn portfolio(&self, portfolio: &Portfolio, names: Option<&Names>) -> PortfolioView {
        let zero = Fraction::default();
        let before = std::iter::once(&zero).chain(&portfolio.curve);
        let curve = portfolio.curve.iter().zip(before).enumerate().map(|(i, (covered, before))| CurveView {
            seats: i + 1,
            covered: covered.to_string(),
            gain: (covered - before).to_string(),
        });
        PortfolioView {
            seats: portfolio.seats,
            selected: portfolio.selected.as_ref().map(|members| self.ids(members)),
            value: portfolio.value.as_ref().map(ToString::to_string),
            optima: self.optima(&portfolio.optima),
            selection: portfolio
                .selection
                .iter()
                .map(|selection| SelectionView {
                    initiative_id: self.id(selection.candidate),
                    figure: selection.figure.as_ref().map(ToString::to_string),
                    tied: self.ids(&selection.tied),
                })
                .collect(),
            before_completion: portfolio.before_completion.as_ref().map(|optima| self.optima(optima)),
            loads: portfolio
                .loads
                .iter()
                .map(|(load, weight)| LoadView { load: load.to_string(), weight: weight.to_string() })
                .collect(),
            coverage: portfolio.coverage.as_ref().map(|coverage| CoverageView {
                covered: coverage.covered.to_string(),
                twice: coverage.twice.to_string(),
                alone: self.by_id(coverage.alone.iter().map(|(c, weight)| (*c, weight.to_string()))),
            }),
            curve: curve.collect(),
            trade_offs: portfolio.trade_offs.as_ref().map(|trade_offs| {
                let view = |trade_off: &crate::tally::portfolio::TradeOff| TradeOffView {
                    score: trade_off.score.to_string(),
                    covered: trade_off.covered.to_string(),
                    initiative_ids: self.ids(&trade_off.members),
                    count: trade_off.count,
                };
                trade_offs.iter().map(view).collect()
            }),
            certificate: portfolio.certificate.as_ref().map(|certificate| CertificateView {
                axiom: "EJR+",
                holds: certificate.violation.is_none(),
                violation: certificate.violation.as_ref().map(|violation| ViolationView {
                    initiative_id: self.id(violation.candidate),
                    deserved: violation.deserved,
                    weight: violation.weight.to_string(),
                    needed: violation.needed.to_string(),
                    participant_codes: names.map(|names| names.violated.clone()),
                }),
            }),
            uncovered: names.map(|names| names.uncovered.clone()),
        }
    }
}
