//! What depends on the length of the log: disk, start, memory, results, submitting.

use std::time::{Duration, Instant};

use super::Bench;
use super::figures::{Runs, in_turn, mebibytes, millis, table, whole};
use super::load::{Load, ask};
use super::servers::get;
use super::site::{RESULTS, Site};

/// The lengths of logs, in ballots: revisions of 290 participants.
const LENGTHS: [u32; 3] = [100, 10_000, 1_000_000];
/// The length on PostgreSQL.
const ON_POSTGRES: u32 = 10_000;

/// A log of some length.
struct Log {
    name: String,
    site: Site,
    disk: String,
    filled: String,
}

impl Log {
    fn of(database: &str, site: Site, ballots: u32) -> Result<Self, String> {
        let name = format!("{}, {database}", whole(f64::from(ballots)));
        eprintln!("filling: {name}");
        let site = site.with_empty_round()?;
        let empty = site.bytes()?;
        let took = site.fill(ballots)?;
        let bytes = site.bytes()?;
        let each = bytes.saturating_sub(empty) / u64::from(ballots);
        let disk = format!("{}, {each} bytes a ballot", mebibytes(bytes));
        let filled = whole(f64::from(ballots) / took.as_secs_f64()) + "/s";
        Ok(Self { name, site, disk, filled })
    }
}

/// Measures, and prints two tables.
///
/// # Errors
/// If anything is not as expected.
pub(crate) fn measure(bench: &Bench) -> Result<(), String> {
    let mut logs = Vec::new();
    for ballots in LENGTHS.map(|ballots| ballots.min(bench.longest)) {
        logs.push(Log::of("SQLite", Site::on_sqlite(), ballots)?);
    }
    if let Some(site) = Site::on_postgres("a longer log on PostgreSQL") {
        logs.push(Log::of("PostgreSQL", site, ON_POSTGRES.min(bench.longest))?);
    }
    sizes(bench, &logs)?;
    speeds(bench, &logs)
}

/// Disk, filling, start and memory when idle.
fn sizes(bench: &Bench, logs: &[Log]) -> Result<(), String> {
    let starts = logs.iter().map(|log| {
        move || {
            let began = Instant::now();
            let server = log.site.serve()?;
            let status = ask(server.address, &get(RESULTS, ""), |reply| reply.status)?;
            let took = began.elapsed();
            std::thread::sleep(Duration::from_millis(500));
            if status == 200 { Ok((took, server.memory()?)) } else { Err(format!("results: {status}")) }
        }
    });
    let starts: Vec<_> = starts.collect();
    let contenders: Vec<&dyn Fn() -> Result<(Duration, u64), String>> =
        starts.iter().map(|start| start as _).collect();
    let got = in_turn("starting on logs of several lengths", bench.rounds, &contenders)?;
    let rows: Vec<Vec<String>> = logs
        .iter()
        .zip(got)
        .map(|(log, got)| {
            let (times, memory): (Vec<Duration>, Vec<u64>) = got.into_iter().unzip();
            let memory = memory.into_iter().max().unwrap_or_default();
            vec![log.name.clone(), log.disk.clone(), log.filled.clone(), millis(&times), mebibytes(memory)]
        })
        .collect();
    table(
        &[
            "ballots in the log",
            "on disk",
            "filled, 512 a commit",
            "start to first results",
            "memory, idle (largest)",
        ],
        &rows,
    );
    Ok(())
}

/// Results and submitting, in turn over the lengths.
fn speeds(bench: &Bench, logs: &[Log]) -> Result<(), String> {
    let servers = logs.iter().map(|log| log.site.serve()).collect::<Result<Vec<_>, String>>()?;
    let polls = [get(RESULTS, "")];
    let checked = |load: Load<'_>| {
        let run = load.run()?;
        run.first.clone().map_or(Ok(run), |first| Err(format!("not as expected: {first}")))
    };
    let read: Vec<_> =
        servers.iter().map(|server| move |polls| checked(bench.load(server, polls, &[200]))).collect();
    let read: Vec<_> = read.iter().map(|read| || read(&polls)).collect();
    let contenders: Vec<&dyn Fn() -> Result<_, String>> = read.iter().map(|read| read as _).collect();
    let polled = in_turn("results from logs of several lengths", bench.rounds, &contenders)?;
    let write: Vec<_> = logs
        .iter()
        .zip(&servers)
        .map(|(log, server)| {
            move || {
                let requests = log.site.submissions()?;
                checked(Load { connections: 64, ..bench.load(server, &requests, &[200, 201]) })
            }
        })
        .collect();
    let contenders: Vec<&dyn Fn() -> Result<_, String>> = write.iter().map(|write| write as _).collect();
    let submitted = in_turn("submitting to logs of several lengths", bench.rounds, &contenders)?;
    let mut rows = Vec::new();
    for (((log, server), polled), submitted) in logs.iter().zip(&servers).zip(polled).zip(submitted) {
        let memory = mebibytes(server.memory()?);
        rows.push(vec![log.name.clone(), Runs(polled).cell(), Runs(submitted).cell(), memory]);
    }
    table(
        &[
            "ballots in the log",
            "results, JSON, 32 connections",
            "submitting, 64 connections",
            "memory after that",
        ],
        &rows,
    );
    Ok(())
}
