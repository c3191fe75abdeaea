//! A count as a table for people at a terminal.

use anstyle::{AnsiColor, Style};

use crate::domain::Slate;
use crate::export::Language;
use crate::service::results::{Answer, NoTally, Tally};
use crate::tally::{Detail, Fraction};

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

/// A row: what stands in it, and how.
struct Line {
    cells: [String; 4],
    bar: Option<Fraction>,
    in_top: bool,
    tied: bool,
}

fn of_tally(slate: &Slate, tally: &Tally, language: Language, on_terminal: bool) -> String {
    let members = match &tally.outcome.detail {
        Detail::Portfolio(portfolio) => portfolio.selected.clone(),
        _ => None,
    };
    let lines: Vec<Line> = tally
        .outcome
        .standings
        .iter()
        .map(|standing| {
            let c = standing.candidate;
            let initiative = &slate.initiatives()[c];
            let title = language.of(&initiative.title);
            let id = initiative.id.to_string();
            Line {
                cells: [
                    standing.resolved_rank.to_string(),
                    if title == id { id } else { format!("{id}  {title}") },
                    standing.score.as_ref().map(ToString::to_string).unwrap_or_default(),
                    tally.listed[c].to_string(),
                ],
                bar: standing.score.clone(),
                in_top: members.as_ref().map_or(standing.resolved_rank <= tally.cut, |m| m.contains(&c)),
                tied: tally.outcome.ties.iter().any(|tie| tie.candidates.contains(&c)),
            }
        })
        .collect();
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
    let mut text = vec![format!("{bold}{}{bold:#}", heading(tally, language))];
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
    for line in &lines {
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
    for tie in &tally.outcome.ties {
        let ids: Vec<&str> = tie.candidates.iter().map(|&c| slate.initiatives()[c].id.as_str()).collect();
        let ids = ids.join(" = ");
        let by = match tie.resolved_by {
            Some(step) => language.pick(format!("skilda åt av {step}"), format!("told apart by {step}")),
            None => language.pick("inte skilda åt", "not told apart").to_owned(),
        };
        let matters = language.pick("; avgör vilka som är i toppen", "; decides who is in the top");
        let matters = if tie.matters { matters } else { "" };
        text.push(format!("= {ids}: {by}{matters}"));
    }
    text.push(String::new());
    text.join("\n")
}

fn heading(tally: &Tally, language: Language) -> String {
    let group = tally.group.as_ref().map(|key| format!(" · {}", key.written())).unwrap_or_default();
    let title = tally.rule.title(|titles| language.pick(titles.sv, titles.en));
    let (ballots, top) = (tally.counted, tally.cut);
    let rest = language.pick(
        format!("{ballots} prioriteringar, toppen är {top}"),
        format!("{ballots} ballots, the top is {top}"),
    );
    format!("{} · {title}{group} · {rest}", tally.rule.id())
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
