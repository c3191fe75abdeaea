//! From the settings of issuers to issuers that are trusted: every fault is told before anything starts.

use std::fs;
use std::path::Path as FilePath;

use jsonwebtoken::Algorithm;

use crate::config::{Claim, IssuerSettings, ParticipantSettings, RoleSettings};
use crate::domain::ParticipantCode;
use crate::identity::{
    ALGORITHMS, BadSource, Binding, FetchedKeys, Freshness, Issuer, JwkSet, KeySource, Keys, Organisations,
    Path, Reading, Role, Scope, Scopes,
};

/// The longest life that an issuer's tokens may be given, in seconds.
const LONGEST: i64 = 24 * 60 * 60;
/// Where the organisation number stands, if nothing else is said: OIDC Sweden's attributes, section 2.4.
const ORGANISATION_NUMBER: &str = "https://id.oidc.se/claim/orgNumber";

/// An issuer whose settings make sense; its keys are not fetched yet.
#[derive(Debug)]
pub struct Trusted {
    name: String,
    audience: String,
    typ: String,
    longest_life: i64,
    algorithms: Vec<Algorithm>,
    keys: Source,
    reading: Reading,
}

#[derive(Debug)]
enum Source {
    File(JwkSet),
    Address(KeySource),
}

impl Trusted {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its keys as they are published now; waits for them.
    ///
    /// # Errors
    /// What stands in the way, in words.
    pub fn keys_now(&self) -> Result<JwkSet, String> {
        match &self.keys {
            Source::File(set) => Ok(set.clone()),
            Source::Address(source) => {
                JwkSet::read(&source.fetch()?, &self.algorithms).map_err(|error| error.to_string())
            }
        }
    }
}

/// Reads the settings of the issuers that are trusted besides our own, which goes by `own`.
///
/// # Errors
/// Every fault, in words.
pub fn read(issuers: &[IssuerSettings], own: &str) -> Result<Vec<Trusted>, Vec<String>> {
    let mut faults = Vec::new();
    let mut trusted: Vec<Trusted> = Vec::new();
    for (i, settings) in issuers.iter().enumerate() {
        let mut found = Faults(Vec::new());
        let issuer = found.issuer(settings);
        if issuer.name == own || issuers[..i].iter().any(|before| before.issuer == issuer.name) {
            found.add("issuer", "is another issuer's name already");
        }
        let place = format!("issuers[{i}] ({})", settings.issuer);
        faults.extend(found.0.into_iter().map(|fault| format!("{place}: {fault}")));
        trusted.push(issuer);
    }
    if faults.is_empty() { Ok(trusted) } else { Err(faults) }
}

/// Starts to fetch the keys of issuers, and trusts them.
///
/// # Errors
/// If there can be no thread.
pub fn start(trusted: Vec<Trusted>, freshness: Freshness) -> std::io::Result<Vec<Issuer>> {
    let start = |trusted: Trusted| {
        let keys: Box<dyn Keys> = match trusted.keys {
            Source::File(set) => Box::new(set),
            Source::Address(source) => Box::new(FetchedKeys::start(source, trusted.algorithms, freshness)?),
        };
        Ok(Issuer {
            name: trusted.name,
            audience: trusted.audience,
            typ: trusted.typ,
            keys,
            longest_life: trusted.longest_life,
            reading: trusted.reading,
        })
    };
    trusted.into_iter().map(start).collect()
}

