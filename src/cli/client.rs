//! `handslag client`: the systems that may ask for tokens.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Subcommand};

use super::audit::Recorded;
use super::{Failure, audit, client_keys, client_roll, open, print, tell};
use crate::config::Settings;
use crate::domain::{AuthMethod, Client, ClientId, Credential, ParticipantCode, ParticipantKind, RoundId};
use crate::export::Links;
use crate::export::clients::ClientView;
use crate::identity::secret::Secret;
use crate::service::clients::{self, Change, ClientText, NewCredential, Profile};
use crate::service::{self, Clock};
use crate::store;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a system, and make its key or secret
    Create(CreateArguments),
    /// List the clients
    #[command(after_help = "Columns: id, kind, participant, state, how it shows who it is, name.\n\n\
                            Example: handslag client list")]
    List,
    /// Print a client as JSON
    #[command(after_help = "Example: handslag client show 0180-k3v9m2qa")]
    Show {
        /// The client's id
        client: ClientId,
    },
    /// Refuse a client, and the tokens that it has, within a second on every instance
    #[command(after_help = "Example: handslag client disable 0180-k3v9m2qa")]
    Disable {
        /// The client's id
        client: ClientId,
    },
    /// Take a disabled client in again
    #[command(after_help = "Example: handslag client enable 0180-k3v9m2qa")]
    Enable {
        /// The client's id
        client: ClientId,
    },
    /// Give a client a new key, or a new secret if it has one
    Rotate(RotateArguments),
}

#[derive(Debug, clap::Args)]
#[command(
    group(ArgGroup::new("whose").required(true).args(["municipality", "participant", "analyst", "manager", "round"])),
    after_help = "What is needed to ask for tokens is printed as name=value, a line each. The private key goes to a file \
                  that only you can read; a secret is printed this once.\n\n\
                  For a whole roll, --out is a folder with a folder for each participant: its key and a sheet to send. A \
                  run that was broken off can be repeated: it goes on where it was.\n\n\
                  Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a file or the database failed.\n\n\
                  Example: handslag client create --municipality 0180 --name \"Ärendesystemet\""
)]
pub(super) struct CreateArguments {
    /// A municipality's code; short for --participant municipality:CODE
    #[arg(long, value_name = "CODE")]
    municipality: Option<String>,
    /// A participant, as kind:code
    #[arg(long, value_name = "KIND:CODE")]
    participant: Option<String>,
    /// An analyst's: lists ballots, sees results before they are public
    #[arg(long)]
    analyst: bool,
    /// A round manager's: what an analyst's may, and runs rounds
    #[arg(long)]
    manager: bool,
    /// One for each participant on the roll of a round; needs --out
    #[arg(long, value_name = "ROUND", requires = "out", conflicts_with_all = ["key", "scopes"])]
    round: Option<RoundId>,
    /// Scopes, with commas [default: all that such a client may have]
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// What the system is called; not a person [default: whose it is]
    #[arg(long)]
    name: Option<String>,
    /// With a secret in the place of a key
    #[arg(long, conflicts_with = "key")]
    secret: bool,
    /// The public key that the system has made itself: a JWK, or PEM
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    key: Option<PathBuf>,
    /// Where the private key goes, or with --round the folder for all [default: ./CLIENT-ID.pem]
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --keep-old the old key or secret ends at once; with it both are accepted until then, so \
                        that no call is refused while the system changes over.\n\n\
                        Example: handslag client rotate 0180-k3v9m2qa --keep-old 24h"
)]
pub(super) struct RotateArguments {
    /// The client's id
    client: ClientId,
    /// The public key that the system has made itself: a JWK, or PEM
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    key: Option<PathBuf>,
    /// Where the private key goes [default: ./CLIENT-ID.pem, or with a number if that is there]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// For how long the old one is still accepted: 30m, 24h, 7d
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = client_keys::duration)]
    keep_old: u32,
}

pub(super) fn run(settings: &Settings, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(arguments) => create(settings, &arguments),
        Command::List => list(settings),
        Command::Show { client } => {
            let found = find(settings, &client)?;
            let view = ClientView::new(&found, &Links::new(&settings.public_url(settings.bind)));
            let mut text = serde_json::to_vec_pretty(&view).map_err(Failure::failed)?;
            text.push(b'\n');
            print(&text)
        }
        Command::Disable { client } => disable(settings, &client, true),
        Command::Enable { client } => disable(settings, &client, false),
        Command::Rotate(arguments) => rotate(settings, &arguments),
    }
}

fn create(settings: &Settings, arguments: &CreateArguments) -> Result<(), Failure> {
    let CreateArguments { round, out, secret, .. } = arguments;
    let method = if *secret { AuthMethod::ClientSecretPost } else { AuthMethod::PrivateKeyJwt };
    if let (Some(round), Some(folder)) = (round, out) {
        return client_roll::create(settings, round, folder, method, arguments.name.as_deref());
    }
    let profile = profile(arguments)?;
    let (store, id) = (open(settings)?, clients::new_id(&profile));
    let mut shown = Shown::default();
    let credential = match (&arguments.key, method) {
        (Some(file), _) => client_keys::given(file)?,
        (None, AuthMethod::ClientSecretPost) => shown.secret(),
        (None, AuthMethod::PrivateKeyJwt) => {
            let path = out.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.pem")));
            shown.key(&path)?
        }
    };
    let target = audit::client(&id, profile.participant.as_ref());
    let made = audit::done_and_recorded(
        &store,
        "client create",
        |_| target,
        || Ok(clients::create(&mut store.connect()?, id.clone(), &profile, credential, Clock::System.now())?),
    );
    shown.unless_undone(settings, &id, made)
}

