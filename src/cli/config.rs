//! `handslag config`

use crate::config::Settings;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: handslag config --config /etc/handslag.toml")]
pub(super) struct Arguments {}

pub(super) fn run(settings: &Settings, _: &Arguments) -> Result<(), super::Failure> {
    super::print(settings.describe().as_bytes())
}
