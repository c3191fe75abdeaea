//! Submitting ballots with tokens, on both databases, beside `ordinary` or an earlier build where it is given.

use std::path::Path;

use super::Bench;
use super::figures::{Run, Runs, in_turn, table};
use super::load::Load;
use super::ordinary::Ordinary;
use super::servers::Server;
use super::site::Site;

/// Ballots per second where latency is what is asked for.
const BALLOTS: u32 = 300;

/// What ours is compared with.
enum Counterpart {
    Ordinary(Ordinary),
    /// An earlier build of ours.
    Before(Server, Site),
}

impl Counterpart {
    fn before(program: &Path, site: Site) -> Result<Self, String> {
        let site = site.by(program).with_demonstration()?;
        Ok(Self::Before(site.serve()?, site))
    }

    fn on_sqlite(bench: &Bench) -> Result<Option<Self>, String> {
        match (&bench.peers, &bench.before) {
            (Some(peers), _) => peers.on_sqlite().map(|peer| Some(Self::Ordinary(peer))),
            (None, Some(before)) => Self::before(before, Site::on_sqlite()).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn on_postgres(bench: &Bench) -> Result<Option<Self>, String> {
        let what = "the counterpart on PostgreSQL";
        match (&bench.peers, &bench.before) {
            (Some(peers), _) => Ok(peers.on_postgres(what)?.map(Self::Ordinary)),
            (None, Some(before)) => {
                Site::on_postgres(what).map(|site| Self::before(before, site)).transpose()
            }
            (None, None) => Ok(None),
        }
    }

    /// What goes wrong here is told beside the figures, and is no failure of ours.
    fn submit(&self, load: Load<'_>) -> Result<Run, String> {
        match self {
            Self::Ordinary(Ordinary { server, submissions, .. }) => {
                Load { server, requests: submissions, ..load }.run()
            }
            Self::Before(server, site) => Load { server, requests: &site.submissions()?, ..load }.run(),
        }
    }
}

/// Measures on both databases, and prints a table.
///
/// # Errors
/// If anything is not as expected.
pub(crate) fn measure(bench: &Bench) -> Result<(), String> {
    let mut rows = Vec::new();
    let peer = Counterpart::on_sqlite(bench)?;
    compare(bench, "SQLite", &Site::on_sqlite().with_demonstration()?, peer.as_ref(), &mut rows)?;
    drop(peer);
    if let Some(site) = Site::on_postgres("submitting on PostgreSQL") {
        let peer = Counterpart::on_postgres(bench)?;
        compare(bench, "PostgreSQL", &site.with_demonstration()?, peer.as_ref(), &mut rows)?;
    } else {
        let none = || "–".to_owned();
        rows.push(vec![
            "submitting, PostgreSQL".to_owned(),
            "left out: there is none here".to_owned(),
            none(),
            none(),
        ]);
    }
    let name = if bench.before.is_some() { "before" } else { "ordinary" };
    table(&["what", "ours", name, &format!("ours / {name}")], &rows);
    Ok(())
}

fn compare(
    bench: &Bench,
    database: &str,
    site: &Site,
    peer: Option<&Counterpart>,
    rows: &mut Vec<Vec<String>>,
) -> Result<(), String> {
    let ours = site.serve()?;
    for (connections, rate) in [(64, None), (1, None), (16, Some(BALLOTS))] {
        let how = match (connections, rate) {
            (_, Some(rate)) => format!("at a fixed rate, {rate}/s"),
            (1, _) => "one connection".to_owned(),
            _ => format!("{connections} connections"),
        };
        let what = format!("submitting, {database}, {how}");
        let load = Load { connections, rate, ..bench.load(&ours, &[], &[200, 201]) };
        let submit = || faultless(load, &ours, &site.submissions()?);
        let theirs = || peer.map(|peer| peer.submit(load)).transpose();
        let runs = in_turn(&what, bench.rounds, &[&|| submit().map(Some), &theirs])?;
        let mut runs = runs.into_iter().map(|runs| Runs(runs.into_iter().flatten().collect()));
        let (ours, theirs) = (runs.next().expect("ours"), runs.next().expect("theirs"));
        let given = !theirs.0.is_empty();
        let cell = |runs: &Runs| if rate.is_some() { runs.latency() } else { runs.cell() };
        let ratio = || if rate.is_some() { ours.ratio_of_latency(&theirs) } else { ours.ratio(&theirs) };
        let or_none = |text: &dyn Fn() -> String| if given { text() } else { "–".to_owned() };
        rows.push(vec![what, cell(&ours), or_none(&|| cell(&theirs)), or_none(&ratio)]);
        site.check_trail()?;
    }
    Ok(())
}

/// Submits, and wants every ballot accepted.
fn faultless(load: Load<'_>, server: &Server, requests: &[Vec<u8>]) -> Result<Run, String> {
    let run = Load { server, requests, ..load }.run()?;
    match &run.first {
        None => Ok(run),
        Some(first) => Err(format!("{} ballots were not accepted, the first {first}", run.surprises)),
    }
}
