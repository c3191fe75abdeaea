//! Links, and the members that every page carries.

use std::borrow::Cow;

use serde::Serialize;

use crate::domain::{ParticipantCode, RoundId, Sequence};

/// A link to a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// How the target relates to this document.
    pub rel: &'static str,
    /// Where it is.
    pub href: String,
    /// With which method.
    pub method: &'static str,
}

impl Link {
    /// A link that is followed with GET.
    pub fn get(rel: &'static str, href: String) -> Self {
        Self { rel, href, method: "GET" }
    }
}

/// Makes absolute links from the configured public address; never from what a request says of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    base: String,
    as_of: Option<Sequence>,
}

impl Links {
    /// The path under which the API lies.
    pub const PATH: &'static str = "/handslag/v1";

    /// Links below this public address, such as `https://handslag.example.se`.
    pub fn new(public_url: &str) -> Self {
        Self { base: format!("{}{}", public_url.trim_end_matches('/'), Self::PATH), as_of: None }
    }

    /// The address of a path below the API's base.
    pub fn to(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The address of a path outside the API.
    pub fn outside(&self, path: &str) -> String {
        format!("{}{path}", self.base.strip_suffix(Self::PATH).expect("the base ends with it"))
    }

    /// The address of a round.
    pub fn round(&self, round: &RoundId) -> String {
        self.to(&format!("/rounds/{round}"))
    }

    /// The address of something of a round.
    pub fn of_round(&self, round: &RoundId, what: &str) -> String {
        format!("{}/{what}", self.round(round))
    }

    /// Links from a round as it was at a sequence: to other things of the same state.
    #[must_use]
    pub fn as_of(&self, sequence: Sequence) -> Self {
        Self { base: self.base.clone(), as_of: Some(sequence) }
    }

    /// The address of something of a round that is not the same at every sequence, with these parameters, of which
    /// some may be empty.
    pub fn of_state(&self, round: &RoundId, what: &str, parameters: &[&str]) -> String {
        let mut address = self.of_round(round, what);
        let as_of = self.as_of.map(|sequence| Cow::Owned(format!("asOf={sequence}")));
        let parameters = parameters.iter().copied().filter(|pair| !pair.is_empty()).map(Cow::Borrowed);
        let mut joint = '?';
        for parameter in parameters.chain(as_of) {
            address.push(joint);
            address.push_str(&parameter);
            joint = '&';
        }
        address
    }

    /// The address of a participant's ballot.
    pub fn ballot(&self, round: &RoundId, participant: &ParticipantCode) -> String {
        self.of_round(round, &format!("ballots/{participant}"))
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The page, from 1; 0 and any page beyond the last are empty.
    pub page: u64,
    /// How many a page holds.
    pub limit: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self { page: 1, limit: 20 }
    }
}

impl Page {
    /// How many items stand before the page.
    pub fn offset(self) -> u64 {
        self.page.saturating_sub(1).saturating_mul(self.limit)
    }

    /// The items of the page.
    pub fn slice<T>(self, items: &[T]) -> &[T] {
        let bound = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(items.len());
        if self.page == 0 {
            &[]
        } else {
            &items[bound(self.offset())..bound(self.offset().saturating_add(self.limit))]
        }
    }

    /// What the page says of itself and of the whole.
    pub fn meta(self, total: usize, count: usize) -> Meta {
        let total = total as u64;
        Meta {
            total_records: total,
            page: self.page,
            offset: self.offset(),
            limit: self.limit,
            count: count as u64,
        }
    }

    /// Links to this page and its neighbours; `address` has a `?` when it carries other parameters.
    pub fn links(self, address: &str, total: usize) -> Vec<Link> {
        let last = (total as u64).div_ceil(self.limit).max(1);
        let joint = if address.contains('?') { '&' } else { '?' };
        let to = |rel, page| Link::get(rel, format!("{address}{joint}page={page}&limit={}", self.limit));
        let mut links = vec![to("self", self.page), to("first", 1)];
        if (2..=last + 1).contains(&self.page) {
            links.push(to("prev", self.page - 1));
        }
        if self.page < last {
            links.push(to("next", self.page + 1));
        }
        links.push(to("last", last));
        links
    }
}

/// What a page says of itself and of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    total_records: u64,
    page: u64,
    offset: u64,
    limit: u64,
    count: u64,
}
