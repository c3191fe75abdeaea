//! `handslag doctor`: whether this machine, its files and its database are fit for the service, and what to do if not.
//! It changes nothing.

mod database;
mod edge;
mod files;
mod settings;
mod url;

use clap::ValueEnum;
use serde::Serialize;

use super::{Failure, print};
use crate::config::Settings;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Run it as the user and with the settings of the service. Each line is ok, warn or fail, and says what to \
                  do. When a backup was made last cannot be known here.\n\n\
                  Exit codes: 0 nothing fails, 1 something does, 2 wrong usage.\n\n\
                  Example: handslag doctor --config /etc/handslag.toml --url http://127.0.0.1:8080"
)]
pub(super) struct Arguments {
    /// Also ask a service that runs here whether it is ready and what time it has
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// In which form
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and should be otherwise.
    Warn,
    /// The service does not work like this, or not safely.
    Fail,
}

/// What was looked at, and how it is.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, what: what.into(), advice: None }
    }

    fn warn(check: &'static str, what: impl Into<String>, advice: &'static str) -> Self {
        Self { check, verdict: Verdict::Warn, what: what.into(), advice: Some(advice) }
    }

    fn fail(check: &'static str, what: impl Into<String>, advice: &'static str) -> Self {
        Self { check, verdict: Verdict::Fail, what: what.into(), advice: Some(advice) }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    verdict: Verdict,
    findings: &'a [Finding],
}

pub(super) fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let mut findings = files::look(settings);
    findings.extend(database::look(settings));
    findings.extend(settings::look(settings));
    findings.extend(edge::look(settings));
    if let Some(address) = &arguments.url {
        findings.extend(url::look(address));
    }
    let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
    let text = match arguments.format {
        Form::Text => findings.iter().map(line).collect(),
        Form::Json => {
            let report = Report { verdict, findings: &findings };
            serde_json::to_string_pretty(&report).map_err(Failure::failed)? + "\n"
        }
    };
    print(text.as_bytes())?;
    // What there is to say has been said.
    if verdict == Verdict::Fail { Err(Failure::Wrong(Vec::new())) } else { Ok(()) }
}

fn line(finding: &Finding) -> String {
    let Finding { check, verdict, what, advice } = finding;
    let verdict = match verdict {
        Verdict::Ok => "ok  ",
        Verdict::Warn => "warn",
        Verdict::Fail => "FAIL",
    };
    let advice = advice.map(|advice| format!("      {advice}\n")).unwrap_or_default();
    format!("{verdict}  {check}: {what}\n{advice}")
}
