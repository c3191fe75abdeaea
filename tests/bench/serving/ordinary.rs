//! The counterpart for writes, if it is given: a service that does what is usual (a pool of ten connections, a
//! transaction a request, SQL at each read), from a folder of programs that are no part of this package.
//!
//! The folder holds `ordinary`, `ordinary-pg` (the same for PostgreSQL), `mktoken` and `keys`; `keys` may stand beside
//! the folder.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::guard;
use super::postgres::OwnDatabase;
use super::servers::{Server, put};
use super::site::Rankings;

/// How many municipalities submit.
const CODES: u16 = 290;
/// What its tokens say of who made them and for whom.
const CLAIMS: &str = r#""iss":"https://id.example.se","aud":"ballots""#;

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    programs: PathBuf,
    keys: PathBuf,
}

/// A server with a database of its own.
pub(crate) struct Ordinary {
    /// The server.
    pub(crate) server: Server,
    /// Whole requests, a ballot each; their tokens live for a month.
    pub(crate) submissions: Vec<Vec<u8>>,
    _folder: TempDir,
    _postgres: Option<OwnDatabase>,
}

impl Peers {
    /// The programs of a folder.
    ///
    /// # Errors
    /// If they are not there.
    pub(crate) fn of(programs: PathBuf) -> Result<Self, String> {
        let within = programs.join("keys");
        let keys = if within.is_dir() { within } else { programs.join("../keys") };
        for needed in [programs.join("ordinary"), programs.join("mktoken"), keys.join("ed25519.pem")] {
            if !needed.is_file() {
                return Err(format!("--peers: there is no {}", needed.display()));
            }
        }
        Ok(Self { programs, keys })
    }

    /// The service on SQLite, as durable as ours.
    ///
    /// # Errors
    /// If it does not run.
    pub(crate) fn on_sqlite(&self) -> Result<Ordinary, String> {
        let folder = guard::folder();
        let database = folder.path().join("ordinary.db");
        self.serve("ordinary", &database.display().to_string(), folder, None)
    }

    /// The service on PostgreSQL; none if it was not built for it, or there is no PostgreSQL, which is told.
    ///
    /// # Errors
    /// If it does not run.
    pub(crate) fn on_postgres(&self, what: &str) -> Result<Option<Ordinary>, String> {
        if !self.programs.join("ordinary-pg").is_file() {
            eprintln!("SKIPPED {what}: the peers' folder has no ordinary-pg");
            return Ok(None);
        }
        let Some(database) = OwnDatabase::new(what) else { return Ok(None) };
        let folder = guard::folder();
        self.serve("ordinary-pg", &database.url(), folder, Some(database)).map(Some)
    }

    fn serve(
        &self,
        program: &str,
        database: &str,
        folder: TempDir,
        postgres: Option<OwnDatabase>,
    ) -> Result<Ordinary, String> {
        let workers = std::thread::available_parallelism().map_or(1, Into::into);
        let mut command = Command::new(self.programs.join(program));
        command
            .env("DATABASE_URL", database)
            .env("KEYS", &self.keys)
            .env("WORKERS", workers.to_string())
            .envs([("POOL", "10"), ("SYNC", "FULL"), ("TXN", "immediate")])
            .stderr(Stdio::null());
        let server = Server::that_is_told(&mut command)?;
        Ok(Ordinary { server, submissions: self.submissions()?, _folder: folder, _postgres: postgres })
    }

    fn submissions(&self) -> Result<Vec<Vec<u8>>, String> {
        let mut rankings = Rankings::of(13);
        (0..CODES)
            .map(|code| {
                let token = self.token(&format!("{code:04}"))?;
                let picks: Vec<String> =
                    rankings.next(5).iter().map(|place| format!("\"I{:02}\"", place + 1)).collect();
                let body = format!("{{\"picks\":[{}]}}", picks.join(","));
                Ok(put(&format!("/ballots/{code:04}"), &token, &body))
            })
            .collect()
    }

    fn token(&self, code: &str) -> Result<String, String> {
        let made = Command::new(self.programs.join("mktoken"))
            .arg("EdDSA")
            .arg(self.keys.join("ed25519.pem"))
            .arg(format!("{{\"sub\":\"{code}\",{CLAIMS}}}"))
            .output()
            .map_err(|error| format!("mktoken: {error}"))?;
        let token = String::from_utf8(made.stdout).map_err(|error| error.to_string())?;
        if made.status.success() { Ok(token.trim_end().to_owned()) } else { Err("mktoken failed".to_owned()) }
    }
}
