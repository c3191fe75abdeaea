//! `handslag config`

use super::{Failure, trust};
use crate::config::Settings;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: handslag config --config /etc/handslag.toml")]
pub(super) struct Arguments {}

pub(super) fn run(settings: &Settings, _: &Arguments) -> Result<(), Failure> {
    trust::read(&settings.issuers, &settings.public_url(settings.bind)).map_err(Failure::Misconfigured)?;
    super::print(settings.describe().as_bytes())
}
