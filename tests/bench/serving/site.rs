//! A place where our program serves the demonstration's round: a data folder and a database, on either of the two.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
use handslag::domain::{Ballot, Precondition, Ranking, RoundId, Submission};
use handslag::identity::{Grant, Purpose, SigningKey, TokenIssuer};
use handslag::service::ledger::{self, Ledger};
use handslag::service::{Clock, Error, ballots, log, rounds};
use handslag::store::{Database, Store};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use super::guard;
use super::postgres::OwnDatabase;
use super::servers::{Server, put};

/// The demonstration's round.
const ROUND: &str = "handslag-2024";
/// The address that the service believes it has; tokens name it.
const PUBLIC_URL: &str = "https://handslag.example.se";
/// Where results are.
pub(crate) const RESULTS: &str = "/handslag/v1/rounds/handslag-2024/results";
/// How many are written together when a log is filled: the most that the service commits together.
const BATCH: u32 = 512;
/// How many different ballots each participant has ready.
const BALLOTS: usize = 4;

/// A data folder and a database.
pub(crate) struct Site {
    folder: TempDir,
    program: PathBuf,
    url: String,
    postgres: Option<OwnDatabase>,
    /// Whether its limits are in force.
    is_limited: bool,
}

impl Site {
    /// Nothing but an empty folder.
    pub(crate) fn on_sqlite() -> Self {
        let folder = guard::folder();
        let url = format!("sqlite:{}", folder.path().join("handslag.db").display());
        Self {
            folder,
            program: env!("CARGO_BIN_EXE_handslag").into(),
            url,
            postgres: None,
            is_limited: false,
        }
    }

    /// An empty folder and an empty database of a server of our own; none where there is no PostgreSQL, which is told.
    pub(crate) fn on_postgres(what: &str) -> Option<Self> {
        let database = OwnDatabase::new(what)?;
        let url = database.url();
        Some(Self { url, postgres: Some(database), ..Self::on_sqlite() })
    }

    /// Served by this program instead of the one that was built with the bench.
    pub(crate) fn by(self, program: &Path) -> Self {
        Self { program: program.to_owned(), ..self }
    }

    /// With the limits that the service has unless it is told otherwise.
    pub(crate) fn limited(self) -> Self {
        Self { is_limited: true, ..self }
    }

    /// With the demonstration's round and its 230 ballots, all as `serve --demo` makes them.
    ///
    /// # Errors
    /// If the program does not run.
    pub(crate) fn with_demonstration(self) -> Result<Self, String> {
        Server::that_tells(self.program()?.arg("--demo"))?;
        Ok(self)
    }

    /// With the demonstration's round that nobody has answered.
    ///
    /// # Errors
    /// If the program does not run, or storage fails.
    pub(crate) fn with_empty_round(self) -> Result<Self, String> {
        let demonstration = Self::on_sqlite().with_demonstration()?.ledger()?;
        let Ledger { round, slate, roll, .. } = Arc::unwrap_or_clone(demonstration);
        let mut conn = self.store()?.connect().map_err(|error| error.to_string())?;
        rounds::create(&mut conn, round.id, round.definition, (*slate).clone(), (*roll).clone())
            .map_err(|error| error.to_string())?;
        Ok(self)
    }

    /// Starts our program here.
    ///
    /// # Errors
    /// If it does not run.
    pub(crate) fn serve(&self) -> Result<Server, String> {
        Server::that_tells(&mut self.program()?)
    }

