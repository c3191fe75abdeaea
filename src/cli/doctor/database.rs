//! The database: whether it answers, its schema, what its commits rest on, and its clock.

use super::Finding;
use crate::config::Settings;
use crate::domain::Instant;
use crate::service::Clock;
use crate::store::{Condition, Database, Kind};

/// The oldest version of PostgreSQL that still gets corrections.
const SUPPORTED: i32 = 15;
/// How far apart two clocks may be before it is worth a word, in milliseconds.
const APART: i64 = 2_000;
/// How far apart they may be before tokens of one are refused by the other, in milliseconds.
const TOO_FAR_APART: i64 = 30_000;

pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    let mut findings = one("database", &settings.database);
    if settings.read_database != settings.database {
        findings.extend(one("read-database", &settings.read_database));
    }
    findings
}

fn one(check: &'static str, database: &Database) -> Vec<Finding> {
    match Condition::of(database) {
        Ok(None) => vec![Finding::warn(check, "there is no file yet", "It is made at the first start.")],
        Err(error) => {
            let advice = "Nothing works without it; see \"When something is wrong\" in docs/OPERATIONS.md.";
            vec![Finding::fail(check, error.to_string(), advice)]
        }
        Ok(Some(condition)) => {
            let mut findings = vec![schema(&condition)];
            match &condition.kind {
                Kind::Sqlite { journal } => findings.insert(0, sqlite(check, journal)),
                Kind::Postgres { .. } => findings.extend(postgres(check, &condition.kind)),
            }
            findings
        }
    }
}

fn schema(condition: &Condition) -> Finding {
    const CHECK: &str = "schema";
    if let Some(newer) = &condition.newer {
        let what = format!("the database has had the migration {newer}, which this program does not know");
        return Finding::fail(CHECK, what, "Run the newer program, or restore a backup from before it.");
    }
    match condition.pending.len() {
        0 => Finding::ok(CHECK, "has had all migrations of this program"),
        n => Finding::warn(
            CHECK,
            format!("{n} migrations are pending, up to {}", condition.pending[n - 1]),
            "The next start applies them. Make a backup before.",
        ),
    }
}

fn sqlite(check: &'static str, journal: &str) -> Finding {
    if journal == "wal" {
        // Of each connection, not of the file.
        return Finding::ok(
            check,
            "SQLite, whole, journal wal; the program sets synchronous = FULL for ballots",
        );
    }
    let what = format!("SQLite, whole, but its journal is {journal}");
    Finding::warn(check, what, "The next start sets wal. If it does not stay so, another program sets it.")
}

fn postgres(check: &'static str, kind: &Kind) -> Vec<Finding> {
    let Kind::Postgres { version, synchronous_commit, standbys, is_standby, clock } = kind else {
        return Vec::new();
    };
    let major = version / 10_000;
    let what = format!("PostgreSQL {major}.{} answers", version % 10_000);
    let old = "It gets no more corrections from its makers: upgrade it.";
    let mut findings =
        vec![if major < SUPPORTED { Finding::warn(check, what, old) } else { Finding::ok(check, what) }];
    if *is_standby {
        let advice = "Name the primary: nothing can be written here, and what is read may be old.";
        findings.push(Finding::fail("standby", "the server is a standby", advice));
    }
    findings.push(match (&**synchronous_commit, standbys.is_empty()) {
        ("off" | "local", _) => Finding::warn(
            "durability",
            format!("synchronous_commit is {synchronous_commit} on the server"),
            "The program turns it on for itself; set it to on, so that restored and imported data is safe as well.",
        ),
        (mode, true) => Finding::ok("durability", format!("synchronous_commit is {mode}; no standby is waited for")),
        (mode, false) => Finding::ok("durability", format!("synchronous_commit is {mode}; waits for {standbys}")),
    });
    findings.push(self::clock("the database's clock", *clock));
    findings
}

/// How another clock stands to this machine's.
fn clock(whose: &str, there: Instant) -> Finding {
    let apart = apart(there);
    judged(
        apart,
        format!("{whose} is {}.{:03} s from this machine's", apart.abs() / 1_000, apart.abs() % 1_000),
    )
}

/// How another clock stands to this machine's that tells whole seconds only: it is anywhere within the second.
pub(super) fn clock_of_seconds(whose: &str, there: Instant) -> Finding {
    let apart = match apart(there) {
        ahead @ 1.. => ahead,
        behind @ ..=-1_000 => behind + 1_000,
        -999..=0 => 0,
    };
    let what = match apart.abs() / 1_000 {
        0 => format!("{whose} is within a second of this machine's"),
        seconds => format!("{whose} is {seconds} s from this machine's"),
    };
    judged(apart, what)
}

/// How far a clock is ahead of this machine's, in milliseconds.
fn apart(there: Instant) -> i64 {
    there.utc().signed_duration_since(Clock::System.now().utc()).num_milliseconds()
}

fn judged(apart: i64, what: String) -> Finding {
    const CHECK: &str = "clock";
    let advice = "Let both follow NTP. Tokens are refused when clocks are more than 30 seconds apart.";
    if apart.abs() <= APART {
        Finding::ok(CHECK, what)
    } else if apart.abs() <= TOO_FAR_APART {
        Finding::warn(CHECK, what, advice)
    } else {
        Finding::fail(CHECK, what, advice)
    }
}
