//! The `handslag` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    handslag::cli::main()
}
