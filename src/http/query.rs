//! Query parameters, read strictly: an unknown or repeated name is a fault, since `?rul=dowdall` must not
//! silently give another rule. All faults of an address are told at once.

use std::cell::RefCell;

use actix_web::web;

use super::problem::Problem;
use crate::export::Page;
use crate::service::Fault;

/// The names of the parameters of a page.
pub(super) const PAGE: [&str; 2] = ["page", "limit"];

/// The largest whole number that every reader of JSON reads exactly: 2^53 less 1.
pub(super) const LARGEST: u64 = (1 << 53) - 1;

/// The parameters of an address. What is wrong with them gathers until [`Query::check`].
#[derive(Debug)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    faults: RefCell<Vec<Fault>>,
}

impl Query {
    /// Reads a query string in which only these names may stand.
    pub(super) fn read(text: &str, known: &[&str]) -> Self {
        let mut query = Self { pairs: Vec::new(), faults: RefCell::default() };
        if text.is_empty() {
            return query;
        }
        match web::Query::<Vec<(String, String)>>::from_query(text) {
            Ok(pairs) => query.pairs = pairs.into_inner(),
            Err(_) => query.fault("", "parameter", "Kan inte läsas.", "Cannot be read."),
        }
        for (i, (name, _)) in query.pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let name: String = name.chars().take(40).collect();
                query.fault(
                    &name,
                    "unknown-parameter",
                    "Det finns ingen sådan parameter.",
                    "There is no such parameter.",
                );
            } else if query.pairs[..i].iter().any(|(earlier, _)| earlier == name) {
                query.fault(name, "parameter", "Står två gånger.", "Stands twice.");
            }
        }
        query
    }

    /// Refuses an address that takes no parameters and has some.
    ///
    /// # Errors
    /// 400 with every fault.
    pub(super) fn none(text: &str) -> Result<(), Problem> {
        Self::read(text, &[]).check()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// 400 with every fault.
    pub(super) fn check(self) -> Result<(), Problem> {
        let faults = self.faults.into_inner();
        if faults.is_empty() { Ok(()) } else { Err(Problem::bad_query(faults)) }
    }

    /// Notes a fault of a parameter.
    pub(super) fn fault(&self, name: &str, code: &'static str, sv: &str, en: &str) {
        self.faults.borrow_mut().push(Fault::member(name, code, sv, en));
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, name: &str, least: u64, most: u64) -> Option<u64> {
        let text = self.get(name)?;
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|n| digits && (least..=most).contains(n));
        if number.is_none() {
            let (sv, en) = (
                format!("Ett heltal från {least} till {most}."),
                format!("A whole number from {least} to {most}."),
            );
            self.fault(name, "parameter", &sv, &en);
        }
        number
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.get(name)?;
        let value = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if value.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let (sv, en) =
                (format!("Något av {}.", names.join(", ")), format!("One of {}.", names.join(", ")));
            self.fault(name, "parameter", &sv, &en);
        }
        value
    }

    /// Whether a part of a list is asked for.
    pub(super) fn names_page(&self) -> bool {
        PAGE.iter().any(|name| self.get(name).is_some())
    }

    /// The page that is asked for; every list has pages.
    pub(super) fn page(&self) -> Page {
        let default = Page::default();
        Page {
            page: self.number("page", 0, 1_000_000).unwrap_or(default.page),
            limit: self.number("limit", 1, 100).unwrap_or(default.limit),
        }
    }
}
