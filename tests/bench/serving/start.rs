//! From start to first answer, on a database that is there already, and what the program takes up when idle.

use std::time::{Duration, Instant};

use super::Bench;
use super::figures::{in_turn, mebibytes, millis, table};
use super::fixed;
use super::load::ask;
use super::servers::{Server, fixed_body, get};
use super::site::{RESULTS, Site};

/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(1);

/// Starts a server and says what that gave.
type Starting<'a> = dyn Fn() -> Result<Start, String> + 'a;

/// What one start gave.
struct Start {
    first: Duration,
    second: Duration,
    memory: u64,
}

fn start(serve: impl Fn() -> Result<Server, String>, paths: [&str; 2]) -> Result<Start, String> {
    let began = Instant::now();
    let server = serve()?;
    let [first, second] = paths.map(|path| {
        let status = ask(server.address, &get(path, ""), |reply| reply.status)?;
        if status == 200 { Ok(began.elapsed()) } else { Err(format!("{path}: {status}")) }
    });
    std::thread::sleep(IDLE);
    Ok(Start { first: first?, second: second?, memory: server.memory()? })
}

/// Measures, and prints a table.
///
/// # Errors
/// If anything is not as expected.
pub(crate) fn measure(bench: &Bench) -> Result<(), String> {
    let sqlite = Site::on_sqlite().with_demonstration()?;
    let postgres = Site::on_postgres("starting on PostgreSQL").map(Site::with_demonstration).transpose()?;
    let paths = ["/readyz", RESULTS];
    let on_sqlite = || start(|| sqlite.serve(), paths);
    let on_postgres = || start(|| postgres.as_ref().expect("measured only if there is one").serve(), paths);
    let ceiling = || start(fixed_body, [fixed::PATH; 2]);
    let mut contenders: Vec<(&str, &Starting<'_>)> = vec![("ours, SQLite", &on_sqlite), ("fixed", &ceiling)];
    if postgres.is_some() {
        contenders.push(("ours, PostgreSQL", &on_postgres));
    }
    let measured: Vec<_> = contenders.iter().map(|(_, contender)| *contender).collect();
    let starts = in_turn("starting", bench.rounds, &measured)?;
    let rows: Vec<Vec<String>> = contenders
        .iter()
        .zip(starts)
        .map(|((name, _), starts)| {
            let times = |time: fn(&Start) -> Duration| millis(&starts.iter().map(time).collect::<Vec<_>>());
            let memory = starts.iter().map(|start| start.memory).max().unwrap_or_default();
            let name = (*name).to_owned();
            vec![name, times(|start| start.first), times(|start| start.second), mebibytes(memory)]
        })
        .collect();
    table(&["start to", "ready, or first answer", "results after that", "memory, idle (largest)"], &rows);
    Ok(())
}
