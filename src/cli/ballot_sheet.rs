//! Ballots in CSV: wide (a column per rank, with or without a count) and long (a row per rank).

use std::collections::BTreeMap;

use super::sheet::{At, Row, Sheet};

/// A ballot that was read, not yet checked against a round.
#[derive(Debug)]
pub(super) struct SheetBallot {
    /// Where it begins.
    pub(super) at: At,
    /// Whose, where the file says so.
    pub(super) participant: Option<String>,
    /// How many ballots the row stands for.
    pub(super) count: u64,
    /// The picks, the most urgent first, each with its place.
    pub(super) ranking: Vec<(String, At)>,
    /// Initiative and engagement, each with its place.
    pub(super) engagements: Vec<(String, String, At)>,
    /// The reference with its place.
    pub(super) reference: Option<(String, At)>,
    /// The comment with its place.
    pub(super) comment: Option<(String, At)>,
    /// Whether the file says that it was made up for a demonstration: the mark is never lost.
    pub(super) synthetic: bool,
}

const CODE: [&str; 2] = ["participantCode", "Kod"];

/// Reads the ballots of a sheet, in either form, and beside them every fault of the sheet itself, so that those
/// of its ballots can still be found.
pub(super) fn read(sheet: &Sheet) -> (Vec<SheetBallot>, Vec<String>) {
    let long = sheet.column(&["initiativeId"]).is_some() && sheet.column(&["rank"]).is_some();
    if long { read_long(sheet) } else { read_wide(sheet) }
}

fn read_wide(sheet: &Sheet) -> (Vec<SheetBallot>, Vec<String>) {
    let code = sheet.column(&CODE);
    let count = sheet.column(&["count"]);
    let rank = |rank: usize| sheet.column(&[&format!("rank{rank}"), &format!("Plats {rank}")]);
    let ranks: Vec<usize> = (1..).map_while(rank).collect();
    let reference = sheet.column(&["reference", "Diarienummer"]);
    let comment = sheet.column(&["comment", "Kommentar"]);
    let synthetic = sheet.column(&["synthetic", "Syntetisk"]);
    // Written by exports, and of no meaning for a new submission.
    let passed_over = ["revision", "sequence", "acceptedAt", "name", "Version", "Löpnummer", "Mottagen"];
    let mut faults = sheet.faults.clone();
    if ranks.is_empty() {
        faults.push(format!(
            "{}:1:1: heading: Varken rank1, rank2, … eller rank och initiativeId. / Neither rank1, rank2, … nor rank and initiativeId.",
            sheet.file
        ));
    }
    for (i, heading) in sheet.headings.iter().enumerate() {
        let known = ranks.contains(&i) || [code, count, reference, comment, synthetic].contains(&Some(i));
        if !known && !passed_over.iter().any(|name| heading.eq_ignore_ascii_case(name)) {
            faults.push(format!(
                "{}:1:{}: heading: {heading:?} finns inte. / There is no {heading:?}.",
                sheet.file,
                i + 1
            ));
        }
    }
    let mut ballots = Vec::new();
    if faults.len() > sheet.faults.len() {
        // Without its headings a row cannot be read.
        return (ballots, faults);
    }
    for row in &sheet.rows {
        let picks: Vec<Option<&str>> = ranks.iter().map(|&column| row.cell(Some(column))).collect();
        let ranked = picks.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        for gap in (0..ranked).filter(|&i| picks[i].is_none()) {
            let at = sheet.at(row, Some(ranks[gap]));
            faults.push(format!(
                "{at}: gap: Platsen är tom men nästa är det inte. / The rank is empty and a later one is not."
            ));
        }
        let given =
            |column: Option<usize>| row.cell(column).map(|text| (text.to_owned(), sheet.at(row, column)));
        let votes = match row.cell(count) {
            None if count.is_some() => None,
            None => Some(1),
            Some(text) => text.parse().ok().filter(|&votes: &u64| votes <= 1_000_000_000_000),
        };
        if votes.is_none() {
            faults.push(format!(
                "{}: count: Ett heltal behövs. / A whole number is needed.",
                sheet.at(row, count)
            ));
        }
        let picks = ranks
            .iter()
            .zip(&picks)
            .filter_map(|(&column, pick)| Some(((*pick)?.to_owned(), sheet.at(row, Some(column)))));
        // Excel in Swedish writes SANT and FALSKT.
        let made_up = match row.cell(synthetic).map(str::to_lowercase).as_deref() {
            Some("true" | "sant") => Some(true),
            None | Some("false" | "falskt") => Some(false),
            Some(_) => None,
        };
        if made_up.is_none() {
            faults
                .push(format!("{}: synthetic: true eller false. / true or false.", sheet.at(row, synthetic)));
        }
        ballots.push(SheetBallot {
            at: sheet.at(row, code),
            participant: row.cell(code).map(ToOwned::to_owned),
            // A count that cannot be read has been told of.
            count: votes.unwrap_or(1),
            ranking: picks.collect(),
            engagements: Vec::new(),
            reference: given(reference),
            comment: given(comment),
            synthetic: made_up.unwrap_or(true),
        });
    }
    (ballots, faults)
}

