//! What others' floods do to a client that behaves, with the limits that the service has unless it is told otherwise.
//!
//! The client polls two hundred times a second, changes its ballot ten times a second, and another one like it polls
//! twenty times a second on a new connection each time. Each flood comes from another
//! address of the loopback network.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::Bench;
use super::figures::{Run, Runs, Spread, in_turn, short, table, whole};
use super::floods::{Did, Flood};
use super::load::{Load, Tally, ask};
use super::servers::{Server, get};
use super::site::{RESULTS, Site};

/// How often the client polls, and changes its ballot, in a second.
const POLLS: u32 = 200;
const BALLOTS: u32 = 10;
/// How long a newcomer waits until it comes anew.
const PAUSE: Duration = Duration::from_millis(50);
/// How many participants there are: the requests of one stand so far apart.
const PARTICIPANTS: usize = 290;
/// Twenty times what an address may ask: so often can it be refused on so many connections.
const PACED: (usize, u32) = (990, 10_000);
/// How long a flood goes on before anything is measured, so that it has used up what it may ask at once.
const SETTLING: Duration = Duration::from_secs(2);

/// What one time gave.
struct Time {
    polls: Run,
    ballots: Run,
    newcomers: Run,
    did: Did,
    took: Duration,
    server_cpu: Duration,
}

/// Measures, and prints a table.
///
/// # Errors
/// If anything that the client gets is not as expected.
pub(crate) fn measure(bench: &Bench) -> Result<(), String> {
    let site = match &bench.before {
        Some(before) => Site::on_sqlite().by(before),
        None => Site::on_sqlite(),
    };
    let site = site.with_demonstration()?.limited();
    let server = site.serve()?;
    let floods = [
        ("nothing", Flood::None),
        ("500 that send slowly", Flood::Slow { senders: 500, deaf: 0 }),
        ("200 that do not read", Flood::Slow { senders: 0, deaf: 200 }),
        ("polls, 16 connections, as fast as can be", Flood::of_polls(16, None)),
        ("polls, 990 connections, 20 times the limit", Flood::of_polls(PACED.0, Some(PACED.1))),
        ("counts that differ, 8 connections", Flood::of_counts()),
        ("wrong secrets, 16 connections", Flood::of_secrets()),
        ("opening and closing, 20 times the limit", Flood::Opening(Some(PACED.1))),
        ("opening and closing, as fast as can be", Flood::Opening(None)),
    ];
    let measure = |(number, flood): (u8, &Flood)| {
        let from = Ipv4Addr::new(127, 0, 1, number);
        flood.during(from, server.address, |end| {
            std::thread::sleep(if matches!(flood, Flood::None) { Duration::ZERO } else { SETTLING });
            behave(bench, &site, &server, end)
        })
    };
    let measures: Vec<_> =
        (1..).zip(&floods).map(|(number, (_, flood))| move || measure((number, flood))).collect();
    let contenders: Vec<&dyn Fn() -> Result<Time, String>> =
        measures.iter().map(|measure| measure as _).collect();
    let times = in_turn("a client beside floods", bench.rounds, &contenders)?;
    let (mut rows, mut alone) = (Vec::new(), None);
    for ((name, _), times) in floods.iter().zip(times) {
        let work = work(&times);
        let runs = |run: fn(&Time) -> &Run| Runs(times.iter().map(run).cloned().collect());
        let runs = [runs(|time| &time.polls), runs(|time| &time.newcomers), runs(|time| &time.ballots)];
        let alone = alone.get_or_insert_with(|| runs.clone());
        let mut row = vec![(*name).to_owned()];
        for (runs, alone) in runs.iter().zip(alone) {
            row.extend([runs.latency(), runs.ratio_of_latency(alone)]);
        }
        row.extend(work);
        rows.push(row);
    }
    let header = [
        "meanwhile",
        "a poll",
        "of alone",
        "a newcomer's poll",
        "of alone",
        "a ballot",
        "of alone",
        "the flood",
        "its CPU",
        "our CPU",
    ];
    table(&header, &rows);
    Ok(())
}

/// What the client sees of the service; then the flood is ended.
fn behave(bench: &Bench, site: &Site, server: &Server, end: &dyn Fn() -> Did) -> Result<Time, String> {
    let polls = [get(RESULTS, "")];
    let ballots: Vec<Vec<u8>> = site.submissions()?.into_iter().step_by(PARTICIPANTS).collect();
    let polling = Load { rate: Some(POLLS), connections: 4, ..bench.load(server, &polls, &[200]) };
    let submitting =
        Load { rate: Some(BALLOTS), connections: 2, ..bench.load(server, &ballots, &[200, 201]) };
    let (began, cpu) = (Instant::now(), server.cpu()?);
    let (polls, ballots, newcomers) = std::thread::scope(|scope| {
        let submitted = scope.spawn(|| faultless(&submitting));
        let came = scope.spawn(|| come_anew(server, &polls[0], bench.time));
        let polled = faultless(&polling);
        let joined = "a load does not panic";
        (polled, submitted.join().expect(joined), came.join().expect(joined))
    });
    let (took, server_cpu) = (began.elapsed(), server.cpu()?.saturating_sub(cpu));
    let newcomers = Run::of(newcomers?, bench.time, server_cpu);
    Ok(Time { polls: polls?, ballots: ballots?, newcomers, did: end(), took, server_cpu })
}

/// Polls on a new connection each time.
fn come_anew(server: &Server, poll: &[u8], time: Duration) -> Result<Tally, String> {
    let (end, mut tally) = (Instant::now() + time, Tally::default());
    while Instant::now() < end {
        let began = Instant::now();
        let status = ask(server.address, poll, |reply| reply.status)?;
        if status != 200 {
            return Err(format!("a newcomer was answered {status}"));
        }
        tally.micros.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        tally.in_time += 1;
        std::thread::sleep(PAUSE);
    }
    Ok(tally)
}

/// A run in which every reply was the expected one.
fn faultless(load: &Load<'_>) -> Result<Run, String> {
    let run = load.run()?;
    match &run.first {
        None => Ok(run),
        Some(first) => Err(format!("{} replies were not as expected, the first {first}", run.surprises)),
    }
}

/// What the flood did, and what it took of the cores.
fn work(times: &[Time]) -> [String; 3] {
    let spread = |figure: fn(&Time) -> f64| Spread::of(times.iter().map(figure));
    // It began earlier than what was measured.
    let done = spread(|time| f64::from(time.did.done) / (time.took + SETTLING).as_secs_f64());
    let share = |part: u32, did: &Did| 100.0 * f64::from(part) / f64::from((did.done + did.ended).max(1));
    let refused = times.iter().map(|time| share(time.did.refused, &time.did));
    let ended = times.iter().map(|time| share(time.did.ended, &time.did));
    let (refused, ended) = (Spread::of(refused).median, Spread::of(ended).median);
    let flood = spread(|time| 100.0 * time.did.cpu.as_secs_f64() / (time.took + SETTLING).as_secs_f64());
    let ours = spread(|time| 100.0 * time.server_cpu.as_secs_f64() / time.took.as_secs_f64());
    [
        format!("{}/s, {refused:.0} % refused, {ended:.0} % ended", whole(done.median)),
        format!("{} %", short(flood.median)),
        format!("{} %", short(ours.median)),
    ]
}
