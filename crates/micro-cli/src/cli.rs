//! The root of the command line: what holds for every command.

use clap::Parser;
use micro_registry::Location;

use crate::{commands::Command, ui::Color};

/// What the root's help ends with.
const EXAMPLES: &str = "\
Examples:
  micro new hello                  Write a service that builds and runs at once
  micro run hello                  Build it, run it, and make its endpoints tools
  micro mcp list                   See the tools
  micro mcp test hello_Hello       Call one with its own example

Exit codes:
  0 done  1 internal error  2 wrong usage  3 not found  4 unavailable  5 denied  6 invalid input";

/// Every microservice is AI-native by default
///
/// Micro turns ordinary services into tools that every MCP client can call. A service says in its code
/// what it offers, joins a registry when it starts, and a gateway makes each of its endpoints a tool.
#[derive(Debug, Parser)]
#[command(name = "micro", version, after_help = EXAMPLES, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// Where services make themselves known: `file`, `file:///some/folder` or `memory`
    ///
    /// `file` is a folder of this user on this machine; nothing needs to be installed. Every command and
    /// every service that names the same registry sees the same services. Without the flag and the
    /// variable, the key `registry` of the micro.toml here counts, else `file`.
    #[arg(long, global = true, env = "MICRO_REGISTRY", hide_env_values = true, value_name = "LOCATION")]
    pub(crate) registry: Option<Location>,

    /// When to use colours; `auto` means on a terminal and unless NO_COLOR is set
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// Say more about what is done (the same as MICRO_LOG=debug)
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_registry_reaches_every_command_from_either_side() {
        for args in [
            ["micro", "--registry", "file:x", "completion", "bash"],
            ["micro", "completion", "bash", "--registry", "file:x"],
        ] {
            assert_eq!(Cli::parse_from(args).registry.unwrap().to_string(), "file:x");
        }
    }
}
