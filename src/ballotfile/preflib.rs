//! PrefLib's orders: <https://preflib.github.io/PrefLib-Jekyll/format>.
//!
//! Lines `# KEY: value`, then `count: 3,1,{2,5}`. Whether orders are complete and may have ties is told by
//! `# DATA TYPE`, or else by the extension of the file. Candidates are numbered from 1.
//!
//! A tie in braces that stands last and holds all who remain leaves them unranked, also if only one remains: without
//! braces it would be ranked last. Any other tie is a fault, except that braces around a single candidate mean nothing.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::declared::{self, Declared};
use super::fault::{Text, no_count, text, tie};
use super::gather::Gather;
use super::lines::{column, each};
use super::source::Source;
use super::write::{Row, rows};
use super::{Ballots, Candidate, Format, MOST_BALLOTS, ReadError};
use crate::domain::MAX_INITIATIVES;

/// What the lines of metadata say, with the lines.
#[derive(Default)]
struct Header {
    kind: Option<Format>,
    /// A line says the kind, but none that is read.
    other_kind: bool,
    kind_of_name: Option<Format>,
    /// `NUMBER …`
    alternatives: Option<(u64, u64)>,
    voters: Option<(u64, u64)>,
    orders: Option<(u64, u64)>,
    names: BTreeMap<u64, (u64, String)>,
}

/// What the ballots need of it.
#[derive(Clone, Copy)]
struct Frame {
    kind: Format,
    candidates: usize,
}

/// Whether a line can only stand in a file of PrefLib.
pub(super) fn recognises(line: &str) -> bool {
    let Some((key, _)) = line.strip_prefix("# ").and_then(|line| line.split_once(':')) else { return false };
    ["FILE NAME", "DATA TYPE", "NUMBER ALTERNATIVES", "NUMBER VOTERS", "NUMBER UNIQUE ORDERS"].contains(&key)
        || key.starts_with("ALTERNATIVE NAME ")
}

pub(super) fn read(
    source: Source<'_>,
    mut gather: Gather,
    kind: Option<Format>,
) -> Result<Ballots, ReadError> {
    let mut header = Header::default();
    let mut frame: Option<Option<Frame>> = None;
    let (mut voters, mut orders) = (0_u128, 0);
    each(source, &mut gather, |gather, number, line| {
        if let Some(comment) = line.strip_prefix('#') {
            header.read(gather, number, line, comment, frame.is_some());
        } else if !line.trim().is_empty() {
            // The first ballot ends the header.
            if let Some(frame) = frame.get_or_insert_with(|| header.frame(gather, number, kind)) {
                orders += 1;
                voters += u128::from(frame.ballot(gather, number, line));
            }
        }
    })?;
    let Some(frame) = frame.unwrap_or_else(|| header.frame(&mut gather, 1, kind)) else {
        return Err(gather.faults.into());
    };
    header.compare(&mut gather, voters, orders);
    let declared = (0..).zip(1_u64..).take(frame.candidates).map(|(number, id)| {
        let (line, title) = header.names.remove(&id).unwrap_or((1, String::new()));
        let title = if title.is_empty() { id.to_string() } else { title };
        Declared { number, candidate: Candidate { id: id.to_string(), title }, at: (line, 1) }
    });
    let declared = declared.collect();
    declared::finish(gather, frame.kind, declared)
}

impl Header {
    fn read(&mut self, gather: &mut Gather, number: u64, line: &str, comment: &str, late: bool) {
        let Some((key, value)) = comment.split_once(':') else { return };
        let (key, value) = (key.trim(), value.trim());
        let kind = |text: &str| Format::find(text).filter(|format| format.is_preflib());
        let before = gather.faults.total();
        match key {
            "FILE NAME" => self.kind_of_name = Format::of_name(value).filter(|format| format.is_preflib()),
            "TITLE" => gather.title = Some(value.to_owned()).filter(|title| !title.is_empty()),
            "DATA TYPE" => {
                self.kind = kind(value);
                if self.kind.is_none() {
                    self.other_kind = true;
                    let what = text("soc, soi, toc eller toi läses.", "soc, soi, toc or toi are read.");
                    gather.faults.push(number, column(line, value), "format", what);
                }
            }
            "NUMBER ALTERNATIVES" => self.alternatives = whole(gather, number, line, value),
            "NUMBER VOTERS" => self.voters = whole(gather, number, line, value),
            "NUMBER UNIQUE ORDERS" => self.orders = whole(gather, number, line, value),
            key => {
                let Some(id) = key.strip_prefix("ALTERNATIVE NAME ") else { return };
                self.name(gather, number, line, id, value);
            }
        }
        if late && !matches!(key, "TITLE" | "FILE NAME") && gather.faults.total() == before {
            let what = text("Raden hör hemma före prioriteringarna.", "The line belongs before the ballots.");
            gather.faults.push(number, 1, "header", what);
        }
    }

