//! Whose organisation number is whose: the table by which an issuer's organisations are participants here.

use std::collections::HashMap;

use crate::domain::ParticipantCode;

/// Participants by organisation number.
#[derive(Clone, Debug, Default)]
pub struct Organisations(HashMap<String, ParticipantCode>);

/// Reads an organisation number as it is written in claims and files: ten digits, with or without the hyphen, or with
/// the `16` before them that registers of people and organisations have. The last digit checks the others.
pub(super) fn number(text: &str) -> Option<String> {
    let plain = match text.split_once('-') {
        Some((group, rest)) if rest.len() == 4 => format!("{group}{rest}"),
        Some(_) => return None,
        None => text.to_owned(),
    };
    let digits = if plain.len() == 12 { plain.strip_prefix("16")? } else { &plain };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    let digits: Vec<u32> = digits.bytes().map(digit).collect::<Option<_>>()?;
    // Luhn's formula: every other digit doubled, the digits of that added up.
    let luhn = |(i, digit): (usize, &u32)| if i % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { *digit };
    let fits = digits.len() == 10 && digits.iter().enumerate().map(luhn).sum::<u32>() % 10 == 0;
    fits.then(|| digits.iter().map(u32::to_string).collect())
}

impl Organisations {
    /// Reads a CSV file with the columns `organisationNumber` and `participantCode`.
    ///
    /// # Errors
    /// Every fault, each with its line.
    pub fn read(text: &str) -> Result<Self, Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let place = |headers: &csv::StringRecord, name| headers.iter().position(|header| header == name);
        let headers = reader.headers().map_err(|error| vec![error.to_string()])?.clone();
        let columns = place(&headers, "organisationNumber").zip(place(&headers, "participantCode"));
        let missing = || vec!["the columns organisationNumber and participantCode are not there".to_owned()];
        let (numbers, codes) = columns.ok_or_else(missing)?;
        let (mut table, mut faults) = (HashMap::new(), Vec::new());
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => return Err(vec![error.to_string()]),
            };
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |column| record.get(column).unwrap_or_default().trim();
            match (number(cell(numbers)), cell(codes).parse::<ParticipantCode>()) {
                (None, _) => {
                    faults.push(format!("line {line}: {:?} is no organisation number", cell(numbers)));
                }
                (_, Err(fault)) => faults.push(format!("line {line}: {:?}: {fault}", cell(codes))),
                (Some(number), Ok(code)) => {
                    if table.insert(number, code).is_some() {
                        faults.push(format!("line {line}: {} stands twice", cell(numbers)));
                    }
                }
            }
        }
        if table.is_empty() && faults.is_empty() {
            faults.push("no organisation is in it".to_owned());
        }
        if faults.is_empty() { Ok(Self(table)) } else { Err(faults) }
    }

    pub(super) fn find(&self, number: &str) -> Option<&ParticipantCode> {
        self.0.get(number)
    }
}
