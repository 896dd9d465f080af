//! `micro completion`: completion scripts for shells.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{cli::Cli, cx::Cx, error::CommandError, ui::Ui};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro completion bash > ~/.local/share/bash-completion/completions/micro
  micro completion zsh > ~/.zfunc/_micro
  micro completion fish > ~/.config/fish/completions/micro.fish";

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell to complete in
    shell: Shell,
}

pub(crate) async fn run(ui: &mut Ui, _cx: &Cx, args: Args) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "micro", &mut script);
    ui.data(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
