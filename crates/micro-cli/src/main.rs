//! The `micro` command.

use std::process::ExitCode;

/// Calls allocate in small, short-lived pieces on many threads, which is what it is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    micro_cli::main()
}
