//! Aggregated Ballot Information Format: <https://github.com/electorama/abif>, grammar 0.31.
//!
//! Comments `# …`, a first line `ABIF …`, metadata `{…}` of which only the title is read, candidates as
//! `=token:[Full Name]`, ballots as `27:A>B>C`. A name is bare, `"quoted"` as in JSON or `[in brackets]`. If the file
//! declares candidates, it does so before the ballots, and there are no others.
//!
//! `=` and `,` make a tie, which is read where it is last and holds all declared candidates that remain. Ratings
//! (`A/5`) and weights (`A*2`) are faults: they say more than a ranking, and dropping them would be a choice. Data in
//! braces after a ballot is passed over.

use std::io::{self, Write};

use super::declared::{self, Declared};
use super::fault::{Text, no_count, text, tie};
use super::gather::Gather;
use super::lines::{column, each};
use super::names::Names;
use super::source::Source;
use super::write::rows;
use super::{Ballots, Candidate, Format, MOST_BALLOTS, ReadError, is_id};
use crate::domain::MAX_INITIATIVES;

/// What ends a bare name.
const PUNCTUATION: [char; 12] = ['>', '=', ',', '/', '*', ':', '#', '[', ']', '{', '}', '"'];

/// A fault with the rest of the line that it is in.
type Stop<'a> = (&'a str, &'static str, Text);

#[derive(Default)]
struct Reader {
    declared: Vec<Declared>,
    /// The given candidates, while the declared ones are those that ballots may name.
    given: Option<Names>,
    ballots: bool,
}

pub(super) fn read(source: Source<'_>, mut gather: Gather) -> Result<Ballots, ReadError> {
    let mut reader = Reader::default();
    each(source, &mut gather, |gather, number, line| {
        if let Err((rest, code, what)) = reader.line(gather, number, line) {
            gather.faults.push(number, column(line, rest), code, what);
        }
    })?;
    reader.begin_ballots(&mut gather);
    match reader.given {
        None => gather.finish(Format::Abif),
        Some(given) => {
            gather.names = given;
            declared::finish(gather, Format::Abif, reader.declared)
        }
    }
}

impl Reader {
    fn line<'a>(&mut self, gather: &mut Gather, number: u64, line: &'a str) -> Result<(), Stop<'a>> {
        let text_of = line.trim();
        match text_of.chars().next() {
            None | Some('#') => Ok(()),
            Some('{') => {
                if let Some(title) = title(text_of) {
                    gather.title = Some(title);
                }
                Ok(())
            }
            Some(first) if first.is_ascii_digit() => {
                self.begin_ballots(gather);
                ballot(gather, number, line, text_of)
            }
            Some(_) if text_of == "ABIF" || text_of.starts_with("ABIF ") => Ok(()),
            Some(_) if self.ballots => Err((
                text_of,
                "declaration",
                text("Kandidater hör hemma före prioriteringarna.", "Candidates belong before the ballots."),
            )),
            Some(_) => self.declare(gather, number, line, text_of),
        }
    }

    fn declare<'a>(
        &mut self,
        gather: &mut Gather,
        number: u64,
        line: &'a str,
        declaration: &'a str,
    ) -> Result<(), Stop<'a>> {
        let begin = declaration.strip_prefix('=').unwrap_or(declaration).trim_start();
        let (first, rest) = name(begin)?;
        let (id, title) = match rest.strip_prefix(':') {
            None if begin.starts_with('[') => {
                ends(rest)?;
                (first.clone(), first)
            }
            None => return Err((rest, "field", text("Ett kolon behövs.", "A colon is needed."))),
            Some(rest) => {
                let second_begin = rest.trim_start();
                let (second, rest) = name(second_begin)?;
                ends(rest)?;
                // The grammar before 0.2 has the full name first.
                if begin.starts_with('[') && !second_begin.starts_with('[') {
                    (second, first)
                } else {
                    (first, second)
                }
            }
        };
        if !is_id(&id) || self.declared.iter().any(|declared| declared.candidate.id == id) {
            let what = (
                format!("{id:?} är inget id, eller står två gånger."),
                format!("{id:?} is no id, or stands twice."),
            );
            return Err((begin, "candidate", what));
        }
        match u8::try_from(self.declared.len()) {
            Ok(candidate) if self.declared.len() < MAX_INITIATIVES => self.declared.push(Declared {
                number: candidate,
                candidate: Candidate { id, title },
                at: (number, column(line, begin)),
            }),
            _ if self.declared.len() == MAX_INITIATIVES && !gather.names.overflow() => {
                gather.names.note_overflow();
                gather.too_many(number, 1);
            }
            _ => {}
        }
        Ok(())
    }

    /// From here the declared candidates, if there are any, are all there are.
    fn begin_ballots(&mut self, gather: &mut Gather) {
        if !self.ballots && !self.declared.is_empty() {
            let candidates: Vec<Candidate> =
                self.declared.iter().map(|declared| declared.candidate.clone()).collect();
            self.given = Some(std::mem::replace(&mut gather.names, Names::new(Some(&candidates))));
        }
        self.ballots = true;
    }
}

