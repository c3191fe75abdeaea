//! `handslag login` and `handslag logout`: who one is, at which service.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::ArgGroup;
use serde::Deserialize;
use ureq::http::Uri;
use zeroize::Zeroizing;

use super::address;
use super::exchange::{Request, Sent, agent};
use super::private_file;
use super::profile::{Chosen, ClientIdText, Credential, Kept, Place, Service, failed};
use super::session::language;
use super::token::Token;
use crate::cli::ballot_input::is_standard;
use crate::cli::{Failure, tell};
use crate::domain::ClientId;

#[derive(Debug, clap::Args)]
#[command(
    group(ArgGroup::new("with").required(true).args(["key", "secret_file"])),
    after_help = "Asks for a token once, and keeps the profile if there is one. The key or secret is copied to the \
                  configuration folder ($XDG_CONFIG_HOME, else ~/.config), where only you can read it; --key must be a \
                  file that only you can read.\n\n\
                  Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a file or the network failed.\n\n\
                  Example: handslag login --url https://handslag.example.se --client 0180-k3v9m2qa --key 0180-k3v9m2qa.pem"
)]
pub(in crate::cli) struct LoginArguments {
    /// The address of the service
    #[arg(long, value_name = "URL", value_parser = address::service)]
    url: String,
    /// The client's id
    #[arg(long, value_name = "ID")]
    client: ClientId,
    /// The client's private key, as `client create` makes it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A file with the client's secret; - for standard input
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Removes the profile with its key and its token from this machine. The service is not told: a client \
                  whose key others may have seen must be disabled there.\n\n\
                  Exit codes: 0 done, 1 there is no such profile, 2 wrong usage, 3 a file failed.\n\n\
                  Example: handslag logout --profile test"
)]
pub(in crate::cli) struct LogoutArguments {
    #[command(flatten)]
    chosen: Chosen,
}

pub(in crate::cli) fn login(arguments: &LoginArguments) -> Result<(), Failure> {
    let place = Place::of(&arguments.chosen)?;
    let kept = read(arguments)?;
    let language = language();
    let agent = agent(&arguments.url)?;
    let service = find(&agent, &arguments.url)?;
    let client = ClientIdText::from(arguments.client.clone());
    let token = Token::fetch(&agent, &service, &client, &kept.credential, language)?;
    place.keep(service, client, &kept)?;
    token.keep(&place);
    let (id, url, file) = (&arguments.client, &arguments.url, place.file());
    let file = file.display();
    let whose = match token.participant() {
        Some(code) => language.pick(format!(" för {code}"), format!(" for {code}")),
        None => String::new(),
    };
    tell(&language.pick(
        format!("Inloggad hos {url} som {id}{whose}. Profilen är sparad i {file}.\n"),
        format!("Logged in at {url} as {id}{whose}. The profile is kept in {file}.\n"),
    ));
    Ok(())
}

pub(in crate::cli) fn logout(arguments: &LogoutArguments) -> Result<(), Failure> {
    let name = &arguments.chosen.profile;
    if !Place::of(&arguments.chosen)?.remove()? {
        return Err(Failure::refused(
            language().pick(format!("det finns ingen profil {name}"), format!("there is no profile {name}")),
        ));
    }
    tell(
        &language()
            .pick(format!("Profilen {name} är borttagen.\n"), format!("The profile {name} is removed.\n")),
    );
    Ok(())
}

/// The key or secret, and the text that is to be kept of it.
fn read(arguments: &LoginArguments) -> Result<Kept, Failure> {
    let text = |path: &Path| private_file::read(path).map_err(|error| failed(path, &error));
    if let Some(path) = &arguments.key {
        return Ok(Kept { credential: Credential::key(path)?, content: text(path)? });
    }
    let path = arguments.secret_file.as_deref().unwrap_or(Path::new("-"));
    let content = if is_standard(path) {
        let mut content = Zeroizing::new(String::new());
        std::io::stdin().read_to_string(&mut content).map_err(|error| failed(path, &error))?;
        content
    } else {
        text(path)?
    };
    let secret = Zeroizing::new(content.trim().to_owned());
    if secret.is_empty() {
        let path = path.display();
        return Err(Failure::refused(
            language()
                .pick(format!("{path}: innehåller ingen hemlighet"), format!("{path}: holds no secret")),
        ));
    }
    Ok(Kept { credential: Credential::Secret(secret), content })
}

/// What is read of what the authorization server says of itself (RFC 8414).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
}

/// Asks a service where its tokens are.
fn find(agent: &ureq::Agent, url: &str) -> Result<Service, Failure> {
    let request = Request::get(format!("{url}/.well-known/oauth-authorization-server"));
    let answer = match request.send(agent, &[])? {
        Sent::Answer(answer) => answer,
        Sent::Lost(why) => return Err(Failure::failed(format!("{url}: {why}"))),
    };
    if answer.status != 200 {
        let status = answer.status;
        return Err(Failure::failed(language().pick(
            format!("{url} säger inte var åtkomstbiljetter hämtas: svaret var {status}"),
            format!("{url} does not say where its tokens are: it answered {status}"),
        )));
    }
    let Metadata { issuer, token_endpoint } = answer.json()?;
    // Else a token could be asked for in the name of another service (RFC 8414, section 3.3).
    if issuer != url {
        return Err(Failure::refused(language().pick(
            format!("{url} kallar sig {issuer}: logga in där, om det är det du menar"),
            format!("{url} calls itself {issuer}: log in there, if that is what you mean"),
        )));
    }
    if !token_endpoint.parse::<Uri>().is_ok_and(|uri| address::may_be_asked(&uri)) {
        return Err(Failure::refused(language().pick(
            format!("{token_endpoint}: åtkomstbiljetter hämtas bara över https"),
            format!("{token_endpoint}: tokens are fetched over https only"),
        )));
    }
    Ok(Service { url: url.to_owned(), token_endpoint })
}
