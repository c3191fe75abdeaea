//! `handslag tally`: counts the ballots of a file, without a database.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::ValueEnum;

use super::ballot_input::{self, Participants, format};
use super::query::{QueryArguments, query_faults, rule_help};
use super::round_files::{read_initiatives, read_participants};
use super::sheet::Sheet;
use super::{Failure, print, terminal};
use crate::ballotfile::{Ballots, Format};
use crate::domain::{Initiative, InitiativeId, InitiativeStatus, LadderStep, Ranking, Roll, Slate, Titles};
use crate::export::results::{csv, document, json};
use crate::export::{Dialect, Language, explain, several};
use crate::service::groups::Voter;
use crate::service::results::{Answer, Disclosure, Frame, tally};
use crate::tally::{Counts, MAX_PICKS, PARAMETERS, Rule, rules};

#[derive(Debug, clap::Args)]
#[command(after_help = "The file is read by content and name: CSV (participantCode,rank1,…,rankK, \
                  count,rank1,…,rankK or participantCode,rank,initiativeId), PrefLib (.soi .soc .toi .toc), ABIF, \
                  BLT or NDJSON of a ballot book or a log, packed with gzip or not; - is standard input.\n\n\
                  Example: handslag tally --rule linear --rule schulze --initiatives fixtures/initiatives.csv ballots.csv")]
pub(super) struct Arguments {
    /// The file with the ballots; - for standard input
    file: PathBuf,
    #[arg(long, help = rule_help("; more than once for several, all for all [default: linear]"))]
    rule: Vec<String>,
    /// File of initiatives, for titles and for those that nobody picked
    #[arg(long, value_name = "FILE")]
    initiatives: Option<PathBuf>,
    /// The roll of participants, for groups and weights
    #[arg(long, value_name = "FILE")]
    roll: Option<PathBuf>,
    /// How many count as the top [default: 3, or all where there are fewer]
    #[arg(long, visible_alias = "top")]
    cut: Option<usize>,
    /// The lot of the tie ladder: every id, best first, with commas
    #[arg(long, value_name = "IDS")]
    lot: Option<String>,
    /// Id of the rule set that the result names, such as handslag-2024/1
    #[arg(long, value_name = "ID")]
    rule_set: Option<String>,
    /// Format of the file [default: what its content and name tell]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    from: Option<Format>,
    /// Form of the output [default: table on a terminal, else csv]
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
    /// Tell how the count went, step by step, so that it can be followed by hand
    #[arg(long)]
    explain: bool,
    /// Language of tables, titles and explanations
    #[arg(long, value_enum, default_value_t = Lang::Sv)]
    lang: Lang,
    #[command(flatten)]
    query: QueryArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Table,
    Json,
    Csv,
    ExcelCsv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    Sv,
    En,
}

/// What was read, as a frame needs it.
struct Election {
    slate: Slate,
    roll: Roll,
    /// In the roll's order.
    rankings: Vec<Option<Ranking>>,
    picks: usize,
    ballots: Ballots,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let election = read(arguments)?;
    let slate = &election.slate;
    let lot = arguments.lot.as_deref().map(|text| read_lot(text, slate)).transpose()?;
    let cut = arguments.cut.unwrap_or_else(|| slate.len().min(3));
    if arguments.cut.is_some() && !(1..=slate.len()).contains(&cut) {
        return Err(Failure::refused(format!("--cut: a number from 1 to {}", slate.len())));
    }
    let counts = Counts::of(&election.ballots.profile);
    let participants = election.roll.participants().iter().zip(&election.rankings);
    let frame = Frame {
        slate,
        profile: &election.ballots.profile,
        counts: &counts,
        voters: participants
            .map(|(participant, ranking)| Voter::new(participant, ranking.as_ref()))
            .collect(),
        disclosure: Disclosure::Ballots,
        picks: election.picks,
        cut,
        ladder: LadderStep::ALL,
        lot: lot.as_deref(),
        rule: "linear",
        points: &[],
    };
    let (answers, left_out) = count(arguments, &frame)?;
    show(arguments, slate, &answers)?;
    // `all` passes over what cannot be counted; a rule that was named cannot be left out without a word.
    if left_out.is_empty() || asks_for_all(arguments) {
        for line in left_out {
            eprintln!("{line}");
        }
        return Ok(());
    }
    Err(Failure::Refused(left_out))
}

fn asks_for_all(arguments: &Arguments) -> bool {
    arguments.rule.iter().any(|rule| rule == "all")
}

/// Prints the counts. Several rules make one list or one table, however many of them could be counted.
fn show(arguments: &Arguments, slate: &Slate, answers: &[Answer]) -> Result<(), Failure> {
    let several = arguments.rule.len() > 1 || asks_for_all(arguments);
    let language = match arguments.lang {
        Lang::Sv => Language::Sv,
        Lang::En => Language::En,
    };
    if arguments.explain {
        let texts: Vec<String> =
            answers.iter().map(|answer| explain::text(slate, &answer.tally, language)).collect();
        return print(texts.join("\n").as_bytes());
    }
    let on_terminal = io::stdout().is_terminal();
    let format =
        arguments.format.unwrap_or(if on_terminal { OutputFormat::Table } else { OutputFormat::Csv });
    let documents = || answers.iter().map(|answer| document(slate, answer, arguments.rule_set.clone()));
    match (format, answers) {
        (OutputFormat::Table, _) => {
            let tables: Vec<String> =
                answers.iter().map(|answer| terminal::table(slate, answer, language, on_terminal)).collect();
            terminal::show(&tables.join("\n"))
        }
        (OutputFormat::Json, [answer]) if !several => {
            print(&json(&document(slate, answer, arguments.rule_set.clone())))
        }
        (OutputFormat::Json, _) => print(&several::json(&documents().collect::<Vec<_>>())),
        (OutputFormat::Csv, [answer]) if !several => print(&csv(slate, answer, Dialect::Rfc4180, language)),
        (OutputFormat::ExcelCsv, [answer]) if !several => {
            print(&csv(slate, answer, Dialect::Excel, language))
        }
        (OutputFormat::Csv, answers) => print(&several::table(slate, answers, Dialect::Rfc4180, language)),
        (OutputFormat::ExcelCsv, answers) => print(&several::table(slate, answers, Dialect::Excel, language)),
    }
}

