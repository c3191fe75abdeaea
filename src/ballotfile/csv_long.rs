//! CSV with a row per pick: `participantCode,rank,initiativeId[,engagement]`.
//!
//! The rows of one participant stand together, so that a file of any size can be read; their order does not matter.

use std::collections::BTreeMap;

use super::blocks::{Block, Blocks};
use super::csv::{Sheet, field};
use super::fault::text;
use super::gather::Gather;
use super::{Ballots, Format, ReadError};
use crate::domain::MAX_INITIATIVES;

/// A participant whose rows are being read.
struct Participant {
    code: String,
    line: u64,
    picks: BTreeMap<usize, (u64, String)>,
}

/// What the columns are.
struct Columns<'a> {
    sheet: &'a Sheet,
    code: Option<usize>,
    rank: Option<usize>,
    initiative: Option<usize>,
}

pub(super) fn read(
    sheet: &Sheet,
    mut blocks: Blocks<'_>,
    first: Block,
    mut gather: Gather,
) -> Result<Ballots, ReadError> {
    let columns = Columns {
        sheet,
        code: sheet.code(),
        rank: sheet.column(&["rank"]),
        initiative: sheet.column(&["initiativeId"]),
    };
    let engagement = sheet.column(&["engagement"]);
    if columns.code.is_none() {
        let what = text("participantCode saknas.", "participantCode is missing.");
        sheet.heading_fault(&mut gather, None, what);
    }
    let known =
        |i: usize, _: &str| [columns.code, columns.rank, columns.initiative, engagement].contains(&Some(i));
    if sheet.unknown_columns(&mut gather, known) || columns.code.is_none() {
        return gather.finish(Format::CsvLong);
    }
    gather.with_participants();
    let mut current = None;
    let mut block = Some(first);
    while let Some(records) = block {
        records.records(sheet.delimiter, &mut gather, |gather, line, cells| {
            columns.row(gather, line, cells, &mut current);
        });
        block = blocks.next(&mut gather)?;
    }
    if let Some(last) = current {
        columns.close(&mut gather, &last);
    }
    gather.finish(Format::CsvLong)
}

impl Columns<'_> {
    fn row(&self, gather: &mut Gather, line: u64, cells: &[&str], current: &mut Option<Participant>) {
        let given = |column: Option<usize>| {
            column.map(|column| self.sheet.clean(cells[column])).filter(|cell| !cell.is_empty())
        };
        if !self.sheet.fits(gather, line, cells) || cells.iter().all(|cell| self.sheet.clean(cell).is_empty())
        {
            return;
        }
        let rank = given(self.rank).and_then(|text| text.parse().ok());
        let rank = rank.filter(|rank| (1..=MAX_INITIATIVES).contains(rank));
        let (Some(code), Some(rank)) = (given(self.code), rank) else {
            let column = if given(self.code).is_none() { self.code } else { self.rank };
            let what = text(
                "participantCode och rank (1, 2, …) behövs.",
                "participantCode and rank (1, 2, …) are needed.",
            );
            gather.faults.push(line, field(column), "field", what);
            return;
        };
        let name = given(self.initiative);
        if name.is_none() {
            let what = text("initiativeId saknas.", "initiativeId is missing.");
            gather.faults.push(line, field(self.initiative), "field", what);
        }
        if let Some(before) = current.take_if(|current| current.code != code) {
            self.close(gather, &before);
        }
        let participant = current.get_or_insert_with(|| Participant {
            code: code.to_owned(),
            line,
            picks: BTreeMap::new(),
        });
        let pick = (line, name.unwrap_or_default().to_owned());
        if participant.picks.insert(rank, pick).is_some() {
            let what = text("Platsen står två gånger.", "The rank stands twice.");
            gather.faults.push(line, field(self.rank), "rank", what);
        }
    }

    /// Counts a participant's ballot.
    fn close(&self, gather: &mut Gather, participant: &Participant) {
        let Participant { code, line, picks } = participant;
        let before = gather.faults.total();
        let gap = (1..).zip(picks).find(|(expected, (rank, _))| expected != *rank);
        if let Some((expected, (_, (line, _)))) = gap {
            let what = (format!("Plats {expected} saknas."), format!("Rank {expected} is missing."));
            gather.faults.push(*line, field(self.rank), "gap", what);
        }
        let mut ranking = Vec::new();
        for (line, name) in picks.values().filter(|(_, name)| !name.is_empty()) {
            gather.pick(name, (*line, field(self.initiative)), &mut ranking);
        }
        gather.meet(code, *line);
        if gather.faults.total() == before {
            gather.add(&ranking, 1, (*line, field(self.code)));
            gather.keep(code, &ranking, *line);
        }
    }
}
