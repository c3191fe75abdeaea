//! Reading results: while nothing changes, and while ballots are accepted.

use std::sync::atomic::AtomicU64;

use super::Bench;
use super::figures::{Run, Runs, in_turn, table};
use super::fixed;
use super::load::{Load, Sequences, ask};
use super::servers::{Server, fixed_body, get};
use super::site::{RESULTS, Site};

/// Polls per second where latency is what is asked for: far below what can be had.
const POLLS: u32 = 2_000;
/// Ballots per second while results are read.
const BALLOTS: u32 = 200;

/// A run in which every reply was the expected one.
fn faultless(load: &Load<'_>) -> Result<Run, String> {
    let run = load.run()?;
    match &run.first {
        None => Ok(run),
        Some(first) => Err(format!("{} replies were not as expected, the first {first}", run.surprises)),
    }
}

/// Measures, and prints a table.
///
/// # Errors
/// If anything is not as expected.
pub(crate) fn measure(bench: &Bench) -> Result<(), String> {
    let site = Site::on_sqlite().with_demonstration()?;
    let before = bench.before.as_ref().map(|program| Site::on_sqlite().by(program).with_demonstration());
    let before = before.transpose()?;
    let (ours, its_name, other, its_path) = match &before {
        Some(before) => (site.serve()?, "before", before.serve()?, RESULTS),
        None => (site.serve()?, "fixed", fixed_body()?, fixed::PATH),
    };
    let body = ([get(RESULTS, "")], [get(its_path, "")]);
    let same = ([get(RESULTS, &condition(&ours, RESULTS)?)], [get(its_path, &condition(&other, its_path)?)]);
    let mut rows = Vec::new();
    for (what, (to_us, to_it), status, rate) in [
        ("results, JSON, 32 connections", &body, 200, None),
        ("results, 304, 32 connections", &same, 304, None),
        ("results, JSON, at a fixed rate", &body, 200, Some(POLLS)),
    ] {
        let statuses = [status];
        let ours = Load { rate, ..bench.load(&ours, to_us, &statuses) };
        let theirs = Load { rate, ..bench.load(&other, to_it, &statuses) };
        let runs = in_turn(what, bench.rounds, &[&|| faultless(&ours), &|| faultless(&theirs)])?;
        rows.push(row(what, rate, runs));
    }
    for (what, rate) in
        [("results, JSON, 32 connections", None), ("results, JSON, at a fixed rate", Some(POLLS))]
    {
        let ours = Contender { server: &ours, requests: &body.0, site: Some(&site) };
        let other = Contender { server: &other, requests: &body.1, site: before.as_ref() };
        rows.extend(while_ballots_come(bench, what, rate, ours, other)?);
    }
    table(&["what", "ours", its_name, &format!("ours / {its_name}")], &rows);
    Ok(())
}

/// The header line of who has what is there now.
fn condition(server: &Server, path: &str) -> Result<String, String> {
    let tag = ask(server.address, &get(path, ""), |reply| reply.entity_tag())?;
    Ok(format!("if-none-match: {}\r\n", tag.ok_or("a reply without an entity tag")?))
}

fn row(what: &str, rate: Option<u32>, runs: Vec<Vec<Run>>) -> Vec<String> {
    let [ours, other] = <[Vec<Run>; 2]>::try_from(runs).expect("two contenders").map(Runs);
    match rate {
        None => vec![what.to_owned(), ours.cell(), other.cell(), ours.ratio(&other)],
        Some(rate) => {
            let ratio = ours.ratio_of_latency(&other);
            vec![format!("{what}, {rate}/s"), ours.latency(), other.latency(), ratio]
        }
    }
}

/// A server, what it is asked, and where it takes ballots; the ceiling takes none.
#[derive(Clone, Copy)]
struct Contender<'a> {
    server: &'a Server,
    requests: &'a [Vec<u8>],
    site: Option<&'a Site>,
}

/// Results while ballots are accepted, every one checked against what had been acknowledged.
fn while_ballots_come(
    bench: &Bench,
    what: &str,
    rate: Option<u32>,
    ours: Contender<'_>,
    other: Contender<'_>,
) -> Result<Vec<Vec<String>>, String> {
    let what = format!("{what}, while {BALLOTS} ballots/s are accepted");
    let measure = |contender: Contender<'_>, acknowledged: &AtomicU64| {
        let Contender { server, requests, site } = contender;
        let reading = Load { rate, ..bench.load(server, requests, &[200]) };
        let Some(site) = site else { return Ok((faultless(&reading)?, None)) };
        let submissions = site.submissions()?;
        let submitting = Load {
            rate: Some(BALLOTS),
            connections: 16,
            sequences: Sequences::Acknowledged(acknowledged),
            ..bench.load(server, &submissions, &[200, 201])
        };
        let reading = Load { sequences: Sequences::AtLeast(acknowledged), ..reading };
        std::thread::scope(|scope| {
            let submitted = scope.spawn(|| faultless(&submitting));
            let read = faultless(&reading);
            let submitted = submitted.join().expect("a load does not panic")?;
            Ok((read?, Some(submitted)))
        })
    };
    let (by_us, by_it) = (AtomicU64::new(0), AtomicU64::new(0));
    let contenders: [&dyn Fn() -> Result<_, String>; 2] =
        [&|| measure(ours, &by_us), &|| measure(other, &by_it)];
    let (mut read, mut submitted) = (Vec::new(), Vec::new());
    for runs in in_turn(&what, bench.rounds, &contenders)? {
        let (of_reading, of_submitting): (Vec<Run>, Vec<Option<Run>>) = runs.into_iter().unzip();
        read.push(of_reading);
        submitted.push(Runs(of_submitting.into_iter().flatten().collect()));
    }
    let mut meanwhile = vec![format!("submitting meanwhile, {BALLOTS}/s")];
    let latency = |runs: &Runs| if runs.0.is_empty() { "–".to_owned() } else { runs.latency() };
    meanwhile.extend(submitted.iter().map(latency));
    meanwhile.push(match &submitted[1] {
        none if none.0.is_empty() => "–".to_owned(),
        some => submitted[0].ratio_of_latency(some),
    });
    Ok(vec![row(&what, rate, read), meanwhile])
}
