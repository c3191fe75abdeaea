//! The demonstration: the real round's shape with 230 ballots that were made up, and marked so.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Failure, round_files};
use crate::domain::{Ballot, ParticipantCode, Precondition, Ranking, Submission};
use crate::identity::{Grant, LIFETIME, SigningKey, TokenIssuer};
use crate::service::ballots::submit_all;
use crate::service::ledger::Ledger;
use crate::service::{Clock, log, rounds};
use crate::store::{Store, rounds as stored};

/// The seed of the synthetic ballots: always the same ones.
const SEED: u64 = 2024;
/// How many municipalities have answered.
const ANSWERED: usize = 230;
/// The municipality whose token is printed; its ballot is outstanding.
const MUNICIPALITY: &str = "0180";
/// How long the demonstration's round stays open, in seconds: a year.
const OPEN_FOR: i64 = 365 * 24 * 3600;

/// Makes the demonstration's round unless it is there.
pub(super) fn prepare(store: &Store, clock: &Clock) -> Result<(), Failure> {
    let files = round_files::read(
        "round.toml",
        include_str!("../../fixtures/rounds/handslag-2024/round.toml"),
        |name| {
            let bytes: &[u8] = if name.ends_with("initiatives.csv") {
                include_bytes!("../../fixtures/initiatives.csv")
            } else {
                include_bytes!("../../fixtures/municipalities.csv")
            };
            Ok((name.to_owned(), bytes.to_vec()))
        },
    )?;
    let id = files.id.clone();
    if store.read(|conn| stored::find(conn, &id))?.is_some() {
        return Ok(());
    }
    let mut definition = files.definition;
    definition.synthetic = true;
    definition.title.sv.push_str(" (demonstration)");
    definition.title.en.push_str(" (demonstration)");
    definition.opens_at = clock.now();
    definition.closes_at = definition.opens_at.plus_seconds(OPEN_FOR);
    let mut conn = store.connect()?;
    let draft = rounds::create(&mut conn, files.id, definition, files.slate, files.roll)?;
    let submissions = ballots(&draft);
    match submit_all(&mut conn, &id, clock, &submissions, |_| ())? {
        Ok(_) => Ok(()),
        Err(refused) => Err(Failure::failed(format!("{} synthetic ballots were refused", refused.len()))),
    }
}

/// Rankings drawn without replacement, the first on the slate the likeliest (Plackett–Luce with weights M, …, 1).
fn ballots(draft: &Ledger) -> Vec<Submission> {
    let Ledger { round, slate, roll, .. } = draft;
    let picks = round.definition.picks.max;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut codes: Vec<&ParticipantCode> =
        roll.participants().iter().map(|participant| &participant.code).collect();
    codes.retain(|code| code.as_str() != MUNICIPALITY);
    codes.shuffle(&mut random);
    codes.truncate(ANSWERED);
    let submission = |code: &ParticipantCode| {
        let mut left: Vec<usize> = (0..slate.len()).collect();
        let mut ids = Vec::with_capacity(picks);
        while ids.len() < picks {
            let weights: usize = left.iter().map(|place| slate.len() - place).sum();
            let mut point = random.gen_range(0..weights);
            let drawn = left.iter().position(|place| {
                let weight = slate.len() - place;
                let here = point < weight;
                point = point.saturating_sub(weight);
                here
            });
            let place = left.remove(drawn.expect("the point lies below the sum of the weights"));
            ids.push(slate.initiatives()[place].id.to_string());
        }
        let ranking = Ranking::read(&ids, slate, (picks, picks)).expect("drawn without replacement");
        let ballot =
            Ballot { ranking, engagements: Vec::new(), reference: None, comment: None, synthetic: true };
        Submission {
            participant: code.clone(),
            precondition: Precondition::None,
            ballot: Some(ballot),
            round_revision: round.revision,
            nonce: log::nonce(),
        }
    };
    codes.into_iter().map(submission).collect()
}

/// What a newcomer pastes: tokens, and three curl lines that work.
pub(super) fn greeting(
    address: &str,
    public_url: &str,
    flags: &str,
    key: &SigningKey,
    clock: &Clock,
) -> String {
    let issuer = TokenIssuer { issuer: public_url, key };
    let token = |grant: Grant| issuer.issue(&grant, clock.now());
    let municipality: ParticipantCode = MUNICIPALITY.parse().expect("a code of four digits");
    let official = token(Grant::participant(municipality));
    let (analyst, manager) = (token(Grant::analyst()), token(Grant::manager()));
    let round = format!("{address}/handslag/v1/rounds/handslag-2024");
    let program = super::token::program();
    let put = format!(
        "curl -sS -X PUT -H 'Authorization: Bearer {official}' -H 'Content-Type: application/json' {round}/ballots/{MUNICIPALITY}"
    );
    let good = r#"{"ranking":["valfardsteknik","identitet-behorighet","sdk-socialtjanst","juridiskt-stod","kompetensgemenskaper"]}"#;
    let bad = r#"{"ranking":["valfardsteknik","valfardsteknik","no-such-thing","juridiskt-stod"]}"#;
    format!(
        "handslag listens on {address}

Demonstration: 290 municipalities, 13 initiatives, {ANSWERED} ballots that are SYNTHETIC (made up, and marked so).

Tokens, valid for {} minutes:
  municipality {MUNICIPALITY}  {official}
  analyst            {analyst}
  manager            {manager}
A fresh one:  {program} token --municipality {MUNICIPALITY}{flags}   (or --analyst, --manager)

1. Submit Stockholm's five:
{put} -d '{good}'

2. Be refused with every fault at once:
{put} -d '{bad}'

3. The ranking as JSON, 304 when it has not changed, and as CSV:
curl -sS --etag-save handslag.etag {round}/results --next -sS --etag-compare handslag.etag -o /dev/null -w '\\n%{{http_code}}\\n' {round}/results --next -sS -H 'Accept: text/csv' {round}/results

Stop with Ctrl-C; what was submitted stays.
",
        LIFETIME / 60
    )
}
