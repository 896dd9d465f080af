//! One file a command: its doc comment is its help, `Args` its flags, `run` what it does.

mod completion;
mod help_markdown;
mod new;

use clap::Subcommand;

use crate::{cx::Cx, error::CommandError, ui::Ui};

/// Every command, in the order of the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::Args),
    Completion(completion::Args),
    HelpMarkdown(help_markdown::Args),
}

impl Command {
    pub(crate) async fn run(self, ui: &mut Ui, cx: &Cx) -> Result<(), CommandError> {
        match self {
            Self::New(args) => new::run(ui, cx, args).await,
            Self::Completion(args) => completion::run(ui, cx, args).await,
            Self::HelpMarkdown(args) => help_markdown::run(ui, cx, args).await,
        }
    }
}