fn read_long(sheet: &Sheet) -> (Vec<SheetBallot>, Vec<String>) {
    let code = sheet.column(&CODE);
    let (rank, initiative) = (sheet.column(&["rank"]), sheet.column(&["initiativeId"]));
    let engagement = sheet.column(&["engagement"]);
    let mut faults = sheet.faults.clone();
    if code.is_none() {
        faults.push(format!(
            "{}:1:1: heading: participantCode saknas. / participantCode is missing.",
            sheet.file
        ));
    }
    for (i, heading) in sheet.headings.iter().enumerate() {
        if ![code, rank, initiative, engagement].contains(&Some(i)) {
            faults.push(format!(
                "{}:1:{}: heading: {heading:?} finns inte. / There is no {heading:?}.",
                sheet.file,
                i + 1
            ));
        }
    }
    let mut participants: Vec<&str> = Vec::new();
    let mut rows: BTreeMap<&str, BTreeMap<usize, &Row>> = BTreeMap::new();
    for row in &sheet.rows {
        let place = row.cell(rank).and_then(|text| text.parse().ok()).filter(|rank| (1..=64).contains(rank));
        let (Some(code), Some(place)) = (row.cell(code), place) else {
            let at = sheet.at(row, if row.cell(code).is_none() { code } else { rank });
            faults.push(format!("{at}: field: participantCode och rank (1, 2, …) behövs. / participantCode and rank (1, 2, …) are needed."));
            continue;
        };
        if row.cell(initiative).is_none() {
            faults.push(format!(
                "{}: field: initiativeId saknas. / initiativeId is missing.",
                sheet.at(row, initiative)
            ));
        }
        let of_participant = rows.entry(code).or_insert_with(|| {
            participants.push(code);
            BTreeMap::new()
        });
        if of_participant.insert(place, row).is_some() {
            faults.push(format!(
                "{}: rank: Platsen står två gånger. / The rank stands twice.",
                sheet.at(row, rank)
            ));
        }
    }
    let mut ballots = Vec::new();
    for participant in participants {
        let ranks = &rows[participant];
        let first = ranks.values().next().expect("an entry has a row");
        for (expected, (&rank_given, row)) in (1..).zip(ranks) {
            if rank_given != expected {
                let at = sheet.at(row, rank);
                faults.push(format!("{at}: gap: Plats {expected} saknas. / Rank {expected} is missing."));
                break;
            }
        }
        let pick = |row: &&Row| Some((row.cell(initiative)?.to_owned(), sheet.at(row, initiative)));
        let engaged = |row: &&Row| {
            Some((
                row.cell(initiative)?.to_owned(),
                row.cell(engagement)?.to_owned(),
                sheet.at(row, engagement),
            ))
        };
        ballots.push(SheetBallot {
            at: sheet.at(first, code),
            participant: Some(participant.to_owned()),
            count: 1,
            ranking: ranks.values().filter_map(pick).collect(),
            engagements: ranks.values().filter_map(engaged).collect(),
            reference: None,
            comment: None,
            synthetic: false,
        });
    }
    (ballots, faults)
}
