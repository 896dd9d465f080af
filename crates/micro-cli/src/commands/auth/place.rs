//! Where the things are that `micro auth` manages: the store that the gateway uses.

use std::path::PathBuf;

use micro_gateway::Config;
use micro_store::{Location, Store};

use crate::{
    config::Reading,
    error::{CommandError, Kind},
};

/// The gateway's store.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The gateway's store, for example `sqlite:micro.db`
    #[arg(long, value_name = "STORE", env = "MICRO_GATEWAY_STORE")]
    store: Option<Location>,
    /// The file whose `[gateway]` table names the store [default: the micro.toml here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    /// Opens the store, which must be one that others have too.
    pub(crate) fn open(&self) -> Result<Store, CommandError> {
        let location = match &self.store {
            Some(location) => location.clone(),
            None => self.gateway()?.store,
        };
        if location == Location::Memory {
            return Err(CommandError::usage("no store that outlives this command is named").hint(
                "name the gateway's with --store sqlite:FILE, or as `store` in the [gateway] table of micro.toml",
            ));
        }
        location.open().map_err(|error| CommandError::new(Kind::Unavailable, error.to_string()).because(error))
    }

    /// What else the gateway is told.
    pub(super) fn gateway(&self) -> Result<Config, CommandError> {
        Ok(Reading::of(self.config.as_deref()).load()?.value.gateway)
    }
}
