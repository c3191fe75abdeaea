//! `handslag token`: access tokens of our own issuer, for curl within minutes.

use clap::ArgGroup;

use super::{Failure, audit, open, print, token_keys};
use crate::config::Settings;
use crate::domain::audit::Target;
use crate::domain::{ParticipantCode, ParticipantKind, RoundId};
use crate::identity::{Grant, LIFETIME, TokenIssuer};
use crate::service::{Clock, ledger};
use crate::store::Database;

#[derive(Debug, clap::Args)]
#[command(
    group(ArgGroup::new("whose").required(true).args(["municipality", "participant", "analyst", "manager", "all"])),
    after_help = "The token is the last line of the output; what is said about it goes to standard error.\n\n\
                  Example: TOKEN=$(handslag token --municipality 0180)"
)]
pub(super) struct Arguments {
    /// A municipality's code; short for --participant municipality:CODE
    #[arg(long, value_name = "CODE")]
    municipality: Option<String>,
    /// A participant, as kind:code
    #[arg(long, value_name = "KIND:CODE")]
    participant: Option<String>,
    /// An analyst: lists ballots, sees results before they are public
    #[arg(long)]
    analyst: bool,
    /// A round manager: what an analyst may, and runs rounds
    #[arg(long)]
    manager: bool,
    /// With --round: everybody on the roll, as lines of code, tab, token
    #[arg(long, requires = "round")]
    all: bool,
    /// The round whose roll is meant
    #[arg(long, value_name = "ROUND", requires = "all", conflicts_with_all = ["municipality", "participant", "analyst", "manager"])]
    round: Option<String>,
}

pub(super) fn run(settings: &Settings, arguments: Arguments) -> Result<(), Failure> {
    let key = token_keys::signing(settings, || open(settings))?;
    let public_url = settings.public_url(settings.bind);
    let issuer = TokenIssuer { issuer: &public_url, key: &key };
    let now = Clock::System.now();
    if let (true, Some(round)) = (arguments.all, arguments.round) {
        let id: RoundId = round.parse().map_err(Failure::refused)?;
        let store = open(settings)?;
        let ledger = audit::recorded(&store, "token", audit::round(&id), || Ok(ledger::read(&store, &id)?))?;
        let line = |code: &ParticipantCode| {
            format!("{code}\t{}\n", issuer.issue(&Grant::participant(code.clone()), now))
        };
        let lines: String =
            ledger.roll.participants().iter().map(|participant| line(&participant.code)).collect();
        return print(lines.as_bytes());
    }
    let (grant, flags) = match (arguments.municipality, arguments.participant) {
        (Some(code), _) => {
            let code: ParticipantCode = code.parse().map_err(Failure::refused)?;
            if code.kind() != ParticipantKind::Municipality {
                return Err(Failure::refused("a municipality's code has four digits, such as 0180"));
            }
            let flags = format!("--municipality {code}");
            (Grant::participant(code), flags)
        }
        (None, Some(participant)) => {
            let code = ParticipantCode::from_qualified(&participant).map_err(Failure::refused)?;
            (Grant::participant(code), format!("--participant {participant}"))
        }
        (None, None) if arguments.manager => (Grant::manager(), "--manager".to_owned()),
        (None, None) => (Grant::analyst(), "--analyst".to_owned()),
    };
    // Where there is no database yet there is nothing that the token opens.
    let exists = !matches!(&settings.database, Database::Sqlite(file) if !file.exists());
    if exists {
        let target =
            Target { participant: grant.participant.clone(), id: Some(grant.subject.clone()), round: None };
        audit::recorded(&open(settings)?, "token", target, || Ok(()))?;
    }
    let minutes = LIFETIME / 60;
    let same = settings.flags_for_tokens(settings.bind);
    eprintln!("Valid for {minutes} minutes at {public_url}. A fresh one: {} token {flags}{same}", program());
    print(format!("{}\n", issuer.issue(&grant, now)).as_bytes())
}

/// The program as it was called.
pub(super) fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "handslag".to_owned())
}
