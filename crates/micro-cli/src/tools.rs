//! The tools that agents see, through a gateway core inside this process.

use micro_gateway::{Catalog, Config, Core, ToolNames};

use crate::{
    cx::Cx,
    error::{CommandError, Kind},
    fleet,
};

/// Which form of a tool's name is shown. A call by either form always works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Names {
    /// `users_Get`: every known host accepts it
    Safe,
    /// `users.Users.Get`: as in the registry, audit and scopes
    Canonical,
}

impl Names {
    /// As micro.toml calls it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Canonical => "canonical",
        }
    }
}

impl From<Names> for ToolNames {
    fn from(names: Names) -> Self {
        match names {
            Names::Safe => Self::Safe,
            Names::Canonical => Self::Canonical,
        }
    }
}

/// A gateway core that knows the registry's services.
pub(crate) async fn core(cx: &Cx, config: &Config) -> Result<Core, CommandError> {
    let core = config.core(cx.registry()?, false).map_err(failed)?;
    settled(core.catalog()).await?;
    Ok(core)
}

/// Waits until the catalog has been read from the registry.
pub(crate) async fn settled(catalog: &Catalog) -> Result<(), CommandError> {
    let mut state = catalog.state();
    let ready = tokio::time::timeout(fleet::PATIENCE, state.wait_for(|state| state.ready)).await.is_ok();
    if ready {
        return Ok(());
    }
    let problem = catalog.state().borrow().problem.clone();
    Err(problem.map_or_else(fleet::silent, CommandError::unavailable))
}

/// What a gateway says when it cannot be built. What the system refused (a taken address, a file that
/// cannot be written) is no fault of ours.
pub(crate) fn failed(error: micro_core::Error) -> CommandError {
    let refused = error.source().is_some_and(|source| source.is::<std::io::Error>());
    let mut out = CommandError::from(error);
    if refused {
        out.kind = Kind::Unavailable;
    }
    out
}