    fn name(&mut self, gather: &mut Gather, number: u64, line: &str, id: &str, name: &str) {
        let fault = match id.trim().parse::<u64>() {
            Ok(id) if id > 0 => match self.names.insert(id, (number, name.to_owned())) {
                None if name.chars().any(char::is_control) => {
                    Some(text("Namnet har styrtecken.", "The name holds control characters."))
                }
                None => None,
                Some(_) => Some((format!("{id} står två gånger."), format!("{id} stands twice."))),
            },
            _ => Some(text("Kandidater numreras från 1.", "Candidates are numbered from 1.")),
        };
        if let Some(what) = fault {
            gather.faults.push(number, column(line, id), "candidate", what);
        }
    }

    /// What the ballots need; none, with a fault, if they cannot be read.
    fn frame(&self, gather: &mut Gather, number: u64, kind: Option<Format>) -> Option<Frame> {
        let highest = self.names.last_key_value().map(|(&id, &(line, _))| (id, line));
        let Some((candidates, line)) = self.alternatives.or(highest) else {
            let what = text("# NUMBER ALTERNATIVES saknas.", "# NUMBER ALTERNATIVES is missing.");
            gather.faults.push(number, 1, "header", what);
            return None;
        };
        if candidates > MAX_INITIATIVES as u64 {
            gather.too_many(line, 1);
            return None;
        }
        if let Some((id, line)) = highest.filter(|(id, _)| *id > candidates) {
            let what = (
                format!("{id} är fler än de {candidates} som filen har."),
                format!("{id} is more than the {candidates} that the file has."),
            );
            gather.faults.push(line, 1, "candidate", what);
        }
        let kind = self.kind.or(self.kind_of_name).or(kind.filter(|kind| kind.is_preflib()));
        let kind = kind.filter(|_| !self.other_kind);
        let Some(kind) = kind else {
            if !self.other_kind {
                let what = text("# DATA TYPE saknas.", "# DATA TYPE is missing.");
                gather.faults.push(number, 1, "format", what);
            }
            return None;
        };
        Some(Frame { kind, candidates: usize::try_from(candidates).unwrap_or_default() })
    }

    /// Holds the figures of the header against what was read.
    fn compare(&self, gather: &mut Gather, voters: u128, orders: u64) {
        if !gather.faults.is_empty() {
            // A ballot that was not read is missing in the sums.
            return;
        }
        for (stated, found) in [(self.voters, voters), (self.orders, u128::from(orders))] {
            let Some((stated, line)) = stated.filter(|(stated, _)| u128::from(*stated) != found) else {
                continue;
            };
            let what = (
                format!("Här står {stated}, men filen har {found}."),
                format!("It says {stated} here, but the file has {found}."),
            );
            gather.faults.push(line, 1, "mismatch", what);
        }
    }
}

fn whole(gather: &mut Gather, number: u64, line: &str, value: &str) -> Option<(u64, u64)> {
    let Ok(whole) = value.parse() else {
        gather.faults.push(number, column(line, value), "header", no_count());
        return None;
    };
    Some((whole, number))
}

impl Frame {
    /// Counts the line of a ballot and says how many it stands for.
    fn ballot(self, gather: &mut Gather, number: u64, line: &str) -> u64 {
        let before = gather.faults.total();
        let Some((count, order)) = line.split_once(':') else {
            let what = text("Raden är inte antal: ordning.", "The line is not count: order.");
            gather.faults.push(number, 1, "field", what);
            return 0;
        };
        let count = count.trim().parse().ok().filter(|count| *count <= MOST_BALLOTS);
        if count.is_none() {
            gather.faults.push(number, 1, "count", no_count());
        }
        let mut ranking = Vec::new();
        if let Err((part, code, what)) = self.order(gather, number, line, order, &mut ranking) {
            gather.faults.push(number, column(line, part), code, what);
        }
        let count = count.unwrap_or(0);
        if gather.faults.total() == before {
            gather.add(&ranking, count, (number, 1));
        }
        count
    }

