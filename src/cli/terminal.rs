//! A count as a table for people at a terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::Failure;
use crate::domain::Slate;
use crate::export::Language;
use crate::service::groups::GroupKey;
use crate::service::results::{Answer, NoTally, Tally};
use crate::tally::{Detail, Fraction, Rule, Standing, Tie};

/// How many characters the longest bar has.
const BAR: u32 = 30;

/// The table: of groups one after the other. Bars and colours only where somebody looks at a terminal.
pub(super) fn table(slate: &Slate, answer: &Answer, language: Language, on_terminal: bool) -> String {
    let all = of_tally(slate, &answer.tally, language, on_terminal);
    let groups = answer.groups.iter().flat_map(|groups| &groups.groups);
    let groups = groups.map(|group| match &group.tally {
        Ok(tally) => of_tally(slate, tally, language, on_terminal),
        Err(NoTally::Withheld) => format!("{}: –\n", group.key.written()),
        Err(NoTally::Refused(fault)) => {
            format!("{}: {}\n", group.key.written(), language.of(&fault.detail))
        }
    });
    std::iter::once(all).chain(groups).collect::<Vec<String>>().join("\n")
}

/// A count, ready to be drawn.
pub(super) struct Drawing {
    /// What it is of.
    pub(super) heading: String,
    /// In resolved order.
    pub(super) lines: Vec<Line>,
    /// Who stand equal.
    pub(super) ties: Vec<Tied>,
}

/// A row: what stands in it, and how.
pub(super) struct Line {
    /// Rank, initiative, score, and how many picked it.
    pub(super) cells: [String; 4],
    /// How long its bar is beside the others.
    pub(super) bar: Option<Fraction>,
    /// Whether it is among those that the count is for.
    pub(super) in_top: bool,
    /// Whether it stands equal with another.
    pub(super) tied: bool,
}

/// Some that stand equal.
pub(super) struct Tied {
    /// Their ids.
    pub(super) ids: Vec<String>,
    /// The step that told them apart.
    pub(super) resolved_by: Option<String>,
    /// Whether it decides who is in the top.
    pub(super) matters: bool,
}

fn of_tally(slate: &Slate, tally: &Tally, language: Language, on_terminal: bool) -> String {
    let members = match &tally.outcome.detail {
        Detail::Portfolio(portfolio) => portfolio.selected.clone(),
        _ => None,
    };
    let line = |standing: &Standing| {
        let c = standing.candidate;
        let initiative = &slate.initiatives()[c];
        let name = named(&initiative.id.to_string(), language.of(&initiative.title));
        let score = standing.score.as_ref().map(ToString::to_string).unwrap_or_default();
        Line {
            cells: [standing.resolved_rank.to_string(), name, score, tally.listed[c].to_string()],
            bar: standing.score.clone(),
            in_top: members.as_ref().map_or(standing.resolved_rank <= tally.cut, |m| m.contains(&c)),
            tied: tally.outcome.ties.iter().any(|tie| tie.candidates.contains(&c)),
        }
    };
    let tied = |tie: &Tie| Tied {
        ids: tie.candidates.iter().map(|&c| slate.initiatives()[c].id.to_string()).collect(),
        resolved_by: tie.resolved_by.map(|step| step.to_string()),
        matters: tie.matters,
    };
    let group = tally.group.as_ref().map(GroupKey::written);
    let drawing = Drawing {
        heading: heading(&tally.rule, group.as_deref(), tally.counted, tally.cut, language),
        lines: tally.outcome.standings.iter().map(line).collect(),
        ties: tally.outcome.ties.iter().map(tied).collect(),
    };
    draw(&drawing, language, on_terminal)
}

/// An initiative as a table names it: files may have no more than ids.
pub(super) fn named(id: &str, title: &str) -> String {
    if title == id { id.to_owned() } else { format!("{id}  {title}") }
}

/// Draws a table. Bars and colours only where somebody looks at a terminal.
pub(super) fn draw(drawing: &Drawing, language: Language, on_terminal: bool) -> String {
    let lines = &drawing.lines;
    let headings = [
        "#".to_owned(),
        language.pick("Initiativ", "Initiative").to_owned(),
        language.pick("Poäng", "Score").to_owned(),
        language.pick("Valt av", "Listed").to_owned(),
    ];
    let width = |i: usize| {
        let cells = lines.iter().map(|line| line.cells[i].chars().count());
        cells.chain([headings[i].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..4).map(width).collect();
    let bold = if on_terminal { Style::new().bold() } else { Style::new() };
    let mut text = vec![format!("{bold}{}{bold:#}", drawing.heading)];
    let row = |cells: &[String; 4]| {
        format!(
            "{:>a$}  {:<b$}  {:>c$}  {:>d$}",
            cells[0],
            cells[1],
            cells[2],
            cells[3],
            a = widths[0],
            b = widths[1],
            c = widths[2],
            d = widths[3]
        )
    };
    text.push(row(&headings).trim_end().to_owned());
    let largest = lines.iter().filter_map(|line| line.bar.clone()).max();
    for line in lines {
        let style = match (line.in_top, line.tied) {
            (_, true) => AnsiColor::Yellow.on_default(),
            (true, false) => AnsiColor::Green.on_default(),
            (false, false) => Style::new(),
        };
        let style = if on_terminal { style } else { Style::new() };
        let mark = if line.tied { " =" } else { "" };
        let bar = line.bar.as_ref().zip(largest.as_ref()).filter(|_| on_terminal);
        let bar = bar.map_or(String::new(), |(score, largest)| format!("  {}", bar_of(score, largest)));
        text.push(format!("{style}{}{style:#}{bar}{mark}", row(&line.cells)));
    }
    for Tied { ids, resolved_by, matters } in &drawing.ties {
        let ids = ids.join(" = ");
        let by = match resolved_by {
            Some(step) => language.pick(format!("skilda åt av {step}"), format!("told apart by {step}")),
            None => language.pick("inte skilda åt", "not told apart").to_owned(),
        };
        let decides = language.pick("; avgör vilka som är i toppen", "; decides who is in the top");
        let decides = if *matters { decides } else { "" };
        text.push(format!("= {ids}: {by}{decides}"));
    }
    text.push(String::new());
    text.join("\n")
}

/// The line above a table.
pub(super) fn heading(
    rule: &Rule,
    group: Option<&str>,
    counted: u64,
    top: usize,
    language: Language,
) -> String {
    let group = group.map(|key| format!(" · {key}")).unwrap_or_default();
    let title = rule.title(|titles| language.pick(titles.sv, titles.en));
    let rest = language.pick(
        format!("{counted} prioriteringar, toppen är {top}"),
        format!("{counted} ballots, the top is {top}"),
    );
    format!("{} · {title}{group} · {rest}", rule.id())
}

/// Writes a table; colours are left out where nobody would see them, or `NO_COLOR` is set.
pub(super) fn show(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A bar as long as the share of the largest, in eighths of a character; nothing below zero.
fn bar_of(score: &Fraction, largest: &Fraction) -> String {
    if *largest <= Fraction::default() || *score <= Fraction::default() {
        return String::new();
    }
    let eighths = (score / largest * num_bigint::BigInt::from(BAR * 8)).to_integer();
    let eighths: usize = eighths.try_into().unwrap_or(0);
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{part}", "█".repeat(eighths / 8))
}
