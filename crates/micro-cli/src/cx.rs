//! What every command may need, made when it is first asked for.

use std::{path::PathBuf, sync::Arc};

use micro_registry::{Location, Registry, connect};

use crate::{config, error::CommandError};

/// The world outside the terminal, as flags, variables and files describe it.
#[derive(Debug)]
pub(crate) struct Cx {
    /// Where the registry is.
    pub(crate) location: Location,
}

impl Cx {
    /// What flag or variable say wins over the files, those over the default.
    pub(crate) fn new(given: Option<Location>, files: &[PathBuf]) -> Result<Self, CommandError> {
        let location = match given {
            Some(location) => location,
            None => config::registry(files)?.unwrap_or_default(),
        };
        Ok(Self { location })
    }

    /// The registry itself.
    pub(crate) fn registry(&self) -> Result<Arc<dyn Registry>, CommandError> {
        Ok(connect(&self.location)?)
    }
}