fn profile(arguments: &CreateArguments) -> Result<Profile, Failure> {
    let participant = match (&arguments.municipality, &arguments.participant) {
        (Some(code), _) => {
            let code: ParticipantCode = code.parse().map_err(Failure::refused)?;
            if code.kind() != ParticipantKind::Municipality {
                return Err(Failure::refused("a municipality's code has four digits, such as 0180"));
            }
            Some(code.qualified())
        }
        (None, participant) => participant.clone(),
    };
    let kind = match (&participant, arguments.manager) {
        (Some(_), _) => "participant",
        (None, true) => "manager",
        (None, false) => "analyst",
    };
    let name = arguments.name.clone().or_else(|| participant.clone()).unwrap_or_else(|| kind.to_owned());
    let scopes = arguments.scopes.clone();
    let text = ClientText { kind: kind.to_owned(), participant, scopes, name };
    clients::read(&text).map_err(|faults| service::Error::Invalid(faults).into())
}

fn rotate(settings: &Settings, arguments: &RotateArguments) -> Result<(), Failure> {
    let RotateArguments { client: id, key, out, keep_old } = arguments;
    let client = find(settings, id)?;
    let mut shown = Shown::default();
    let credential = match (key, client.method) {
        (Some(file), _) => client_keys::given(file)?,
        (None, AuthMethod::ClientSecretPost) => shown.secret(),
        (None, AuthMethod::PrivateKeyJwt) => {
            let path = out.clone().unwrap_or_else(|| client_keys::free_name(id));
            shown.key(&path)?
        }
    };
    let change = Change::Rotate(credential, *keep_old);
    let store = open(settings)?;
    let target = audit::client(id, client.participant.as_ref());
    let changed = audit::done_and_recorded(
        &store,
        "client rotate",
        |_| target,
        || {
            let now = Clock::System.now();
            Ok(clients::change(&mut store.connect()?, id, change, now, |_| true)?)
        },
    );
    shown.unless_undone(settings, id, changed)
}

fn disable(settings: &Settings, id: &ClientId, disabled: bool) -> Result<(), Failure> {
    let change = Change::Patch { name: None, disabled: Some(disabled) };
    let (store, name) = (open(settings)?, if disabled { "client disable" } else { "client enable" });
    let known = store.read(|conn| store::clients::find(conn, id))?;
    let target = audit::client(id, known.and_then(|client| client.participant).as_ref());
    let client = audit::recorded(&store, name, target, || {
        Ok(clients::change(&mut store.connect()?, id, change, Clock::System.now(), |_| true)?)
    })?;
    tell(&line(&client));
    Ok(())
}

fn find(settings: &Settings, id: &ClientId) -> Result<Client, Failure> {
    let found = open(settings)?.read(|conn| store::clients::find(conn, id))?;
    found.ok_or_else(|| service::Error::NoSuchClient.into())
}

fn list(settings: &Settings) -> Result<(), Failure> {
    let clients = open(settings)?.read(store::clients::all)?;
    print(clients.iter().map(line).collect::<String>().as_bytes())
}

fn line(client: &Client) -> String {
    let Client { id, kind, method, name, .. } = client;
    let participant = client.participant.as_ref().map_or_else(|| "-".to_owned(), ParticipantCode::qualified);
    let state = if client.disabled_at.is_some() { "disabled" } else { "active" };
    format!("{id}\t{kind}\t{participant}\t{state}\t{method}\t{name}\n")
}

/// What the caller is to be given, which is nowhere else.
#[derive(Default)]
struct Shown {
    file: Option<PathBuf>,
    secret: Option<Secret>,
}

impl Shown {
    fn secret(&mut self) -> NewCredential {
        let secret = Secret::new();
        let credential = client_keys::of_secret(&secret);
        self.secret = Some(secret);
        credential
    }

    fn key(&mut self, path: &Path) -> Result<NewCredential, Failure> {
        let credential = client_keys::made(path)?;
        self.file = Some(path.to_owned());
        Ok(credential)
    }

    /// Prints it with the client that it is for; a key that came to nothing is removed again.
    fn unless_undone(
        self,
        settings: &Settings,
        id: &ClientId,
        done: Result<Recorded<Client>, Failure>,
    ) -> Result<(), Failure> {
        let Recorded { done: client, told } = done.inspect_err(|failure| match (&self.file, failure) {
            (None, _) => {}
            (Some(file), Failure::Failed(_)) => tell(&format!(
                "{} is kept: whether its key was registered tells handslag client show {id}\n",
                file.display()
            )),
            (Some(file), _) => {
                // It is of no use to anybody; that it cannot be removed either is no second failure.
                let _ = std::fs::remove_file(file);
            }
        })?;
        let issuer = settings.public_url(settings.bind);
        let of_key = |_: &&Credential| client.method == AuthMethod::PrivateKeyJwt;
        let lines = [
            ("client_id", Some(client.id.to_string())),
            ("kid", client.credentials.last().filter(of_key).map(|credential| credential.id.clone())),
            ("key_file", self.file.as_ref().map(|file| file.display().to_string())),
            ("client_secret", self.secret.as_ref().map(|secret| secret.text().to_owned())),
            ("issuer", Some(issuer.clone())),
            ("token_endpoint", Some(format!("{issuer}/oauth/token"))),
        ];
        let line = |(name, value): (&str, Option<String>)| Some(format!("{name}={}\n", value?));
        let text: String = lines.into_iter().filter_map(line).collect();
        print(text.as_bytes()).map_err(|failure| match failure {
            Failure::Failed(error) => {
                Failure::Failed(format!("{error}; client {id} is registered, see handslag client rotate"))
            }
            failure => failure,
        })?;
        told
    }
}
