//! The `micro` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    micro_cli::main()
}
