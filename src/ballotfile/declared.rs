//! The candidates that a file declares, and the given ones that they are.

use super::gather::Gather;
use super::{Ballots, Candidate, Format, ReadError};

/// A candidate that a file declares, and where.
pub(super) struct Declared {
    /// What the file's ballots say for it.
    pub(super) number: u8,
    pub(super) candidate: Candidate,
    pub(super) at: (u64, u64),
}

/// The whole file. Where candidates were given each declared one is one of them: in files that number theirs by its
/// name, or else by its number; in others by its id, or else by its name.
pub(super) fn finish(
    mut gather: Gather,
    format: Format,
    declared: Vec<Declared>,
) -> Result<Ballots, ReadError> {
    let mut places = vec![0; usize::from(u8::MAX) + 1];
    if !gather.names.is_closed() {
        for (place, declared) in (0..).zip(&declared) {
            places[usize::from(declared.number)] = place;
        }
        let candidates = declared.into_iter().map(|declared| declared.candidate).collect();
        return gather.finish_as(format, candidates, &places);
    }
    let mut taken = vec![false; gather.names.len()];
    for Declared { number, candidate, at } in declared {
        let (id, title) = (gather.names.called(&candidate.id), gather.names.called(&candidate.title));
        let named = candidate.title != candidate.id;
        let given = match format {
            Format::Abif => id.or(title),
            _ if named => title,
            _ => id,
        };
        let shown = if named { &candidate.title } else { &candidate.id };
        match given {
            Some(given) if !std::mem::replace(&mut taken[usize::from(given)], true) => {
                places[usize::from(number)] = given;
            }
            Some(_) => {
                let what = (format!("{shown:?} står två gånger."), format!("{shown:?} stands twice."));
                gather.faults.push(at.0, at.1, "candidate", what);
            }
            None => {
                let what = (
                    format!("{shown:?} finns inte bland initiativen."),
                    format!("{shown:?} is not among the initiatives."),
                );
                gather.faults.push(at.0, at.1, "unknown-initiative", what);
            }
        }
    }
    let given = gather.names.candidates().to_vec();
    gather.finish_as(format, given, &places)
}
