//! The formats by their names.

/// A format of ballot files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV, a row per ballot or ranking: `count,rank1,…` or `participantCode,rank1,…`.
    Csv,
    /// CSV, a row per pick: `participantCode,rank,initiativeId`.
    CsvLong,
    /// PrefLib, strict orders, complete.
    Soc,
    /// PrefLib, strict orders, incomplete.
    Soi,
    /// PrefLib, orders with ties, complete.
    Toc,
    /// PrefLib, orders with ties, incomplete.
    Toi,
    /// Aggregated Ballot Information Format.
    Abif,
    /// The format of Hill, Wichmann and Woodall's program, of OpenSTV and of OpaVote.
    Blt,
    /// A line of JSON per ballot or event: the ballot book and the log of this service.
    NdJson,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::Csv,
        Self::CsvLong,
        Self::Soc,
        Self::Soi,
        Self::Toc,
        Self::Toi,
        Self::Abif,
        Self::Blt,
        Self::NdJson,
    ];

    /// The name, which is the extension where the format has one of its own.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::CsvLong => "csv-long",
            Self::Soc => "soc",
            Self::Soi => "soi",
            Self::Toc => "toc",
            Self::Toi => "toi",
            Self::Abif => "abif",
            Self::Blt => "blt",
            Self::NdJson => "ndjson",
        }
    }

    /// The format of this name.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.id() == id)
    }

    /// The format that the extension of a file's name tells; `.gz` on top of it does not matter.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (_, extension) = name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.')?;
        match extension {
            "jsonl" => Some(Self::NdJson),
            "csv-long" => None,
            extension => Self::find(extension),
        }
    }

    /// Whether ballots of this format always have an owner.
    pub const fn names_participants(self) -> bool {
        matches!(self, Self::CsvLong | Self::NdJson)
    }

    /// All names, for people.
    pub fn list() -> String {
        Self::ALL.map(Self::id).join(", ")
    }

    pub(super) const fn is_preflib(self) -> bool {
        matches!(self, Self::Soc | Self::Soi | Self::Toc | Self::Toi)
    }
}
