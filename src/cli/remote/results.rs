//! `handslag results`: a round's ranking as the service counts it, and as it changes.

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;

use super::exchange::Request;
use super::profile::Chosen;
use super::round::{Initiative, initiatives, title};
use super::session::Session;
use crate::cli::query::{QueryArguments, rule_help};
use crate::cli::terminal::{self, Drawing, Line, Tied, named};
use crate::cli::{Failure, print};
use crate::domain::RoundId;
use crate::export::Language;
use crate::tally::Rule;

/// How often it is asked whether something has changed.
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "As long as the round does not show its results to anyone, they need a client that may see them.\n\n\
                  Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a file or the network failed.\n\n\
                  Example: handslag results --round handslag-2024 --rule schulze --format csv"
)]
pub(in crate::cli) struct ResultsArguments {
    /// The round's id
    #[arg(long)]
    round: RoundId,
    #[arg(long, help = rule_help(" [default: the round's own]"))]
    rule: Option<String>,
    /// Form of the output [default: table on a terminal, else csv]
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
    /// Print it anew whenever it changes, until the round is no longer open
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    query: QueryArguments,
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Table,
    Json,
    Csv,
}

/// What a table shows of a result.
#[derive(Deserialize)]
struct Document {
    rule: RuleUsed,
    group: Option<String>,
    cut: usize,
    #[serde(flatten)]
    count: Figures,
    groups: Option<Vec<Group>>,
}

#[derive(Deserialize)]
struct RuleUsed {
    id: String,
}

#[derive(Deserialize)]
struct Figures {
    counted: Option<u64>,
    standings: Vec<Standing>,
    ties: Vec<Equal>,
    portfolio: Option<Portfolio>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(rename = "group")]
    key: String,
    #[serde(flatten)]
    count: Figures,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    resolved_rank: usize,
    initiative_id: String,
    score: Option<String>,
    listed: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Equal {
    initiative_ids: Vec<String>,
    resolved_by: Option<String>,
    tie_matters: bool,
}

#[derive(Deserialize)]
struct Portfolio {
    selected: Option<Vec<String>>,
}

pub(in crate::cli) fn results(arguments: &ResultsArguments) -> Result<(), Failure> {
    let mut session = Session::open(&arguments.chosen)?;
    let on_terminal = io::stdout().is_terminal();
    let format =
        arguments.format.unwrap_or(if on_terminal { OutputFormat::Table } else { OutputFormat::Csv });
    let titles = match format {
        OutputFormat::Table => initiatives(&mut session, &arguments.round)?,
        OutputFormat::Json | OutputFormat::Csv => Vec::new(),
    };
    let mut known: Option<String> = None;
    loop {
        // Before the result, so that the last one that is shown is of after the end.
        let is_open = arguments.watch && is_open(&mut session, &arguments.round)?;
        let mut request = Request::get(session.address(&path(arguments, format, session.language)));
        if let Some(tag) = &known {
            request = request.field("If-None-Match", tag);
        }
        let answer = session.look(&request)?;
        if answer.status != 304 {
            let answer = answer.is(200)?;
            known = answer.field("ETag").map(ToOwned::to_owned);
            match format {
                OutputFormat::Json | OutputFormat::Csv => print(&answer.body)?,
                OutputFormat::Table => {
                    terminal::show(&tables(&answer.json()?, &titles, session.language, on_terminal))?;
                }
            }
        }
        if !is_open {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
}

fn is_open(session: &mut Session, round: &RoundId) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Round {
        state: String,
    }
    let round: Round = session.get(&format!("/rounds/{round}"))?.is(200)?.json()?;
    Ok(round.state == "open")
}

fn path(arguments: &ResultsArguments, format: OutputFormat, language: Language) -> String {
    let query = arguments.query.query(arguments.rule.as_deref()).written();
    let form = match format {
        OutputFormat::Table | OutputFormat::Json => "format=json",
        OutputFormat::Csv => language.pick("format=csv&lang=sv", "format=csv&lang=en"),
    };
    let joint = if query.is_empty() { "" } else { "&" };
    format!("/rounds/{}/results?{form}{joint}{query}", arguments.round)
}

/// The table of a result, and one for each of its groups that has figures.
fn tables(document: &Document, titles: &[Initiative], language: Language, on_terminal: bool) -> String {
    let table = |group: Option<&str>, count: &Figures| {
        let Some(counted) = count.counted.filter(|_| !count.standings.is_empty()) else {
            return format!("{}: –\n", group.unwrap_or_default());
        };
        let heading = match Rule::find(&document.rule.id) {
            Some(rule) => terminal::heading(&rule, group, counted, document.cut, language),
            // A rule of a newer service.
            None => document.rule.id.clone(),
        };
        let drawing = Drawing {
            heading,
            lines: count
                .standings
                .iter()
                .map(|standing| count.line(standing, document.cut, titles, language))
                .collect(),
            ties: count.ties.iter().map(Equal::told).collect(),
        };
        terminal::draw(&drawing, language, on_terminal)
    };
    let all = table(document.group.as_deref(), &document.count);
    let groups = document.groups.iter().flatten().map(|group| table(Some(&group.key), &group.count));
    std::iter::once(all).chain(groups).collect::<Vec<String>>().join("\n")
}

impl Figures {
    fn line(&self, standing: &Standing, cut: usize, titles: &[Initiative], language: Language) -> Line {
        let Standing { resolved_rank, initiative_id: id, score, listed } = standing;
        let title = title(titles, id, language).unwrap_or(id);
        let members = self.portfolio.as_ref().and_then(|portfolio| portfolio.selected.as_ref());
        let score = score.clone().unwrap_or_default();
        Line {
            bar: score.parse().ok(),
            cells: [resolved_rank.to_string(), named(id, title), score, listed.to_string()],
            in_top: members.map_or(*resolved_rank <= cut, |members| members.contains(id)),
            tied: self.ties.iter().any(|tie| tie.initiative_ids.contains(id)),
        }
    }
}

impl Equal {
    fn told(&self) -> Tied {
        let Self { initiative_ids, resolved_by, tie_matters } = self;
        Tied { ids: initiative_ids.clone(), resolved_by: resolved_by.clone(), matters: *tie_matters }
    }
}
