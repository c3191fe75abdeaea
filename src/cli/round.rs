//! `handslag round`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use serde_json::{Map, Value};

use super::{Failure, audit, open, print, round_files, tell};
use crate::config::Settings;
use crate::domain::{Definition, Instant, RoundId, State};
use crate::export::Links;
use crate::export::rounds::{RoundView, local};
use crate::service::ledger::{self, Ledger};
use crate::service::{Clock, rounds};
use crate::store::{self, Store};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a draft from round.toml, initiatives.csv and participants.csv
    #[command(after_help = "Example: handslag round create fixtures/rounds/handslag-2024")]
    Create {
        /// The folder, or the definition in it
        path: PathBuf,
    },
    /// Print a round as JSON
    #[command(after_help = "Example: handslag round show handslag-2024")]
    Show {
        /// The round's id
        round: RoundId,
    },
    /// Open a draft now, before its time
    #[command(after_help = "Example: handslag round open handslag-2024")]
    Open {
        /// The round's id
        round: RoundId,
    },
    /// Close an open round now, before its time
    #[command(after_help = "Example: handslag round close handslag-2024")]
    Close {
        /// The round's id
        round: RoundId,
    },
    /// Move the closing of an open round to a later time
    #[command(after_help = "Example: handslag round extend handslag-2024 --until 2026-06-05T23:59:59+02:00")]
    Extend {
        /// The round's id
        round: RoundId,
        /// The new closing time (RFC 3339 with an offset)
        #[arg(long, value_name = "TIME")]
        until: Instant,
    },
    /// Certify the result of a closed round
    #[command(after_help = "Example: handslag round certify handslag-2024")]
    Certify {
        /// The round's id
        round: RoundId,
    },
    /// Supersede a certified result by a corrected one
    #[command(after_help = "Example: handslag round correct handslag-2024")]
    Correct {
        /// The round's id
        round: RoundId,
    },
    /// List the rounds, drafts too
    #[command(after_help = "Example: handslag round list --page 2")]
    List {
        /// Which page
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
        page: u64,
        /// How many a page holds
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
        limit: u64,
    },
}

pub(super) fn run(settings: &Settings, command: Command) -> Result<(), Failure> {
    let step = |name, round: &RoundId, to: State| state(settings, name, round, to);
    match command {
        Command::Create { path } => {
            // Read first: a fault in a file must not even make a database.
            let files = round_files::open(&path)?;
            let store = open(settings)?;
            let target = audit::round(&files.id);
            let ledger = audit::recorded(&store, "round create", target, || {
                let mut conn = store.connect()?;
                Ok(rounds::create(&mut conn, files.id, files.definition, files.slate, files.roll)?)
            })?;
            report(&ledger);
            Ok(())
        }
        Command::Show { round } => {
            let ledger = ledger::read(&open(settings)?, &round)?;
            let links = Links::new(&settings.public_url(settings.bind));
            let mut text =
                serde_json::to_vec_pretty(&RoundView::new(&ledger, &links)).map_err(Failure::failed)?;
            text.push(b'\n');
            print(&text)
        }
        Command::Open { round } => step("round open", &round, State::Open),
        Command::Close { round } => step("round close", &round, State::Closed),
        Command::Certify { round } => step("round certify", &round, State::Certified),
        Command::Correct { round } => step("round correct", &round, State::Corrected),
        Command::Extend { round, until } => {
            change(settings, "round extend", &round, rounds::Command::Extend(until))
        }
        Command::List { page, limit } => list(&open(settings)?, crate::export::Page { page, limit }),
    }
}

fn state(settings: &Settings, name: &str, round: &RoundId, state: State) -> Result<(), Failure> {
    let document: Map<String, Value> = [("state".to_owned(), state.id().into())].into_iter().collect();
    change(settings, name, round, rounds::Command::Patch(document))
}

fn change(settings: &Settings, name: &str, round: &RoundId, command: rounds::Command) -> Result<(), Failure> {
    let store = open(settings)?;
    let ledger = audit::recorded(&store, name, audit::round(round), || {
        Ok(rounds::command(&mut store.connect()?, round, None, &Clock::System, command, |_| true)?)
    })?;
    report(&ledger);
    Ok(())
}

fn report(ledger: &Arc<Ledger>) {
    let round = &ledger.round;
    let (initiatives, participants) = (ledger.slate.len(), ledger.roll.len());
    let Definition { opens_at, closes_at, .. } = round.definition;
    tell(&format!(
        "{} {}: {initiatives} initiatives, {participants} participants\nopens  {opens_at} ({})\ncloses {closes_at} ({})\n",
        round.id,
        round.state,
        local(opens_at),
        local(closes_at),
    ));
}

fn list(store: &Store, page: crate::export::Page) -> Result<(), Failure> {
    let mut rounds = store.read(store::rounds::all)?;
    rounds.sort_by_key(|round| std::cmp::Reverse((round.definition.opens_at, round.id.clone())));
    let line = |round: &crate::domain::Round| {
        let definition = &round.definition;
        format!(
            "{}\t{}\t{}\t{}\t{}\n",
            round.id, round.state, definition.opens_at, definition.closes_at, definition.title.sv
        )
    };
    let lines: String = page.slice(&rounds).iter().map(line).collect();
    if page.offset().saturating_add(page.limit) < rounds.len() as u64 {
        eprintln!("{} rounds in all; the next page: --page {}", rounds.len(), page.page + 1);
    }
    print(lines.as_bytes())
}
