//! BLT: Hill, Wichmann and Woodall, Algorithm 123, The Computer Journal 30 (1987); used by OpenSTV and OpaVote.
//!
//! `candidates seats`; candidates that have withdrawn as `-2 -3`; ballots as `weight 3 1 4 0`, each ended on its line;
//! `0`; then the names and the title, in quotes unless a single word. `#` begins a comment.
//!
//! A candidate that has withdrawn is no candidate: it is taken out of every ballot, and those below it move up. That
//! is what the format says of it. The numbers of the others stay as they are, as their ids. A tie (`1=2`) and a rank
//! that was left out (`-`) are faults, and weights are whole numbers.

use std::io::{self, Write};

use super::declared::{self, Declared};
use super::fault::{Text, no_count, text, tie};
use super::gather::Gather;
use super::lines::each;
use super::source::Source;
use super::write::rows;
use super::{Ballots, Candidate, Format, MOST_BALLOTS, ReadError};
use crate::domain::MAX_INITIATIVES;

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Candidates,
    Seats,
    Withdrawn,
    Ballots,
    /// In a ballot of this weight.
    Ballot(u64),
    /// After the zero, which stands on this line.
    Names(u64),
    /// The file cannot be read on.
    Stopped,
}

struct Reader {
    stage: Stage,
    line: u64,
    candidates: usize,
    withdrawn: Vec<u8>,
    ranking: Vec<u8>,
    /// The column that the ballot begins in, and the faults before it.
    ballot: (u64, u64),
    names: Vec<(u64, u64, String)>,
}

struct Token<'a> {
    text: &'a str,
    column: u64,
    quoted: bool,
}

/// Whether a line is `candidates seats`, with or without a comment.
pub(super) fn recognises(line: &str) -> bool {
    let line = line.split_once('#').map_or(line, |(line, _)| line);
    let mut numbers = line.split_whitespace().map(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    (numbers.next(), numbers.next(), numbers.next()) == (Some(true), Some(true), None)
}

pub(super) fn read(source: Source<'_>, mut gather: Gather) -> Result<Ballots, ReadError> {
    let mut reader = Reader {
        stage: Stage::Candidates,
        line: 1,
        candidates: 0,
        withdrawn: Vec::new(),
        ranking: Vec::new(),
        ballot: (1, 0),
        names: Vec::new(),
    };
    each(source, &mut gather, |gather, number, line| reader.line(gather, number, line))?;
    reader.finish(gather)
}

impl Reader {
    fn line(&mut self, gather: &mut Gather, number: u64, line: &str) {
        self.line = number;
        if self.stage == Stage::Stopped {
            return;
        }
        let (tokens, open) = tokens(line);
        for token in &tokens {
            if let Err((code, what)) = self.token(gather, token) {
                gather.faults.push(number, token.column, code, what);
                if self.stage == Stage::Ballots {
                    // A ballot whose weight is no number is not looked into.
                    return;
                }
            }
        }
        if let Some(column) = open {
            let what = text("Ett citattecken avslutas inte.", "A quotation mark is not closed.");
            gather.faults.push(number, column, "quote", what);
        }
        if let Stage::Ballot(_) = self.stage {
            let what = text("Prioriteringen slutar inte med 0.", "The ballot does not end in 0.");
            gather.faults.push(number, line.chars().count() as u64 + 1, "end", what);
            self.stage = Stage::Ballots;
        }
    }

    fn token(&mut self, gather: &mut Gather, token: &Token<'_>) -> Result<(), (&'static str, Text)> {
        let number = token.text.parse::<u64>().ok().filter(|_| !token.quoted);
        match self.stage {
            Stage::Candidates | Stage::Seats if number.is_none() => {
                self.stage = Stage::Stopped;
                let what = text(
                    "Först står antal kandidater och antal platser.",
                    "The number of candidates and of seats come first.",
                );
                return Err(("header", what));
            }
            Stage::Candidates => {
                self.candidates =
                    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX);
                self.stage = Stage::Seats;
                if self.candidates > MAX_INITIATIVES {
                    gather.too_many(self.line, token.column);
                    self.stage = Stage::Stopped;
                }
            }
            Stage::Seats => {
                gather.seats = number;
                self.stage = Stage::Withdrawn;
            }
            Stage::Withdrawn if token.text.len() > 1 && token.text.starts_with('-') && !token.quoted => {
                let candidate = self.candidate(&token.text[1..])?;
                self.withdrawn.push(candidate);
            }
            Stage::Withdrawn | Stage::Ballots if number == Some(0) => self.stage = Stage::Names(self.line),
            Stage::Withdrawn | Stage::Ballots => {
                self.stage = Stage::Ballots;
                let weight = number.filter(|number| *number <= MOST_BALLOTS);
                self.stage = Stage::Ballot(weight.ok_or_else(|| ("count", no_count()))?);
                self.ranking.clear();
                self.ballot = (token.column, gather.faults.total());
            }
            Stage::Ballot(weight) if number == Some(0) => {
                self.stage = Stage::Ballots;
                if gather.faults.total() == self.ballot.1 {
                    gather.add(&self.ranking, weight, (self.line, self.ballot.0));
                }
            }
            Stage::Ballot(_) if token.text == "-" => {
                let what = text("En plats är överhoppad.", "A rank is left out.");
                return Err(("gap", what));
            }
            Stage::Ballot(_) if token.text.contains(['=', '(', ')']) => return Err(("tie", tie())),
            Stage::Ballot(_) => {
                let candidate = self.candidate(token.text)?;
                if !self.withdrawn.contains(&candidate) {
                    gather.rank(candidate, (self.line, token.column), &mut self.ranking);
                }
            }
            Stage::Names(zero) if !token.quoted && zero == self.line => {
                let what = text(
                    "Efter nollan står namnen inom citattecken.",
                    "After the zero, names stand in quotes.",
                );
                return Err(("end", what));
            }
            Stage::Names(_) => {
                // After the title a source and a comment may follow.
                if self.names.len() == self.candidates + 3 {
                    let what = text("Fler namn än kandidater.", "More names than candidates.");
                    return Err(("names", what));
                }
                self.names.push((self.line, token.column, token.text.to_owned()));
            }
            Stage::Stopped => {}
        }
        Ok(())
    }

    fn candidate(&self, text_of: &str) -> Result<u8, (&'static str, Text)> {
        match text_of.parse::<u8>() {
            Ok(number) if (1..=self.candidates).contains(&usize::from(number)) => Ok(number - 1),
            _ if !text_of.is_empty() && text_of.bytes().all(|byte| byte.is_ascii_digit()) => {
                let what =
                    (format!("Kandidat {text_of} finns inte."), format!("There is no candidate {text_of}."));
                Err(("unknown-initiative", what))
            }
            _ => Err(("field", text("Kandidatens nummer behövs.", "The candidate's number is needed."))),
        }
    }

    fn finish(self, mut gather: Gather) -> Result<Ballots, ReadError> {
        let fault = match self.stage {
            Stage::Stopped => None,
            Stage::Names(_) if self.names.is_empty() || self.names.len() >= self.candidates => None,
            Stage::Names(_) => Some(("names", text("Namn saknas.", "Names are missing."))),
            _ => Some(("end", text("Prioriteringarna slutar inte med 0.", "The ballots do not end in 0."))),
        };
        if let Some((code, what)) = fault {
            gather.faults.push(self.line, 1, code, what);
        }
        let mut names = self.names.into_iter();
        let mut declared = Vec::new();
        for number in (0..).take(if self.stage == Stage::Stopped { 0 } else { self.candidates }) {
            let id = (u32::from(number) + 1).to_string();
            let (line, column, title) = names.next().unwrap_or((1, 1, String::new()));
            let title = if title.is_empty() { id.clone() } else { title };
            declared.push(Declared { number, candidate: Candidate { id, title }, at: (line, column) });
        }
        gather.title = names.next().map(|(.., title)| title).filter(|title| !title.is_empty());
        declared.retain(|declared| !self.withdrawn.contains(&declared.number));
        declared::finish(gather, Format::Blt, declared)
    }
}

