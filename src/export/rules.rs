//! The table of rules as documents.

use serde::Serialize;

use super::{Link, Links};
use crate::tally::{Rule, rules};

/// The picks of the example that every rule is shown with.
pub const EXAMPLE_PICKS: usize = 5;
const EXAMPLE_INITIATIVES: usize = 13;

/// A rule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleView {
    id: String,
    title_sv: String,
    title_en: String,
    family: &'static str,
    source: &'static str,
    definition_sv: &'static str,
    definition_en: &'static str,
    parameters: Vec<ParameterView>,
    example: Option<ExampleView>,
    #[serde(rename = "_links")]
    links: Vec<Link>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ParameterView {
    name: &'static str,
    description_sv: &'static str,
    description_en: &'static str,
}

#[derive(Debug, Serialize)]
struct ExampleView {
    picks: usize,
    initiatives: usize,
    points: Vec<String>,
    unranked: String,
}

impl RuleView {
    /// The rule, with its points for five picks of thirteen where it has points of its own.
    pub fn new(rule: &Rule, links: &Links) -> Self {
        let definition = rule.definition();
        let depth = rule.id().strip_prefix("approval-").and_then(|j| j.parse().ok()).unwrap_or(0);
        let picks = EXAMPLE_PICKS.max(depth);
        let example = rule.points(EXAMPLE_INITIATIVES.max(picks), picks, None).ok().flatten().map(|scale| {
            ExampleView {
                picks,
                initiatives: EXAMPLE_INITIATIVES.max(picks),
                points: scale.ranked.iter().map(ToString::to_string).collect(),
                unranked: scale.unranked.to_string(),
            }
        });
        let parameter = |parameter: &crate::tally::Parameter| ParameterView {
            name: parameter.name,
            description_sv: parameter.description.sv,
            description_en: parameter.description.en,
        };
        Self {
            title_sv: rule.title(|titles| titles.sv),
            title_en: rule.title(|titles| titles.en),
            family: rule.family().id(),
            source: rule.source(),
            definition_sv: definition.sv,
            definition_en: definition.en,
            parameters: rule.parameters().into_iter().map(parameter).collect(),
            example,
            links: vec![
                Link::get("self", links.to(&format!("/rules/{}", rule.id()))),
                Link::get("rules", links.to("/rules")),
            ],
            id: rule.id(),
        }
    }

    /// The rules that are listed: those for ballots of up to five picks.
    pub fn listed() -> Vec<Rule> {
        rules(EXAMPLE_PICKS).collect()
    }
}
