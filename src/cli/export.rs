//! `handslag export`: what the API answers, written from the database.

use clap::ValueEnum;

use super::query::{QueryArguments, query_faults, rule_help};
use super::{Failure, audit, open, print};
use crate::config::Settings;
use crate::domain::RoundId;
use crate::export::ballots::{Texts, csv as ballots_csv, ndjson};
use crate::export::participation::{document, groups_csv};
use crate::export::results::{csv, json, of_round};
use crate::export::{Dialect, Language, Links, Page};
use crate::service::ballots::revisions_at;
use crate::service::ledger::{self, Ledger};
use crate::service::participation::{missing, participation};
use crate::service::results::{Disclosure, tally};
use crate::store::Store;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: handslag export --round handslag-2024 --format csv > result.csv")]
pub(super) struct Arguments {
    /// The round's id
    #[arg(long)]
    round: RoundId,
    /// What to write
    #[arg(long, value_enum, default_value_t = What::Results)]
    what: What,
    /// In which form [default: json]
    #[arg(long, value_enum, default_value_t = OutputFormat::Json)]
    format: OutputFormat,
    /// Language of titles in tables
    #[arg(long, value_enum, default_value_t = Lang::Sv)]
    lang: Lang,
    #[arg(long, help = rule_help(" [default: the round's own]"))]
    rule: Option<String>,
    #[command(flatten)]
    query: QueryArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Results,
    Ballots,
    Participation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Json,
    Csv,
    ExcelCsv,
    Ndjson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    Sv,
    En,
}

pub(super) fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let store = open(settings)?;
    let links = Links::new(&settings.public_url(settings.bind));
    let name = match arguments.what {
        What::Results => "export results",
        What::Ballots => "export ballots",
        What::Participation => "export participation",
    };
    let bytes = audit::recorded(&store, name, audit::round(&arguments.round), || {
        let ledger = ledger::read(&store, &arguments.round)?;
        match arguments.what {
            What::Results => results(arguments, &ledger, &links),
            What::Ballots => ballots(arguments, &store, &ledger),
            What::Participation => participants(arguments, &ledger, &links),
        }
    })?;
    print(&bytes)
}

fn results(arguments: &Arguments, ledger: &Ledger, links: &Links) -> Result<Vec<u8>, Failure> {
    let query = arguments.query.query(arguments.rule.as_deref());
    let answer = tally(&ledger.frame(Disclosure::Ballots), &query).map_err(|faults| query_faults(&faults))?;
    let language = arguments.language();
    match arguments.format {
        OutputFormat::Json => Ok(json(&of_round(ledger, &answer, links, &query))),
        OutputFormat::Csv => Ok(csv(&ledger.slate, &answer, Dialect::Rfc4180, language)),
        OutputFormat::ExcelCsv => Ok(csv(&ledger.slate, &answer, Dialect::Excel, language)),
        OutputFormat::Ndjson => Err(unknown("results", "json, csv, excel-csv")),
    }
}

fn ballots(arguments: &Arguments, store: &Store, ledger: &Ledger) -> Result<Vec<u8>, Failure> {
    let counted: Vec<u64> =
        ledger.answers().filter_map(|(_, current)| current.map(|current| current.sequence)).collect();
    let mut found = revisions_at(store, &ledger.round.id, &counted)?;
    found.sort_by(|a, b| a.participant.cmp(&b.participant));
    let picks = ledger.round.definition.picks.max;
    match arguments.format {
        OutputFormat::Csv => Ok(ballots_csv(picks, &found, Texts::Shown, Dialect::Rfc4180)),
        OutputFormat::ExcelCsv => Ok(ballots_csv(picks, &found, Texts::Shown, Dialect::Excel)),
        // All of them as one document would be a list without pages: one line each instead.
        OutputFormat::Ndjson | OutputFormat::Json => Ok(ndjson(&ledger.round.id, &found, Texts::Shown)),
    }
}

fn participants(arguments: &Arguments, ledger: &Ledger, links: &Links) -> Result<Vec<u8>, Failure> {
    let participation = participation(ledger);
    match arguments.format {
        OutputFormat::Json => {
            let all = missing(ledger);
            let page = Page { page: 1, limit: all.len().max(1) as u64 };
            let document = document(ledger, &participation, Some((&all, page)), links);
            Ok(serde_json::to_vec(&document).expect("a document of texts and numbers"))
        }
        OutputFormat::Csv => Ok(groups_csv(&participation, Dialect::Rfc4180, arguments.language())),
        OutputFormat::ExcelCsv => Ok(groups_csv(&participation, Dialect::Excel, arguments.language())),
        OutputFormat::Ndjson => Err(unknown("participation", "json, csv, excel-csv")),
    }
}

impl Arguments {
    fn language(&self) -> Language {
        match self.lang {
            Lang::Sv => Language::Sv,
            Lang::En => Language::En,
        }
    }
}

fn unknown(what: &str, formats: &str) -> Failure {
    Failure::refused(format!("--format: {what} are written as {formats}"))
}