fn read(arguments: &Arguments) -> Result<Election, Failure> {
    let initiatives = arguments.initiatives.as_deref();
    let participants = if arguments.roll.is_some() { Participants::Kept } else { Participants::Dropped };
    let ballots =
        ballot_input::read(&arguments.file, arguments.from, initiatives, Some(MAX_PICKS), participants)?;
    let slate = match initiatives {
        Some(path) => read_initiatives(&Sheet::open(path)?).map_err(Failure::Refused)?,
        None => slate_of(&ballots)?,
    };
    let (roll, rankings) = match &arguments.roll {
        Some(path) => {
            let roll = read_participants(&Sheet::open(path)?).map_err(Failure::Refused)?;
            let rankings = rankings(&ballots, &roll)?;
            (roll, rankings)
        }
        None => (Roll::default(), Vec::new()),
    };
    // A round may allow more picks than anybody used.
    let asked = arguments.query.picks.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
    let longest = ballots.profile.longest();
    let picks = longest.max(if asked <= slate.len() { asked } else { 0 }).clamp(1, MAX_PICKS);
    Ok(Election { slate, roll, rankings, picks, ballots })
}

/// The rules to count by, each with its tally. Of several, those that cannot be counted are told of and left out.
fn count(arguments: &Arguments, frame: &Frame<'_>) -> Result<(Vec<Answer>, Vec<String>), Failure> {
    let all: Vec<String>;
    let asked: Vec<&str> = if asks_for_all(arguments) {
        all = rules(frame.picks).map(|rule| rule.id()).collect();
        all.iter().map(|id| &**id).collect()
    } else {
        arguments.rule.iter().map(|rule| &**rule).collect()
    };
    if asked.len() < 2 {
        let query = arguments.query.query(asked.first().copied());
        let answer = tally(frame, &query).map_err(|faults| query_faults(&faults))?;
        return Ok((vec![answer], Vec::new()));
    }
    let mut answers = Vec::new();
    let mut left_out = Vec::new();
    for id in asked {
        // Of several rules each takes the parameters that are its own.
        let takes = |name: &str| {
            let common = !PARAMETERS.iter().any(|parameter| parameter.name == name)
                || ["picks", "ladder", "weights"].contains(&name);
            common || Rule::find(id).is_none_or(|rule| rule.takes(name))
        };
        let query = arguments.query.query(Some(id)).only(takes);
        match tally(frame, &query) {
            Ok(answer) => answers.push(answer),
            Err(faults) => {
                let Failure::Refused(lines) = query_faults(&faults) else { continue };
                left_out.extend(lines.iter().map(|line| format!("{id}: {line}")));
            }
        }
    }
    if answers.is_empty() { Err(Failure::Refused(left_out)) } else { Ok((answers, left_out)) }
}

/// The candidates of the file.
fn slate_of(ballots: &Ballots) -> Result<Slate, Failure> {
    let initiative = |(number, candidate): (u16, &crate::ballotfile::Candidate)| {
        let id = InitiativeId::foreign(&candidate.id);
        Ok(Initiative {
            id: id.ok_or_else(|| Failure::refused(format!("{:?}: no id", candidate.id)))?,
            number,
            title: Titles { sv: candidate.title.clone(), en: candidate.title.clone() },
            area: None,
            owner: None,
            status: InitiativeStatus::Documented,
            source: None,
        })
    };
    Ok(Slate::new((1..).zip(&ballots.candidates).map(initiative).collect::<Result<_, Failure>>()?))
}

/// The ballot of everybody on the roll. A ballot of anybody else is a fault.
fn rankings(ballots: &Ballots, roll: &Roll) -> Result<Vec<Option<Ranking>>, Failure> {
    let Some(participants) = &ballots.participants else {
        return Err(Failure::refused("--roll: the ballots of this file do not say whose they are"));
    };
    let mut rankings = vec![None; roll.len()];
    let mut faults = Vec::new();
    for (code, places) in participants {
        match code.parse().ok().and_then(|code| roll.position(&code)) {
            Some(position) => rankings[position] = Ranking::of_places(places),
            None => faults.push(format!(
                "{code}: not-on-roll: Deltagaren står inte i röstlängden. / The participant is not on the roll."
            )),
        }
    }
    if faults.is_empty() { Ok(rankings) } else { Err(Failure::Refused(faults)) }
}

fn read_lot(text: &str, slate: &Slate) -> Result<Vec<InitiativeId>, Failure> {
    let lot: Option<Vec<InitiativeId>> = text.split(',').map(|id| InitiativeId::foreign(id.trim())).collect();
    let distinct = |lot: &Vec<InitiativeId>| {
        lot.len() == slate.len() && slate.initiatives().iter().all(|initiative| lot.contains(&initiative.id))
    };
    lot.filter(distinct).ok_or_else(|| Failure::refused("--lot: every id once, with commas"))
}
