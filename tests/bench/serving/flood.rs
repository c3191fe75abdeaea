//! What others' floods do to a client that behaves, with the limits that the service has unless it is told otherwise.
//!
//! The client polls two hundred times a second and changes its ballot ten times a second. Each flood comes from another
//! address of the loopback network.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::Bench;
use super::figures::{Run, Runs, Spread, in_turn, short, table, whole};
use super::floods::{Did, Flood};
use super::load::Load;
use super::servers::{Server, get};
use super::site::{RESULTS, Site};

/// How often the client polls, and changes its ballot, in a second.
const POLLS: u32 = 200;
const BALLOTS: u32 = 10;
/// How many participants there are: the requests of one stand so far apart.
const PARTICIPANTS: usize = 290;
/// Twenty times what an address may ask.
const PACED: u32 = 10_000;
/// How long a flood goes on before anything is measured, so that it has used up what it may ask at once.
const SETTLING: Duration = Duration::from_secs(1);

/// What one time gave.
struct Time {
    polls: Run,
    ballots: Run,
    did: Did,
    took: Duration,
    server_cpu: Duration,
}

/// Measures, and prints a table.
///
/// # Errors
/// If anything that the client gets is not as expected.
pub(crate) fn measure(bench: &Bench) -> Result<(), String> {
    let site = Site::on_sqlite().with_demonstration()?.limited();
    let server = site.serve()?;
    let floods = [
        ("nothing", Flood::None),
        ("500 slow senders, 200 that do not read", Flood::Slow),
        ("polls, 16 connections, as fast as can be", Flood::of_polls(None)),
        ("polls, 16 connections, 20 times the limit", Flood::of_polls(Some(PACED))),
        ("counts that differ, 8 connections", Flood::of_counts()),
        ("wrong secrets, 16 connections", Flood::of_secrets()),
        ("opening and closing, 2 threads", Flood::Opening(2)),
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
        let (polls, ballots): (Vec<Run>, Vec<Run>) =
            times.into_iter().map(|time| (time.polls, time.ballots)).unzip();
        let (polls, ballots) = (Runs(polls), Runs(ballots));
        let (polls_alone, ballots_alone) = alone.get_or_insert_with(|| (polls.clone(), ballots.clone()));
        let mut row = vec![(*name).to_owned()];
        row.extend([polls.latency(), polls.ratio_of_latency(polls_alone)]);
        row.extend([ballots.latency(), ballots.ratio_of_latency(ballots_alone)]);
        row.extend(work);
        rows.push(row);
    }
    let header =
        ["meanwhile", "a poll", "of alone", "a ballot", "of alone", "the flood", "CPU of the flood", "of us"];
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
    let (polls, ballots) = std::thread::scope(|scope| {
        let submitted = scope.spawn(|| faultless(&submitting));
        let polled = faultless(&polling);
        (polled, submitted.join().expect("a load does not panic"))
    });
    let (took, server_cpu) = (began.elapsed(), server.cpu()?.saturating_sub(cpu));
    Ok(Time { polls: polls?, ballots: ballots?, did: end(), took, server_cpu })
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
