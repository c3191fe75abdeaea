//! Logs: structured, to standard error. No tokens, no bodies, no names of people.
//! Metrics and traces have modules of their own.

pub mod metrics;
pub mod traces;

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, LogLevel, Settings};

/// Starts writing logs as the settings say.
pub fn start(settings: &Settings) {
    let level = match settings.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let terminal = std::io::stderr().is_terminal();
    let format = settings.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    // The server tells of every malformed request as an error of its own: any stranger could ring the alarm.
    let targets = Targets::new().with_default(level).with_target("actix_http", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(terminal);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // A second start, in a process that logs already, changes nothing.
    let _ = tracing_subscriber::registry().with(lines.with_filter(targets)).try_init();
}