/// Counts the line of a ballot.
fn ballot<'a>(gather: &mut Gather, number: u64, line: &'a str, ballot: &'a str) -> Result<(), Stop<'a>> {
    let before = gather.faults.total();
    let digits = ballot.find(|c: char| !c.is_ascii_digit()).unwrap_or(ballot.len());
    let (count, rest) = ballot.split_at(digits);
    let rest = rest.trim_start();
    let (Some(rest), Some(count)) =
        (rest.strip_prefix(':'), count.parse().ok().filter(|count| *count <= MOST_BALLOTS))
    else {
        return Err((ballot, "count", no_count()));
    };
    let rest = rest.trim_start();
    let ranking = match rest.chars().next() {
        None | Some('#') => Vec::new(),
        Some(_) => order(gather, number, line, rest)?,
    };
    if gather.faults.total() == before {
        gather.add(&ranking, count, (number, 1));
    }
    Ok(())
}

/// Reads `A>B>C`.
fn order<'a>(gather: &mut Gather, number: u64, line: &'a str, order: &'a str) -> Result<Vec<u8>, Stop<'a>> {
    let mut ranking = Vec::new();
    let mut rest = order;
    // Where the candidates begin that no `>` parts.
    let mut begin = 0;
    loop {
        let (id, after) = name(rest)?;
        gather.pick(&id, (number, column(line, rest)), &mut ranking);
        let tied = ranking.len() - begin > 1;
        let mut characters = after.chars();
        match characters.next() {
            Some('>') if tied => return Err((rest, "tie", tie())),
            Some('>') => begin = ranking.len(),
            Some('=' | ',') => {}
            Some('/' | '*') => {
                let what = text(
                    "Poäng och vikter läses inte, bara ordning.",
                    "Ratings and weights are not read, only orders.",
                );
                return Err((after, "rating", what));
            }
            _ => {
                let data = after.strip_prefix(':').map(str::trim);
                if !data.is_some_and(|data| data.starts_with('{') && data.ends_with('}')) {
                    ends(after)?;
                }
                if tied && gather.names.is_closed() && ranking.len() == gather.names.len() {
                    ranking.truncate(begin);
                } else if tied {
                    return Err((rest, "tie", tie()));
                }
                return Ok(ranking);
            }
        }
        rest = characters.as_str().trim_start();
    }
}

/// A name at the beginning of a text, and what comes after it.
fn name(text_of: &str) -> Result<(String, &str), Stop<'_>> {
    let open = || (text_of, "quote", text("Ett namn avslutas inte.", "A name is not closed."));
    if let Some(inside) = text_of.strip_prefix('[') {
        let (name, rest) = inside.split_once(']').ok_or_else(open)?;
        return Ok((name.trim().to_owned(), rest.trim_start()));
    }
    if let Some(inside) = text_of.strip_prefix('"') {
        let mut escaped = false;
        let end = inside.find(|c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let (quoted, rest) = text_of.split_at(end.ok_or_else(open)? + 2);
        let name = serde_json::from_str(quoted).map_err(|_| open())?;
        return Ok((name, rest.trim_start()));
    }
    let (name, rest) = text_of.split_at(text_of.find(PUNCTUATION).unwrap_or(text_of.len()));
    let name = name.trim_end();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err((
            text_of,
            "field",
            text(
                "Ett namn behövs; ett med blanksteg står inom citattecken eller hakparentes.",
                "A name is needed; one with spaces stands in quotes or brackets.",
            ),
        ));
    }
    Ok((name.to_owned(), rest))
}

/// Nothing but a comment may come.
fn ends(rest: &str) -> Result<(), Stop<'_>> {
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(());
    }
    Err((rest, "field", text("Detta har ingen betydelse här.", "This has no meaning here.")))
}

/// The title in a line of metadata, `{title: "…"}`.
fn title(metadata: &str) -> Option<String> {
    let (key, value) = metadata.strip_prefix('{')?.rsplit_once('}')?.0.split_once(':')?;
    let title: String = serde_json::from_str(value.trim()).ok()?;
    (key.trim().trim_matches('"') == "title" && !title.is_empty()).then_some(title)
}

pub(super) fn write(ballots: &Ballots, out: &mut dyn Write) -> io::Result<()> {
    if let Some(title) = &ballots.title {
        writeln!(out, "{{title: {}}}", quoted(title))?;
    }
    let plain = |id: &str| {
        id.starts_with(|c: char| c.is_ascii_alphabetic())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && id != "ABIF"
    };
    let tokens: Vec<String> = (ballots.candidates.iter())
        .map(|Candidate { id, .. }| if plain(id) { id.clone() } else { quoted(id) })
        .collect();
    for (token, Candidate { title, .. }) in tokens.iter().zip(&ballots.candidates) {
        let bracketed = !title.is_empty() && title.trim() == title && !title.contains(['[', ']']);
        if bracketed && !title.chars().any(char::is_control) {
            writeln!(out, "={token}:[{title}]")?;
        } else {
            writeln!(out, "={token}:{}", quoted(title))?;
        }
    }
    for (ranking, count) in rows(&ballots.profile) {
        let picks: Vec<&str> = ranking.iter().map(|&pick| tokens[usize::from(pick)].as_str()).collect();
        writeln!(out, "{count}:{}", picks.join(">"))?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
