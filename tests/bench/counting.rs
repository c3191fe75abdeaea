//! How long counting takes: `cargo bench --bench counting`.
//!
//! Every figure is the median of some runs with the least and the largest beside it. Nothing here passes or fails; what
//! is to be reached stands in `docs/PERFORMANCE.md`, with the figures of a dated run.

use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use handslag::tally::{
    Counts, Election, Family, Ladder, NO_PICK, Parameters, Profile, Rule, Step, parse_fraction,
    profile_of_ballots, rules,
};

fn main() {
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| name.contains(only.as_str()));
    println!("{} cores", std::thread::available_parallelism().map_or(1, Into::into));
    if wanted("rules") {
        every_rule();
    }
    if wanted("memory") {
        in_memory();
    }
    if wanted("file") {
        from_a_file();
    }
}

/// The median, the least and the largest of so many runs.
fn timed(runs: usize, mut work: impl FnMut()) -> [Duration; 3] {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    [times[runs / 2], times[0], times[runs - 1]]
}

fn told([median, least, most]: [Duration; 3]) -> String {
    format!("{median:>10.2?} ({least:.2?} to {most:.2?})")
}

/// The ballots of a shipped set: 290 of five picks of 13.
fn shipped() -> Profile {
    let file = format!("{}/fixtures/elections/syn_impartial_290/ballots.csv", env!("CARGO_MANIFEST_DIR"));
    let mut profile = Profile::new(13);
    let mut reader = csv::Reader::from_path(file).expect("the set is shipped");
    for row in reader.records() {
        let row = row.expect("a row");
        let number = |cell: &str| cell.trim_start_matches('c').parse::<u8>().expect("c01 to c13") - 1;
        let ranking: Vec<u8> = row.iter().skip(1).map(number).collect();
        profile.add(&ranking, row[0].parse().expect("a number"));
    }
    profile
}

fn parameters(rule: &Rule, seats: usize) -> Parameters {
    let lot = Some((0..13).collect());
    let points = ["5", "4", "3", "2", "1"].map(|points| parse_fraction(points).expect("points"));
    Parameters {
        ladder: Ladder { steps: rule.steps(&Step::ALL[1..]), lot },
        cut: 3,
        points: (rule.id() == "custom").then(|| points.to_vec()),
        seats: rule.takes("seats").then_some(seats),
        ..Parameters::default()
    }
}

/// All rules on 290 ballots, and portfolios of every size.
fn every_rule() {
    let profile = shipped();
    let counts = Counts::of(&profile);
    let election = Election { profile: &profile, counts: &counts, picks: 5 };
    println!("\n290 ballots, five of 13");
    let mut rankings = Duration::ZERO;
    let mut portfolios = Duration::ZERO;
    for rule in rules(5) {
        let is_portfolio = rule.family() == Family::Portfolio;
        let sizes = if is_portfolio { 1..=13 } else { 3..=3 };
        let times = timed(9, || {
            for seats in sizes.clone() {
                black_box(rule.count(&election, &parameters(&rule, seats)).expect("it can be counted"));
            }
        });
        let sum = if is_portfolio { &mut portfolios } else { &mut rankings };
        *sum += times[0];
        let what = if is_portfolio { "sizes 1 to 13" } else { "" };
        println!("{:<22} {} {what}", rule.id(), told(times));
    }
    println!("all rankings together {rankings:.2?}; all portfolios of all sizes together {portfolios:.2?}");
}

/// Pseudo-random numbers without a crate: xorshift64*.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u8) -> u8 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        u8::try_from(number % u64::from(most)).expect("below a byte")
    }

    /// Five different ones of 13.
    fn ballot(&mut self) -> [u8; 5] {
        let mut all: [u8; 13] = std::array::from_fn(|i| u8::try_from(i).expect("13"));
        std::array::from_fn(|rank| {
            let other = rank + usize::from(self.below(u8::try_from(13 - rank).expect("13")));
            all.swap(rank, other);
            all[rank]
        })
    }
}

const MANY: usize = 10_000_000;

/// Profile, rank counts and pairwise counts of ten million ballots in memory, on one thread and on all.
fn in_memory() {
    let mut numbers = Numbers(20_261_123);
    let mut ballots = Vec::with_capacity(MANY * 5);
    for _ in 0..MANY {
        ballots.extend(numbers.ballot());
    }
    assert!(!ballots.contains(&NO_PICK));
    println!("\n{MANY} ballots in memory, five of 13: profile, rank counts and pairwise counts");
    let reading = timed(5, || {
        black_box(ballots.iter().map(|&pick| u64::from(pick)).sum::<u64>());
    });
    println!("{:<22} {} {:.2} ns a ballot", "reading alone", told(reading), per_ballot(reading[0]));
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    for threads in [1, cores] {
        let times = timed(7, || {
            let profile = profile_of_ballots(13, 5, &ballots, threads).expect("rankings");
            black_box(Counts::of(&profile));
        });
        let name = format!("{threads} threads");
        println!("{name:<22} {} {:.2} ns a ballot", told(times), per_ballot(times[0]));
    }
}

fn per_ballot(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9 / MANY as f64
}

/// `handslag tally` of a file of ten million ballots, against `wc -l` of the same file in turn.
fn from_a_file() {
    let folder = std::env::temp_dir().join(format!("handslag-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("ballots.csv");
    let mut numbers = Numbers(20_261_123);
    let mut text = String::from("count,rank1,rank2,rank3,rank4,rank5\n");
    for _ in 0..MANY {
        let [a, b, c, d, e] = numbers.ballot().map(|pick| pick + 1);
        text.push_str(&format!("1,c{a:02},c{b:02},c{c:02},c{d:02},c{e:02}\n"));
    }
    std::fs::write(&file, text).expect("room for 220 MB");
    let all: Vec<String> = rules(5)
        .filter(|rule| {
            matches!(rule.family(), Family::Positional | Family::Pairwise) && rule.id() != "custom"
        })
        .flat_map(|rule| ["--rule".to_owned(), rule.id()])
        .collect();
    println!("\n{MANY} ballots from a file: every positional and pairwise rule, against wc -l in turn");
    let run = |command: &mut Command| {
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it can be run");
        assert!(done.success());
    };
    let (mut words, mut tallies) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        words.push(timed(1, || run(Command::new("wc").arg("-l").arg(&file)))[0]);
        tallies.push(
            timed(1, || {
                run(Command::new(env!("CARGO_BIN_EXE_handslag"))
                    .arg("tally")
                    .arg(&file)
                    .args(&all)
                    .args(["--cut", "3"]));
            })[0],
        );
    }
    words.sort();
    tallies.sort();
    let show = |times: &[Duration]| told([times[2], times[0], times[4]]);
    println!("{:<22} {}", "wc -l", show(&words));
    println!("{:<22} {}", "handslag tally", show(&tallies));
    let bar = words[2] * 2 + Duration::from_secs(1);
    println!("twice wc -l plus 1 s: {bar:.2?}; {:.2} of it", tallies[2].as_secs_f64() / bar.as_secs_f64());
    std::fs::remove_dir_all(&folder).expect("the folder was ours");
}
