//! One file a command: its doc comment is its help, `Args` its flags, `run` what it does.

mod audit;
mod auth;
mod call;
mod completion;
mod config;
mod describe;
mod doctor;
mod help_markdown;
mod leash;
mod mcp;
mod new;
mod run;
mod server;
mod services;
mod trace;

use std::path::PathBuf;

use clap::Subcommand;

use crate::{config as file, cx::Cx, error::CommandError, ui::Ui};

/// Every command, in the order of the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::Args),
    Run(run::Args),
    Server(server::Args),
    Services(services::Args),
    Describe(describe::Args),
    Call(call::Args),
    Mcp(mcp::Args),
    Auth(auth::Args),
    Config(config::Args),
    Audit(audit::Args),
    Trace(trace::Args),
    Doctor(doctor::Args),
    Completion(completion::Args),
    HelpMarkdown(help_markdown::Args),
    Leash(leash::Args),
}

impl Command {
    /// Which logs are shown when nobody says. What runs for long tells of its course.
    pub(crate) fn logs(&self) -> &'static str {
        match self {
            Self::Server(_) => "info",
            _ => "warn",
        }
    }

    /// The files whose `registry` counts when neither flag nor variable name one.
    pub(crate) fn configs(&self) -> Vec<PathBuf> {
        match self {
            Self::Run(args) => args.configs(),
            Self::Server(args) => args.configs(),
            Self::New(_)
            | Self::Audit(_)
            | Self::Auth(_)
            | Self::Config(_)
            | Self::Trace(_)
            | Self::Completion(_)
            | Self::HelpMarkdown(_)
            | Self::Leash(_) => Vec::new(),
            _ => vec![file::NAME.into()],
        }
    }

    pub(crate) async fn run(self, ui: &mut Ui, cx: &Cx) -> Result<(), CommandError> {
        match self {
            Self::New(args) => new::run(ui, cx, args).await,
            Self::Run(args) => run::run(ui, cx, args).await,
            Self::Server(args) => server::run(ui, cx, args).await,
            Self::Services(args) => services::run(ui, cx, args).await,
            Self::Describe(args) => describe::run(ui, cx, args).await,
            Self::Call(args) => call::run(ui, cx, args).await,
            Self::Mcp(args) => mcp::run(ui, cx, args).await,
            Self::Auth(args) => auth::run(ui, cx, args).await,
            Self::Config(args) => config::run(ui, cx, args).await,
            Self::Audit(args) => audit::run(ui, args).await,
            Self::Trace(args) => trace::run(ui, args).await,
            Self::Doctor(args) => doctor::run(ui, cx, args).await,
            Self::Completion(args) => completion::run(ui, cx, args).await,
            Self::HelpMarkdown(args) => help_markdown::run(ui, cx, args).await,
            Self::Leash(args) => leash::run(ui, cx, args).await,
        }
    }
}
