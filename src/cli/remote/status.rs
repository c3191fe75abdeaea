//! `handslag status`: the rounds of a service, and what it has stored for the profile.

use serde::Deserialize;

use super::ballot::Place;
use super::profile::Chosen;
use super::round::{Round, initiatives, title};
use super::session::Session;
use crate::cli::{Failure, print};
use crate::domain::RoundId;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Says until when the round takes ballots, how many have answered, and what is stored for the profile. \
                  Times are those of a Swedish clock.\n\n\
                  Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a file or the network failed.\n\n\
                  Example: handslag status --round handslag-2024"
)]
pub(in crate::cli) struct StatusArguments {
    /// The round's id [default: every round that is open]
    #[arg(long)]
    round: Option<RoundId>,
    /// Whose ballot [default: that of the profile]
    #[arg(long, value_name = "CODE")]
    participant: Option<String>,
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Deserialize)]
struct Participation {
    eligible: u64,
    answered: u64,
}

pub(in crate::cli) fn status(arguments: &StatusArguments) -> Result<(), Failure> {
    let mut session = Session::open(&arguments.chosen)?;
    let participant = match &arguments.participant {
        Some(code) => Some(code.clone()),
        None => session.participant()?,
    };
    let rounds: Vec<Round> = match &arguments.round {
        Some(id) => vec![session.get(&format!("/rounds/{id}"))?.is(200)?.json()?],
        None => open_rounds(&mut session)?,
    };
    if rounds.is_empty() {
        let none = session.language.pick("Ingen omgång är öppen.\n", "No round is open.\n");
        return print(none.as_bytes());
    }
    let texts: Result<Vec<String>, Failure> =
        rounds.iter().map(|round| of_round(&mut session, round, participant.as_deref())).collect();
    print(texts?.join("\n").as_bytes())
}

/// The open ones of all pages.
fn open_rounds(session: &mut Session) -> Result<Vec<Round>, Failure> {
    #[derive(Deserialize)]
    struct Page {
        rounds: Vec<Round>,
    }
    let mut open = Vec::new();
    for page in 1.. {
        let Page { rounds } = session.get(&format!("/rounds?limit=100&page={page}"))?.is(200)?.json()?;
        if rounds.is_empty() {
            break;
        }
        open.extend(rounds.into_iter().filter(|round| round.state == "open"));
    }
    Ok(open)
}

fn of_round(session: &mut Session, round: &Round, participant: Option<&str>) -> Result<String, Failure> {
    let language = session.language;
    let id = &round.id.0;
    let Participation { eligible, answered } =
        session.get(&format!("/rounds/{id}/participation"))?.is(200)?.json()?;
    let mut lines = vec![
        format!("{id} · {}", round.title(language)),
        format!("  {}", round.times(language)),
        language.pick(
            format!("  {answered} av {eligible} har svarat"),
            format!("  {answered} of {eligible} have answered"),
        ),
    ];
    if let Some(code) = participant {
        let place = Place { round: id.clone(), participant: code.to_owned() };
        match place.stored(session)? {
            None => lines
                .push(language.pick(format!("  {code}: ingen prioritering"), format!("  {code}: no ballot"))),
            Some(ballot) => {
                let (revision, sequence, at) = (ballot.revision, ballot.sequence, ballot.accepted());
                lines.push(language.pick(
                    format!("  {code}: nr {revision} från {at}, löpnummer {sequence}"),
                    format!("  {code}: no. {revision} of {at}, sequence {sequence}"),
                ));
                let initiatives = initiatives(session, id)?;
                let titled = |id: &str| title(&initiatives, id, language);
                let shown = ballot.content().lines(None, &titled, language);
                lines.extend(shown.iter().map(|line| format!("  {line}")));
            }
        }
    }
    Ok(lines.join("\n") + "\n")
}