    /// Reads `3,1,{2,5}`; what stops that is told with the part of the line that it is in.
    fn order<'a>(
        self,
        gather: &mut Gather,
        number: u64,
        line: &str,
        order: &'a str,
        ranking: &mut Vec<u8>,
    ) -> Result<(), (&'a str, &'static str, Text)> {
        let mut rest = order.trim();
        let mut open = false;
        loop {
            let begin = ranking.len();
            let group = rest.strip_prefix('{');
            let (part, after) = match group {
                None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
                Some(group) => group.split_once('}').ok_or_else(|| {
                    (rest, "field", text("En klammer avslutas inte.", "A brace is not closed."))
                })?,
            };
            for candidate in part.split(',') {
                let id = candidate.trim();
                let at = (number, column(line, id));
                match id.parse::<u8>() {
                    Ok(id) if (1..=self.candidates).contains(&usize::from(id)) => {
                        gather.rank(id - 1, at, ranking);
                    }
                    _ if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => {
                        gather.unknown(at.0, at.1, ranking.len() + 1);
                    }
                    _ => {
                        return Err((
                            id,
                            "field",
                            text("Kandidatens nummer behövs.", "The candidate's number is needed."),
                        ));
                    }
                }
            }
            let after = after.trim_start();
            if group.is_some() {
                let strict = matches!(self.kind, Format::Soc | Format::Soi);
                if !strict && after.is_empty() && ranking.len() == self.candidates {
                    ranking.truncate(begin);
                    open = true;
                } else if strict || part.contains(',') {
                    return Err((rest, "tie", tie()));
                }
            }
            if after.is_empty() {
                break;
            }
            let Some(next) = after.strip_prefix(',') else {
                return Err((after, "field", text("Ett komma behövs.", "A comma is needed.")));
            };
            rest = next.trim_start();
        }
        if matches!(self.kind, Format::Soc | Format::Toc) && !open && ranking.len() < self.candidates {
            let what = text("Alla kandidater ska stå på raden.", "Every candidate must stand on the line.");
            return Err((order, "incomplete", what));
        }
        Ok(())
    }
}

/// Why the ballots are none of this kind.
pub(super) fn refuses(kind: Format, ballots: &Ballots) -> Option<Text> {
    let candidates = ballots.candidates.len();
    let control = |text: &str| text.chars().any(char::is_control);
    if ballots.candidates.iter().any(|candidate| control(&candidate.title))
        || ballots.title.as_deref().is_some_and(control)
    {
        return Some(text(
            "Namn med styrtecken får inte plats.",
            "Names with control characters do not fit.",
        ));
    }
    for (ranking, _) in ballots.profile.iter() {
        if candidates == 0 || (ranking.is_empty() && kind == Format::Soi) {
            return Some(text("En tom prioritering får inte plats.", "A ballot of no picks does not fit."));
        }
        if ranking.len() < candidates && kind == Format::Soc {
            return Some(text(
                "En prioritering som inte har alla kandidater får inte plats; välj soi.",
                "A ballot without all candidates does not fit; choose soi.",
            ));
        }
    }
    None
}

pub(super) fn write(kind: Format, ballots: &Ballots, out: &mut dyn Write) -> io::Result<()> {
    let candidates = ballots.candidates.len();
    let id = kind.id();
    let title = ballots.title.as_deref().unwrap_or_default();
    let mut rows: Vec<Row<'_>> = rows(&ballots.profile).collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    writeln!(out, "# FILE NAME: ballots.{id}\n# TITLE: {title}\n# DESCRIPTION: \n# DATA TYPE: {id}")?;
    writeln!(out, "# MODIFICATION TYPE: \n# RELATES TO: \n# RELATED FILES: ")?;
    writeln!(out, "# PUBLICATION DATE: \n# MODIFICATION DATE: \n# NUMBER ALTERNATIVES: {candidates}")?;
    writeln!(out, "# NUMBER VOTERS: {}\n# NUMBER UNIQUE ORDERS: {}", ballots.profile.ballots(), rows.len())?;
    for (number, candidate) in (1..).zip(&ballots.candidates) {
        writeln!(out, "# ALTERNATIVE NAME {number}: {}", candidate.title)?;
    }
    for (ranking, count) in rows {
        let number = |candidate: u8| (u32::from(candidate) + 1).to_string();
        let mut order: Vec<String> = ranking.iter().copied().map(number).collect();
        if ranking.is_empty() || (kind == Format::Toc && ranking.len() < candidates) {
            let unranked = (0..).take(candidates).filter(|candidate| !ranking.contains(candidate));
            order.push(format!("{{{}}}", unranked.map(number).collect::<Vec<_>>().join(",")));
        }
        writeln!(out, "{count}: {}", order.join(","))?;
    }
    Ok(())
}
