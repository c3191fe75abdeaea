//! Ballots into a file of any format that can carry them.

use std::io::{self, Write};

use super::fault::{Text, text};
use super::{Ballots, Format, MOST_BALLOTS, abif, blt, is_id, ndjson, preflib};
use crate::tally::Profile;

/// Why ballots were not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The output failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The format has no place for something of these ballots; nothing was written.
    #[error("{}: {sv} / {en}", format.id())]
    Refused {
        /// The format.
        format: Format,
        /// What it cannot carry, in Swedish.
        sv: String,
        /// What it cannot carry, in English.
        en: String,
    },
}

/// A ranking and how many gave it.
pub(super) type Row<'a> = (&'a [u8], u64);

/// Every ranking with as many ballots as a line can stand for, as often as it takes.
pub(super) fn rows(profile: &Profile) -> impl Iterator<Item = Row<'_>> {
    profile.iter().flat_map(|(ranking, ballots)| {
        let whole = (0..ballots / MOST_BALLOTS).map(|_| MOST_BALLOTS);
        let rest = Some(ballots % MOST_BALLOTS).filter(|rest| *rest > 0);
        whole.chain(rest).map(move |ballots| (ranking, ballots))
    })
}

/// Writes the ballots. CSV has a column for participants if there are any; the other formats that name them need them.
/// PrefLib and BLT number the candidates from 1 and name them by their titles.
///
/// # Errors
/// [`WriteError::Refused`], before anything is written, if the format cannot carry the ballots.
pub fn write(format: Format, ballots: &Ballots, out: &mut dyn Write) -> Result<(), WriteError> {
    if let Some((sv, en)) = refuses(format, ballots) {
        return Err(WriteError::Refused { format, sv, en });
    }
    match format {
        Format::Csv => wide(ballots, out)?,
        Format::CsvLong => long(ballots, out)?,
        Format::Soc | Format::Soi | Format::Toc | Format::Toi => preflib::write(format, ballots, out)?,
        Format::Abif => abif::write(ballots, out)?,
        Format::Blt => blt::write(ballots, out)?,
        Format::NdJson => ndjson::write(ballots, out)?,
    }
    out.flush()?;
    Ok(())
}

fn refuses(format: Format, ballots: &Ballots) -> Option<Text> {
    let participants = ballots.participants.as_deref();
    if format.names_participants() && participants.is_none() {
        return Some(text(
            "Deltagarna behövs, och filen nämner dem inte.",
            "The participants are needed, and the file does not name them.",
        ));
    }
    if ballots.candidates.iter().any(|candidate| !is_id(&candidate.id)) {
        return Some(text("Ett id får inte plats.", "An id does not fit."));
    }
    let participants = participants.unwrap_or_default();
    match format {
        Format::Csv | Format::CsvLong if participants.iter().any(|(code, _)| !is_id(code)) => {
            Some(text("En deltagares kod får inte plats.", "A participant's code does not fit."))
        }
        Format::CsvLong if participants.iter().any(|(_, ranking)| ranking.is_empty()) => {
            Some(text("En tom prioritering får inte plats.", "A ballot of no picks does not fit."))
        }
        Format::Csv | Format::CsvLong | Format::Abif | Format::NdJson => None,
        Format::Blt => blt::refuses(ballots),
        Format::Soc | Format::Soi | Format::Toc | Format::Toi => preflib::refuses(format, ballots),
    }
}

/// A row per participant, or a row per ranking. A row of no ballots names a candidate that nobody ranks.
fn wide(ballots: &Ballots, out: &mut dyn Write) -> Result<(), io::Error> {
    let mut writer = csv::Writer::from_writer(out);
    let ranks = ballots.profile.longest().max(1);
    let first = if ballots.participants.is_some() { "participantCode" } else { "count" };
    let ids = |ranking: &[u8]| -> Vec<&str> {
        let picks = (0..ranks).map(|rank| ranking.get(rank));
        picks.map(|pick| pick.map_or("", |&pick| ballots.candidates[usize::from(pick)].id.as_str())).collect()
    };
    let mut row = |first: &str, ids: Vec<&str>| writer.write_record([&[first], &ids[..]].concat());
    let headings: Vec<String> = (1..=ranks).map(|rank| format!("rank{rank}")).collect();
    row(first, headings.iter().map(String::as_str).collect())?;
    if let Some(participants) = &ballots.participants {
        for (code, ranking) in participants {
            row(code, ids(ranking))?;
        }
    } else {
        let mut ranked = [false; 256];
        for (ranking, count) in rows(&ballots.profile) {
            for &pick in ranking {
                ranked[usize::from(pick)] = true;
            }
            row(&count.to_string(), ids(ranking))?;
        }
        for candidate in
            (0..).take(ballots.candidates.len()).filter(|&candidate| !ranked[usize::from(candidate)])
        {
            row("0", ids(&[candidate]))?;
        }
    }
    writer.flush()
}

/// A row per pick.
fn long(ballots: &Ballots, out: &mut dyn Write) -> Result<(), io::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["participantCode", "rank", "initiativeId"])?;
    for (code, ranking) in ballots.participants.iter().flatten() {
        for (rank, &pick) in (1..).zip(ranking.iter()) {
            let rank: u32 = rank;
            writer.write_record([code, &rank.to_string(), &ballots.candidates[usize::from(pick)].id])?;
        }
    }
    writer.flush()
}