    /// Looks whether everything that was done here is in the audit trail.
    ///
    /// # Errors
    /// If the service has told that it could not take everything.
    pub(crate) fn check_trail(&self) -> Result<(), String> {
        let log = std::fs::read_to_string(self.log()).map_err(|error| error.to_string())?;
        match log.lines().find(|line| line.contains("the audit trail could not take everything")) {
            None => Ok(()),
            Some(line) => Err(line.to_owned()),
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("service.log")
    }

    fn program(&self) -> Result<Command, String> {
        let log = File::options().create(true).append(true).open(self.log());
        let mut command = Command::new(&self.program);
        command
            .args(["serve", "--bind", "127.0.0.1:0", "--public-url", PUBLIC_URL, "--database", &self.url])
            .arg("--data-dir")
            .arg(self.folder.path())
            .stderr(log.map_err(|error| error.to_string())?);
        if self.is_limited {
            return Ok(command);
        }
        // A build from before there were limits does not know the flag.
        let help = Command::new(&self.program).args(["serve", "--help"]).output();
        let help = help.map_err(|error| error.to_string())?.stdout;
        if String::from_utf8_lossy(&help).contains("--limits") {
            command.args(["--limits", "off"]);
        }
        Ok(command)
    }

    /// A whole request for each ballot: of every participant in turn, then of every participant once more. Tokens are
    /// signed anew, since they live for a quarter of an hour.
    ///
    /// # Errors
    /// If storage fails.
    pub(crate) fn submissions(&self) -> Result<Vec<Vec<u8>>, String> {
        let Ledger { round, slate, roll, .. } = &*self.ledger()?;
        let key = SigningKey::load_or_create(self.folder.path(), Purpose::Tokens)
            .map_err(|error| error.to_string())?;
        let issuer = TokenIssuer { issuer: PUBLIC_URL, key: &key };
        let now = Clock::System.now();
        let participants = roll.participants().iter().map(|participant| {
            let code = &participant.code;
            (code, issuer.issue(&Grant::participant(code.clone()), now))
        });
        let participants: Vec<_> = participants.collect();
        let mut rankings = Rankings::of(slate.len());
        let mut request = |(code, token): &(_, String)| {
            let picks = rankings.next(round.definition.picks.max);
            let ids: Vec<String> = picks
                .iter()
                .map(|&place| format!("\"{}\"", slate.initiatives()[usize::from(place)].id))
                .collect();
            let path = format!("/handslag/v1/rounds/{}/ballots/{code}", round.id);
            put(&path, token, &format!("{{\"ranking\":[{}]}}", ids.join(",")))
        };
        Ok((0..BALLOTS).flat_map(|_| participants.iter().map(&mut request).collect::<Vec<_>>()).collect())
    }

    /// Fills the log with so many ballots, as the service's writer does with full batches but without HTTP; how long
    /// it took.
    ///
    /// # Errors
    /// If storage fails.
    pub(crate) fn fill(&self, ballots: u32) -> Result<Duration, String> {
        let store = self.store()?;
        let id = round_id();
        let mut ledger = self.ledger()?;
        let roll = Arc::clone(&ledger.roll);
        let mut rankings = Rankings::of(ledger.slate.len());
        let picks = ledger.round.definition.picks.max;
        let mut participants = roll.participants().iter().cycle();
        let mut conn = store.connect().map_err(|error| error.to_string())?;
        let began = Instant::now();
        let mut told = Instant::now();
        for done in (0..ballots).step_by(BATCH as usize) {
            let changed = ledger::change(&mut conn, &id, Some(&ledger), &Clock::System, |change| {
                for _ in done..ballots.min(done + BATCH) {
                    let ranking = Ranking::of_places(&rankings.next(picks)).expect("all different");
                    let ballot = Ballot {
                        ranking,
                        engagements: Vec::new(),
                        reference: None,
                        comment: None,
                        synthetic: true,
                    };
                    let participant = participants.next().expect("it goes round").code.clone();
                    let precondition = Precondition::None;
                    let nonce = log::nonce();
                    let submission = Submission {
                        participant,
                        precondition,
                        ballot: Some(ballot),
                        round_revision: change.ledger.round.revision,
                        nonce,
                    };
                    ballots::submit(change, &submission).map_err(|refusal| refusal.to_string())?;
                }
                Ok::<(), String>(())
            });
            let (next, outcome) = changed.map_err(|reason| Error::from(reason).to_string())?;
            outcome?;
            ledger = next;
            if told.elapsed() > Duration::from_secs(2) {
                told = Instant::now();
                eprintln!("filling: {done} of {ballots}");
            }
        }
        Ok(began.elapsed())
    }

    fn store(&self) -> Result<Store, String> {
        let database: Database = self.url.parse().expect("made above");
        Store::open(database).map_err(|error| error.to_string())
    }

    fn ledger(&self) -> Result<Arc<Ledger>, String> {
        ledger::read(&self.store()?, &round_id()).map_err(|error| error.to_string())
    }

    /// How much the database takes on disk, in bytes.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub(crate) fn bytes(&self) -> Result<u64, String> {
        #[derive(QueryableByName)]
        struct Size {
            #[diesel(sql_type = BigInt)]
            bytes: i64,
        }
        if self.postgres.is_some() {
            let mut conn = PgConnection::establish(&self.url).map_err(|error| error.to_string())?;
            let size = sql_query("SELECT pg_database_size(current_database()) AS bytes");
            let size: Size = size.get_result(&mut conn).map_err(|error| error.to_string())?;
            return Ok(size.bytes.unsigned_abs());
        }
        let size = |file: &str| std::fs::metadata(self.folder.path().join(file)).map_or(0, |file| file.len());
        Ok(size("handslag.db") + size("handslag.db-wal"))
    }
}

fn round_id() -> RoundId {
    ROUND.parse().expect("an id")
}

/// Rankings drawn evenly, the same ones in every run.
pub(crate) struct Rankings {
    random: ChaCha8Rng,
    places: Vec<u8>,
}

impl Rankings {
    /// Of so many initiatives.
    pub(crate) fn of(initiatives: usize) -> Self {
        let initiatives = u8::try_from(initiatives).expect("a slate is short");
        Self { random: ChaCha8Rng::seed_from_u64(2024), places: (0..initiatives).collect() }
    }

    /// The places of so many, all different.
    pub(crate) fn next(&mut self, picks: usize) -> Vec<u8> {
        self.places.partial_shuffle(&mut self.random, picks).0.to_vec()
    }
}
