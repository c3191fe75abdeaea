//! Figures: what a run gave, what many runs gave, and tables of them.

use std::time::Duration;

use super::load::Tally;

/// What one run gave.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Expected replies per second, within the time.
    per_second: f64,
    /// The server's CPU time for each, in microseconds.
    cpu: f64,
    /// Half of the replies took no longer, in milliseconds.
    p50: f64,
    /// 99 of 100 replies took no longer, in milliseconds.
    p99: f64,
    /// How many replies had another status.
    pub(crate) surprises: u32,
    /// The first of them.
    pub(crate) first: Option<String>,
}

impl Run {
    /// From what came back in some time, and the CPU time that it took the server.
    pub(crate) fn of(tally: Tally, duration: Duration, cpu: Duration) -> Self {
        let Tally { mut micros, in_time, surprises, first } = tally;
        micros.sort_unstable();
        let percentile = |percent: usize| {
            let place = (micros.len() * percent).div_ceil(100).saturating_sub(1);
            micros.get(place).map_or(f64::NAN, |&micros| f64::from(micros) / 1e3)
        };
        let count = f64::from(in_time);
        Self {
            per_second: count / duration.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / count,
            p50: percentile(50),
            p99: percentile(99),
            surprises,
            first,
        }
    }
}

/// The median, the least and the largest of some figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// Of at least one figure.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        Self { median: figures[figures.len() / 2], least: figures[0], most: figures[figures.len() - 1] }
    }

    /// With least and largest, each written by `write`.
    pub(crate) fn told(self, write: impl Fn(f64) -> String) -> String {
        format!("{} [{}–{}]", write(self.median), write(self.least), write(self.most))
    }
}

/// What the runs of one contender gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(pub(crate) Vec<Run>);

impl Runs {
    /// One figure of every run.
    pub(crate) fn spread(&self, figure: impl Fn(&Run) -> f64) -> Spread {
        Spread::of(self.0.iter().map(figure))
    }

    /// All that the runs gave, as a cell.
    pub(crate) fn cell(&self) -> String {
        let rate = self.spread(|run| run.per_second).told(whole);
        let cpu = self.spread(|run| run.cpu).told(short);
        format!("{rate}/s, {cpu} µs CPU, {}{}", self.latency(), self.refused())
    }

    /// Latency alone, for a fixed rate.
    pub(crate) fn latency(&self) -> String {
        let (p50, p99) = (self.spread(|run| run.p50).told(short), self.spread(|run| run.p99).told(short));
        format!("p50 {p50} ms, p99 {p99} ms")
    }

    fn refused(&self) -> String {
        let refused: u32 = self.0.iter().map(|run| run.surprises).sum();
        let first = self.0.iter().find_map(|run| run.first.as_ref());
        first.map_or_else(String::new, |first| {
            let line: String = first.chars().map(|c| if c == '\n' || c == '|' { ' ' } else { c }).collect();
            format!(", {refused} failed ({line})")
        })
    }

    /// The medians' ratio of throughput, and of p99.
    pub(crate) fn ratio(&self, other: &Self) -> String {
        let rate = self.spread(|run| run.per_second).median / other.spread(|run| run.per_second).median;
        format!("{}, {}", short(rate), self.ratio_of_latency(other))
    }

    /// The medians' ratios of p50 and p99.
    pub(crate) fn ratio_of_latency(&self, other: &Self) -> String {
        let ratio = |figure: fn(&Run) -> f64| short(self.spread(figure).median / other.spread(figure).median);
        format!("p50 {}, p99 {}", ratio(|run| run.p50), ratio(|run| run.p99))
    }
}

/// With commas between thousands.
pub(crate) fn whole(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && text != "-" {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With about three digits.
pub(crate) fn short(figure: f64) -> String {
    if figure >= 1000.0 {
        whole(figure)
    } else if figure >= 100.0 {
        format!("{figure:.0}")
    } else if figure >= 10.0 {
        format!("{figure:.1}")
    } else {
        format!("{figure:.2}")
    }
}

/// Milliseconds of times.
pub(crate) fn millis(times: &[Duration]) -> String {
    Spread::of(times.iter().map(|time| time.as_secs_f64() * 1e3)).told(short) + " ms"
}

/// MiB of a number of bytes.
pub(crate) fn mebibytes(bytes: u64) -> String {
    let kibibytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    short(f64::from(kibibytes) / 1024.0) + " MiB"
}

/// Measures contenders in turn, A B A B …, so that what befalls the machine befalls all.
///
/// # Errors
/// Those of the first that fails.
pub(crate) fn in_turn<T>(
    what: &str,
    rounds: usize,
    contenders: &[&dyn Fn() -> Result<T, String>],
) -> Result<Vec<Vec<T>>, String> {
    let mut all: Vec<Vec<T>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        eprintln!("{what}: round {round} of {rounds}");
        for (contender, got) in contenders.iter().zip(&mut all) {
            got.push(contender().map_err(|error| format!("{what}: {error}"))?);
        }
    }
    Ok(all)
}

/// Prints a table in Markdown.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) {
    println!("| {} |\n|{}", header.join(" | "), " --- |".repeat(header.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
    println!();
}