/// The faults of one issuer. What has one gets some value: it is not used.
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, key: &str, fault: &str) {
        self.0.push(format!("{key}: {fault}"));
    }

    fn issuer(&mut self, settings: &IssuerSettings) -> Trusted {
        for (key, text) in [("issuer", &settings.issuer), ("audience", &settings.audience)] {
            if !(1..=255).contains(&text.len()) || text.chars().any(char::is_control) {
                self.add(key, "is missing, or not 1 to 255 characters");
            }
        }
        let typ = settings.typ.to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ).to_owned();
        if typ.is_empty() || typ.contains('/') {
            self.add("typ", "is no type of tokens, such as at+jwt");
        }
        if !(1..=LONGEST).contains(&settings.longest_life) {
            self.add("longestLife", &format!("is not 1 to {LONGEST} seconds"));
        }
        let algorithms = self.algorithms(&settings.algorithms);
        Trusted {
            name: settings.issuer.clone(),
            audience: settings.audience.clone(),
            typ,
            longest_life: settings.longest_life,
            keys: self.keys(settings, &algorithms),
            algorithms,
            reading: Reading {
                binding: self.binding(settings.participant.as_ref()),
                scopes: self.path("scopeClaim", &settings.scope_claim),
                may_give: self.scopes("scopes", &settings.scopes),
                roles: self.roles(&settings.roles),
                required: self.required(settings),
            },
        }
    }

    fn algorithms(&mut self, names: &[String]) -> Vec<Algorithm> {
        if names.is_empty() {
            self.add("algorithms", "is missing: a list of RS256, PS256, ES256, EdDSA");
        }
        let known = |name: &String| {
            ALGORITHMS.into_iter().find(|(known, _)| name == known).map(|(_, algorithm)| algorithm)
        };
        for name in names.iter().filter(|name| known(name).is_none()) {
            self.add("algorithms", &format!("{name:?} is none of RS256, PS256, ES256, EdDSA"));
        }
        names.iter().filter_map(known).collect()
    }

    fn keys(&mut self, settings: &IssuerSettings, algorithms: &[Algorithm]) -> Source {
        let nothing = Source::File(JwkSet::default());
        if settings.ca_file.is_some() && settings.jwks_uri.is_none() {
            self.add("caFile", "is for jwksUri only");
        }
        match (&settings.jwks_uri, &settings.jwks_file) {
            (Some(address), None) => {
                let vouching = match &settings.ca_file {
                    None => None,
                    Some(path) => match self.file("caFile", path) {
                        None => return nothing,
                        file => file,
                    },
                };
                match KeySource::new(address, vouching.as_ref().map(String::as_bytes)) {
                    Ok(source) => return Source::Address(source),
                    // The address is not repeated: a password may stand in it.
                    Err(fault @ BadSource::Address) => self.add("jwksUri", &fault.to_string()),
                    Err(fault @ (BadSource::Certificates | BadSource::NoSystem)) => {
                        self.add("caFile", &fault.to_string());
                    }
                }
            }
            (None, Some(path)) => {
                let Some(text) = self.file("jwksFile", path) else { return nothing };
                match JwkSet::read(text.as_bytes(), algorithms) {
                    Ok(set) if !set.is_empty() => return Source::File(set),
                    Ok(set) => {
                        let why = set.passed_over.join("; ");
                        self.add("jwksFile", &format!("no key in it can be used: {why}"));
                    }
                    Err(fault) => self.add("jwksFile", &format!("is {fault}")),
                }
            }
            (Some(_), Some(_)) | (None, None) => self.add("jwksUri, jwksFile", "one of them, and not both"),
        }
        nothing
    }

    fn binding(&mut self, settings: Option<&ParticipantSettings>) -> Binding {
        let Some(settings) = settings else { return Binding::Nobody };
        let ParticipantSettings { code, organisations, claim, trusted_claim } = settings;
        if claim.is_some() && organisations.is_none() {
            self.add("participant.claim", "is for organisations only");
        }
        match (code, organisations, trusted_claim) {
            (Some(code), None, None) => match code.parse::<ParticipantCode>() {
                Ok(code) => return Binding::Fixed(code),
                Err(fault) => self.add("participant.code", &format!("{code:?}: {fault}")),
            },
            (None, Some(file), None) => {
                let default = Claim::Top(ORGANISATION_NUMBER.to_owned());
                let path = self.path("participant.claim", claim.as_ref().unwrap_or(&default));
                let Some(text) = self.file("participant.organisations", file) else { return Binding::Nobody };
                match Organisations::read(&text) {
                    Ok(organisations) => return Binding::Organisation(path, organisations),
                    Err(faults) => {
                        for fault in faults {
                            self.add(&file.display().to_string(), &fault);
                        }
                    }
                }
            }
            (None, None, Some(claim)) => {
                return Binding::Named(self.path("participant.trustedClaim", claim));
            }
            _ => self.add("participant", "exactly one of code, organisations and trustedClaim"),
        }
        Binding::Nobody
    }

    fn roles(&mut self, roles: &[RoleSettings]) -> Vec<Role> {
        let role = |(i, role): (usize, &RoleSettings)| {
            let key = |name: &str| format!("roles[{i}].{name}");
            if role.value.is_empty() {
                self.add(&key("value"), "is empty");
            }
            if role.scopes.is_empty() {
                self.add(&key("scopes"), "is empty");
            }
            let claim = self.path(&key("claim"), &role.claim);
            Role { claim, value: role.value.clone(), scopes: self.scopes(&key("scopes"), &role.scopes) }
        };
        roles.iter().enumerate().map(role).collect()
    }

    fn required(&mut self, settings: &IssuerSettings) -> Vec<(Path, String)> {
        if settings.require.iter().any(|(claim, value)| claim.is_empty() || value.is_empty()) {
            self.add("require", "a claim or its value is empty");
        }
        let path = |(claim, value): (&String, &String)| (Path::new(vec![claim.clone()]), value.clone());
        settings.require.iter().map(path).collect()
    }

    fn scopes(&mut self, key: &str, names: &[String]) -> Scopes {
        let known = |name: &String| Scope::ALL.into_iter().find(|scope| scope.id() == name);
        for name in names.iter().filter(|name| known(name).is_none()) {
            let all = Scope::ALL.map(Scope::id).join(", ");
            self.add(key, &format!("{name:?} is none of {all}"));
        }
        Scopes::of(&names.iter().filter_map(known).collect::<Vec<_>>())
    }

    fn path(&mut self, key: &str, claim: &Claim) -> Path {
        let members = match claim {
            Claim::Top(name) => vec![name.clone()],
            Claim::Within(members) => members.clone(),
        };
        if members.is_empty() || members.iter().any(String::is_empty) {
            self.add(key, "names no claim");
        }
        Path::new(members)
    }

    fn file(&mut self, key: &str, path: &FilePath) -> Option<String> {
        let text = fs::read_to_string(path);
        text.map_err(|error| self.add(key, &format!("{}: {error}", path.display()))).ok()
    }
}
