//! What every command may need, made when it is first asked for.

use std::sync::Arc;

use micro_registry::{Location, Registry, connect};

use crate::error::CommandError;

/// The world outside the terminal, as the global flags describe it.
#[derive(Debug)]
pub(crate) struct Cx {
    /// Where the registry is.
    pub(crate) location: Location,
}

impl Cx {
    pub(crate) fn new(location: Location) -> Self {
        Self { location }
    }

    /// The registry that `--registry` or `MICRO_REGISTRY` names.
    pub(crate) fn registry(&self) -> Result<Arc<dyn Registry>, CommandError> {
        Ok(connect(&self.location)?)
    }
}
