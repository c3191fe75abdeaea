//! Query parameters, read strictly: an unknown or repeated name is a fault, since `?rul=dowdall` must not
//! silently give another rule.

use actix_web::web;

use super::problem::Problem;
use crate::service::Fault;

/// The parameters of an address.
#[derive(Debug)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a query string in which only these names may stand.
    ///
    /// # Errors
    /// 400 with every fault.
    pub(super) fn read(text: &str, known: &[&str]) -> Result<Self, Problem> {
        if text.is_empty() {
            return Ok(Self { pairs: Vec::new() });
        }
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text);
        let pairs = pairs.map_err(|_| {
            Problem::bad_query(vec![Fault::member("", "parameter", "Kan inte läsas.", "Cannot be read.")])
        })?;
        let pairs = pairs.into_inner();
        let mut faults = Vec::new();
        for (i, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let name: String = name.chars().take(40).collect();
                let (sv, en) = ("Det finns ingen sådan parameter.", "There is no such parameter.");
                faults.push(Fault::member(&name, "unknown-parameter", sv, en));
            } else if pairs[..i].iter().any(|(earlier, _)| earlier == name) {
                faults.push(Fault::member(name, "parameter", "Står två gånger.", "Stands twice."));
            }
        }
        if faults.is_empty() { Ok(Self { pairs }) } else { Err(Problem::bad_query(faults)) }
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// 400.
    pub(super) fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|n| digits && (least..=most).contains(n));
        number.map(Some).ok_or_else(|| {
            let (sv, en) = (
                format!("Ett heltal från {least} till {most}."),
                format!("A whole number from {least} to {most}."),
            );
            Problem::bad_query(vec![Fault::member(name, "parameter", &sv, &en)])
        })
    }

    /// One of a few words.
    ///
    /// # Errors
    /// 400.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let value = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        value.map(Some).ok_or_else(|| {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let (sv, en) =
                (format!("Något av {}.", names.join(", ")), format!("One of {}.", names.join(", ")));
            Problem::bad_query(vec![Fault::member(name, "parameter", &sv, &en)])
        })
    }
}
