//! `handslag ballots`

use std::collections::HashMap;
use std::path::PathBuf;

use super::progress::progress;
use clap::Subcommand;

use super::ballot_sheet::{self, SheetBallot};
use super::sheet::{At, Sheet};
use super::{Failure, line, open, tell};
use crate::config::Settings;
use crate::domain::{Ballot, ParticipantCode, Precondition, RoundId, Submission, Where};
use crate::service::ballots::{self, BallotText, Refusal};
use crate::service::ledger::{self, Ledger};
use crate::service::{Clock, Fault, Place, log};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Submit the ballots of a CSV file, all or nothing
    ///
    /// Wide: participantCode,rank1,…,rankK,reference,comment. Long: participantCode,rank,initiativeId,engagement.
    /// Commas or semicolons, with or without a BOM. Every faulty row is reported with line and column.
    #[command(after_help = "Example: handslag ballots import --round handslag-2024 ballots.csv")]
    Import {
        /// The round's id
        #[arg(long)]
        round: RoundId,
        /// The file
        file: PathBuf,
    },
}

pub(super) fn run(settings: &Settings, command: Command) -> Result<(), Failure> {
    let Command::Import { round, file } = command;
    let sheet = Sheet::open(&file)?;
    let (rows, faults) = ballot_sheet::read(&sheet);
    let store = open(settings)?;
    let ledger = ledger::read(&store, &round)?;
    let submissions = read(&rows, faults, &ledger)?;
    let n = submissions.len();
    let bar = progress(n as u64, "{bar:40} {pos}/{len} ballots");
    let mut conn = store.connect()?;
    let done = ballots::submit_all(&mut conn, &round, &Clock::System, &submissions, |done| {
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    match done {
        Ok(ledger) => {
            tell(&format!("{n} ballots accepted; {round} is at sequence {}\n", ledger.round.sequence));
            Ok(())
        }
        Err(refused) => {
            let told = |(i, refusal): &(usize, Refusal)| {
                let (sv, en) = match refusal {
                    Refusal::NotOpen { .. } => ("Omgången är inte öppen", refusal.to_string()),
                    Refusal::NotOnRoll => ("Deltagaren står inte i röstlängden", refusal.to_string()),
                    Refusal::ConditionRequired => {
                        ("Omgången kräver villkor vid inlämning", refusal.to_string())
                    }
                    Refusal::Changed | Refusal::NothingToWithdraw => {
                        ("Prioriteringen har ändrats", refusal.to_string())
                    }
                };
                format!("{}: refused: {sv}. / {en}.", rows[*i].at)
            };
            Err(Failure::Refused(refused.iter().map(told).collect()))
        }
    }
}

fn read(rows: &[SheetBallot], mut faults: Vec<String>, ledger: &Ledger) -> Result<Vec<Submission>, Failure> {
    let mut seen: HashMap<ParticipantCode, &At> = HashMap::new();
    let mut submissions = Vec::new();
    for row in rows {
        let participant = row.participant.as_deref().and_then(|code| code.parse::<ParticipantCode>().ok());
        let participant = participant.filter(|code| ledger.roll.get(code).is_some());
        if let Some(first) = participant.as_ref().and_then(|code| seen.get(code)) {
            faults.push(format!(
                "{}: twice: Deltagaren står redan på {first}. / The participant stands at {first} already.",
                row.at
            ));
        }
        if let Some(code) = &participant {
            seen.entry(code.clone()).or_insert(&row.at);
        } else {
            let given = row.participant.as_deref().unwrap_or_default();
            faults.push(format!(
                "{}: participant: {given:?} står inte i röstlängden; en kod har kvar sin nolla, som 0180. / {given:?} is not on the roll; a code keeps its zero, as 0180.",
                row.at
            ));
        }
        if row.count != 1 {
            faults.push(format!(
                "{}: count: En rad är en prioritering här. / A row is one ballot here.",
                row.at
            ));
        }
        let text = BallotText {
            ranking: row.ranking.iter().map(|(id, _)| id.clone()).collect(),
            engagements: row
                .engagements
                .iter()
                .map(|(id, engagement, _)| (id.clone(), engagement.clone()))
                .collect(),
            reference: row.reference.as_ref().map(|(text, _)| text.clone()),
            comment: row.comment.as_ref().map(|(text, _)| text.clone()),
        };
        match ballots::read(text, &ledger.round, &ledger.slate) {
            Ok(ballot) => submissions.extend(participant.map(|participant| Submission {
                participant,
                precondition: Precondition::None,
                ballot: Some(Ballot { synthetic: row.synthetic, ..ballot }),
                nonce: log::nonce(),
            })),
            Err(found) => faults.extend(found.iter().map(|fault| line(&row.place(fault).to_string(), fault))),
        }
    }
    if faults.is_empty() { Ok(submissions) } else { Err(Failure::Refused(faults)) }
}

impl SheetBallot {
    /// The cell that a fault is in.
    fn place(&self, fault: &Fault) -> &At {
        let place = match &fault.place {
            Place::Ballot(Where::Rank(i)) => self.ranking.get(*i).map(|(_, at)| at),
            Place::Ballot(Where::Engagement(i) | Where::EngagementInitiative(i)) => {
                self.engagements.get(*i).map(|(.., at)| at)
            }
            Place::Ballot(Where::Reference) => self.reference.as_ref().map(|(_, at)| at),
            Place::Ballot(Where::Comment) => self.comment.as_ref().map(|(_, at)| at),
            Place::Ballot(Where::Ranking) | Place::Member(_) | Place::Item { .. } | Place::Element { .. } => {
                None
            }
        };
        place.unwrap_or(&self.at)
    }
}
