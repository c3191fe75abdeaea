//! `handslag tally`: counts the ballots of a file, without a database.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueEnum;

use super::ballot_sheet::{self, SheetBallot};
use super::query::{QueryArguments, query_faults};
use super::round_files::read_initiatives;
use super::sheet::Sheet;
use super::{Failure, line, print};
use crate::domain::{
    Initiative, InitiativeId, InitiativeStatus, LadderStep, MAX_INITIATIVES, Ranking, Slate, Titles,
};
use crate::export::results::{csv, document, json};
use crate::export::{Dialect, Language};
use crate::service::Fault;
use crate::service::results::{Disclosure, Frame, tally};
use crate::tally::{Counts, MAX_PICKS, Profile};

#[derive(Debug, clap::Args)]
#[command(after_help = "The file is CSV: participantCode,rank1,…,rankK or count,rank1,…,rankK (wide), or\n\
                  participantCode,rank,initiativeId (long).\n\n\
                  Example: handslag tally --rule linear --initiatives fixtures/initiatives.csv ballots.csv")]
pub(super) struct Arguments {
    /// The file with the ballots
    file: PathBuf,
    /// The rule [default: linear]
    #[arg(long)]
    rule: Option<String>,
    #[command(flatten)]
    query: QueryArguments,
    /// File of initiatives, for titles and for those that nobody picked
    #[arg(long, value_name = "FILE")]
    initiatives: Option<PathBuf>,
    /// How many count as the top [default: 3, or all where there are fewer]
    #[arg(long)]
    cut: Option<usize>,
    /// The lot of the tie ladder: every id, best first, with commas
    #[arg(long, value_name = "IDS")]
    lot: Option<String>,
    /// Id of the rule set that the result names, such as handslag-2024/1
    #[arg(long, value_name = "ID")]
    rule_set: Option<String>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = OutputFormat::Csv)]
    format: OutputFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Json,
    Csv,
    ExcelCsv,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (ballots, faults) = ballot_sheet::read(&Sheet::open(&arguments.file)?);
    let slate = match &arguments.initiatives {
        Some(path) => read_initiatives(&Sheet::open(path)?).map_err(Failure::Refused)?,
        None => slate_of(&ballots)?,
    };
    let longest = ballots.iter().map(|ballot| ballot.ranking.len()).max().unwrap_or(0);
    // A round may allow more picks than anybody used.
    let asked = arguments.query.picks.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
    let picks = longest.max(if asked <= slate.len() { asked } else { 0 }).clamp(1, MAX_PICKS);
    let profile = profile(&ballots, faults, &slate, picks)?;
    let lot = arguments.lot.as_deref().map(|text| read_lot(text, &slate)).transpose()?;
    let cut = arguments.cut.unwrap_or_else(|| slate.len().min(3));
    if arguments.cut.is_some() && !(1..=slate.len()).contains(&cut) {
        return Err(Failure::refused(format!("--cut: a number from 1 to {}", slate.len())));
    }
    let counts = Counts::of(&profile);
    let frame = Frame {
        slate: &slate,
        profile: &profile,
        counts: &counts,
        voters: Vec::new(),
        disclosure: Disclosure::Ballots,
        picks,
        cut,
        ladder: LadderStep::ALL,
        lot: lot.as_deref(),
        rule: "linear",
        points: &[],
    };
    let tally = tally(&frame, &arguments.query.query(arguments.rule.as_deref()))
        .map_err(|faults| query_faults(&faults))?;
    match arguments.format {
        OutputFormat::Csv => print(&csv(&slate, &tally, Dialect::Rfc4180, Language::Sv)),
        OutputFormat::ExcelCsv => print(&csv(&slate, &tally, Dialect::Excel, Language::Sv)),
        OutputFormat::Json => print(&json(&document(&slate, &tally, arguments.rule_set.clone()))),
    }
}

/// The candidates that the ballots name: by number if all ids are numbers, else by text.
fn slate_of(ballots: &[SheetBallot]) -> Result<Slate, Failure> {
    let ids: BTreeSet<&str> =
        ballots.iter().flat_map(|ballot| &ballot.ranking).map(|(id, _)| &**id).collect();
    let mut ids: Vec<&str> = ids.into_iter().collect();
    if ids.len() > MAX_INITIATIVES {
        return Err(Failure::refused(format!("{} candidates; at most {MAX_INITIATIVES}", ids.len())));
    }
    if ids.iter().all(|id| id.parse::<u64>().is_ok()) {
        ids.sort_by_key(|id| id.parse::<u64>().unwrap_or_default());
    }
    let initiative = |(number, id): (u16, &&str)| {
        Ok(Initiative {
            id: id.parse().map_err(|fault| Failure::refused(format!("{id:?}: {fault}")))?,
            number,
            title: Titles { sv: (*id).to_owned(), en: (*id).to_owned() },
            area: None,
            owner: None,
            status: InitiativeStatus::Documented,
            source: None,
        })
    };
    Ok(Slate::new((1..).zip(&ids).map(initiative).collect::<Result<_, Failure>>()?))
}

fn profile(
    ballots: &[SheetBallot],
    mut faults: Vec<String>,
    slate: &Slate,
    picks: usize,
) -> Result<Profile, Failure> {
    let mut profile = Profile::new(slate.len());
    for ballot in ballots {
        let ids: Vec<String> = ballot.ranking.iter().map(|(id, _)| id.clone()).collect();
        match Ranking::read(&ids, slate, (0, picks)) {
            Ok(ranking) => profile.add(ranking.places(), ballot.count),
            Err(found) => faults.extend(found.into_iter().map(|(place, fault)| {
                let at = match place {
                    crate::domain::Where::Rank(i) => &ballot.ranking[i].1,
                    _ => &ballot.at,
                };
                line(&at.to_string(), &Fault::from((place, fault)))
            })),
        }
    }
    if faults.is_empty() { Ok(profile) } else { Err(Failure::Refused(faults)) }
}

fn read_lot(text: &str, slate: &Slate) -> Result<Vec<InitiativeId>, Failure> {
    let lot: Option<Vec<InitiativeId>> = text.split(',').map(|id| id.trim().parse().ok()).collect();
    let distinct = |lot: &Vec<InitiativeId>| {
        lot.len() == slate.len() && slate.initiatives().iter().all(|initiative| lot.contains(&initiative.id))
    };
    lot.filter(distinct).ok_or_else(|| Failure::refused("--lot: every id once, with commas"))
}
