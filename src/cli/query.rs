//! Rule and parameters on the command line, under the same names as in the API.

use super::{Failure, line};
use crate::service::{Fault, Query};
use crate::tally::rules;

/// The help of an option that takes a rule: every id of the table.
pub(super) fn rule_help(rest: &str) -> String {
    let ids: Vec<String> = rules(1).map(|rule| rule.id().replace("approval-1", "approval-1 …")).collect();
    format!("The rule: {}{rest}", ids.join(", "))
}

/// What is asked for, as options.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Parameters, as in the API")]
pub(super) struct QueryArguments {
    /// How many picks a ballot may hold; where ballots hold more, only so many are read
    /// [default: those of the round, or of the longest ballot of the file]
    #[arg(long)]
    pub(super) picks: Option<String>,
    /// Steps of the tie ladder, with commas: earlier-count,listed,first-places,head-to-head,lot; or none
    #[arg(long)]
    ladder: Option<String>,
    /// What a ballot weighs: population, sqrt-population, weight or a column of the roll
    #[arg(long)]
    weights: Option<String>,
    /// Points per rank for the rules custom and coverage-ranked, with commas: 5,3,2,1,1/2
    #[arg(long)]
    points: Option<String>,
    /// How strong a duel is: winning-votes or margins; for minimax also opposition
    #[arg(long)]
    strength: Option<String>,
    /// What a draw is worth for copeland: half, llull or strict
    #[arg(long)]
    draws: Option<String>,
    /// How many are elected by stv and portfolios [default: the cut]
    #[arg(long)]
    seats: Option<String>,
    /// How stv moves votes: scottish or meek
    #[arg(long)]
    method: Option<String>,
    /// What a portfolio must hold: ids with commas
    #[arg(long, value_name = "IDS")]
    must: Option<String>,
    /// What a portfolio must not hold: ids with commas
    #[arg(long, value_name = "IDS")]
    exclude: Option<String>,
    /// Pairs of which a portfolio holds at most one: a:b with commas
    #[arg(long, alias = "eitherOr", value_name = "PAIRS")]
    either_or: Option<String>,
    /// Pairs of which the first needs the second: a:b with commas
    #[arg(long, value_name = "PAIRS")]
    requires: Option<String>,
    /// What a portfolio may cost, and what each costs: 100,a:40,b:25 …
    #[arg(long, value_name = "AMOUNTS")]
    budget: Option<String>,
    /// Only a group of the roll: county:12
    #[arg(long, value_name = "COLUMN:VALUE")]
    group: Option<String>,
    /// All groups of a column of the roll at once: county
    #[arg(long, alias = "groupBy", value_name = "COLUMN")]
    group_by: Option<String>,
}

impl QueryArguments {
    /// The query for a rule.
    pub(super) fn query(&self, rule: Option<&str>) -> Query {
        let given = [
            ("rule", rule),
            ("picks", self.picks.as_deref()),
            ("ladder", self.ladder.as_deref()),
            ("weights", self.weights.as_deref()),
            ("points", self.points.as_deref()),
            ("strength", self.strength.as_deref()),
            ("draws", self.draws.as_deref()),
            ("seats", self.seats.as_deref()),
            ("method", self.method.as_deref()),
            ("must", self.must.as_deref()),
            ("exclude", self.exclude.as_deref()),
            ("eitherOr", self.either_or.as_deref()),
            ("requires", self.requires.as_deref()),
            ("budget", self.budget.as_deref()),
            ("group", self.group.as_deref()),
            ("groupBy", self.group_by.as_deref()),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.fold(Query::default(), |query, (name, value)| query.with(name, value))
    }
}

/// Faults of rule and parameters, as the options that they are here.
pub(super) fn query_faults(faults: &[Fault]) -> Failure {
    let place = |fault: &Fault| {
        let name = fault.place.to_string().replace("#/", "--");
        name.replace("eitherOr", "either-or").replace("groupBy", "group-by")
    };
    Failure::Refused(faults.iter().map(|fault| line(&place(fault), fault)).collect())
}
