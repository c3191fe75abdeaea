//! CSV with a row per ballot or ranking: `participantCode,rank1,…` or `count,rank1,…`.

use super::blocks::{Block, Blocks, in_parallel};
use super::csv::{Sheet, field};
use super::fault::{no_count, text};
use super::gather::Gather;
use super::{Ballots, Format, MOST_BALLOTS, ReadError};

/// Written by exports of this service, and of no meaning here.
const PASSED_OVER: [&str; 11] = [
    "reference",
    "Diarienummer",
    "comment",
    "Kommentar",
    "revision",
    "sequence",
    "acceptedAt",
    "name",
    "Version",
    "Löpnummer",
    "Mottagen",
];

/// What the columns are.
struct Columns<'a> {
    sheet: &'a Sheet,
    code: Option<usize>,
    count: Option<usize>,
    synthetic: Option<usize>,
    ranks: Vec<usize>,
}

pub(super) fn read(
    sheet: &Sheet,
    blocks: Blocks<'_>,
    first: Block,
    mut gather: Gather,
) -> Result<Ballots, ReadError> {
    let rank = |rank: usize| sheet.column(&[&format!("rank{rank}"), &format!("Plats {rank}")]);
    let columns = Columns {
        sheet,
        code: sheet.code(),
        count: sheet.column(&["count"]),
        synthetic: sheet.column(&["synthetic", "Syntetisk"]),
        ranks: (1..).map_while(rank).collect(),
    };
    if columns.ranks.is_empty() {
        let what = text(
            "Varken rank1, rank2, … eller rank och initiativeId.",
            "Neither rank1, rank2, … nor rank and initiativeId.",
        );
        sheet.heading_fault(&mut gather, None, what);
    }
    let known = |i: usize, heading: &str| {
        columns.ranks.contains(&i)
            || [columns.code, columns.count, columns.synthetic].contains(&Some(i))
            || PASSED_OVER.iter().any(|name| heading.eq_ignore_ascii_case(name))
    };
    if sheet.unknown_columns(&mut gather, known) || columns.ranks.is_empty() {
        // Without its headings a row cannot be read.
        return gather.finish(Format::Csv);
    }
    if columns.code.is_some() {
        gather.with_participants();
    }
    let gather = in_parallel(blocks, first, gather, |block, gather| {
        let mut ranking = Vec::new();
        block.records(sheet.delimiter, gather, |gather, line, cells| {
            columns.row(gather, line, cells, &mut ranking);
        });
    })?;
    gather.finish(Format::Csv)
}

impl Columns<'_> {
    fn row(&self, gather: &mut Gather, line: u64, cells: &[&str], ranking: &mut Vec<u8>) {
        if !self.sheet.fits(gather, line, cells) {
            return;
        }
        let cell = |column: usize| self.sheet.clean(cells[column]);
        let given = |column: Option<usize>| column.map(cell).filter(|cell| !cell.is_empty());
        let before = gather.faults.total();
        ranking.clear();
        let mut gaps = 0;
        for (i, &column) in self.ranks.iter().enumerate() {
            let name = cell(column);
            if name.is_empty() {
                gaps += 1;
                continue;
            }
            if gaps > 0 {
                gaps_at(gather, line, &self.ranks[i - gaps..i]);
                gaps = 0;
            }
            gather.pick(name, (line, column as u64 + 1), ranking);
        }
        if gaps == self.ranks.len() && cells.iter().all(|cell| self.sheet.clean(cell).is_empty()) {
            return;
        }
        let count = match given(self.count) {
            None if self.count.is_some() => None,
            None => Some(1),
            Some(count) => count.parse().ok().filter(|&count: &u64| count <= MOST_BALLOTS),
        };
        if count.is_none() {
            gather.faults.push(line, field(self.count), "count", no_count());
        }
        // Excel in Swedish writes SANT and FALSKT.
        let truths = ["true", "false", "sant", "falskt"];
        if given(self.synthetic)
            .is_some_and(|cell| truths.iter().all(|truth| !cell.eq_ignore_ascii_case(truth)))
        {
            let what = text("true eller false.", "true or false.");
            gather.faults.push(line, field(self.synthetic), "synthetic", what);
        }
        let count = count.unwrap_or(1);
        self.owner(gather, line, given(self.code), count, ranking);
        if gather.faults.total() == before {
            gather.add(ranking, count, (line, field(self.code)));
        }
    }

    /// Notes whose ballot it is.
    fn owner(&self, gather: &mut Gather, line: u64, code: Option<&str>, count: u64, ranking: &[u8]) {
        if self.code.is_none() {
            return;
        }
        if let Some(code) = code {
            gather.meet(code, line);
        }
        if !gather.keep_participants {
            return;
        }
        match code {
            None => {
                let what = text("Deltagarens kod saknas.", "The participant's code is missing.");
                gather.faults.push(line, field(self.code), "participant", what);
            }
            Some(_) if count != 1 => {
                let what = text("En rad är en prioritering här.", "A row is one ballot here.");
                gather.faults.push(line, field(self.count), "count", what);
            }
            Some(code) => gather.keep(code, ranking, line),
        }
    }
}

#[cold]
fn gaps_at(gather: &mut Gather, line: u64, columns: &[usize]) {
    for &column in columns {
        let what = text("Platsen är tom men nästa är det inte.", "The rank is empty and a later one is not.");
        gather.faults.push(line, column as u64 + 1, "gap", what);
    }
}
