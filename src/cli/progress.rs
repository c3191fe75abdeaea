//! How far a command has come, told where somebody looks at a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error; hidden where that is no terminal or there is nothing to count.
pub(super) fn progress(length: u64, template: &str) -> ProgressBar {
    let shown = std::io::stderr().is_terminal() && length > 0;
    let bar = if shown { ProgressBar::new(length) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