/// The words and quoted texts of a line, and the column of a quotation mark that is not closed.
fn tokens(line: &str) -> (Vec<Token<'_>>, Option<u64>) {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let column = super::lines::column(line, rest);
        let (text, quoted, after) = if let Some(inside) = rest.strip_prefix('"') {
            let Some((text, after)) = inside.split_once('"') else { return (tokens, Some(column)) };
            (text, true, after)
        } else {
            let (text, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            (text, false, after)
        };
        tokens.push(Token { text, column, quoted });
        rest = after.trim_start();
    }
    (tokens, None)
}

/// Why the ballots cannot be written.
pub(super) fn refuses(ballots: &Ballots) -> Option<Text> {
    let bad = |text: &str| text.chars().any(|c| c == '"' || c.is_control());
    if ballots.seats.is_none() {
        return Some(text("Antalet platser behövs: --seats.", "The number of seats is needed: --seats."));
    }
    let mut titles = ballots.candidates.iter().map(|candidate| &candidate.title).chain(&ballots.title);
    titles.any(|title| bad(title)).then(|| {
        text(
            "Namn med citattecken eller styrtecken får inte plats.",
            "Names with quotation marks or control characters do not fit.",
        )
    })
}

pub(super) fn write(ballots: &Ballots, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {}", ballots.candidates.len(), ballots.seats.unwrap_or_default())?;
    for (ranking, count) in rows(&ballots.profile) {
        write!(out, "{count}")?;
        for &candidate in ranking {
            write!(out, " {}", u32::from(candidate) + 1)?;
        }
        writeln!(out, " 0")?;
    }
    writeln!(out, "0")?;
    for candidate in &ballots.candidates {
        writeln!(out, "\"{}\"", candidate.title)?;
    }
    writeln!(out, "\"{}\"", ballots.title.as_deref().unwrap_or_default())
}
