//! `micro.toml`: read by every command for the key that concerns it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use micro_registry::Location;
use serde::{Deserialize, de::DeserializeOwned};

use crate::error::{CommandError, Kind};

/// The name under which commands look for it.
pub(crate) const NAME: &str = "micro.toml";

/// Reads one; each reader names the tables it knows. `None` when there is no such file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, CommandError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(CommandError::new(Kind::Invalid, format!("cannot read {}", path.display())).because(error));
        }
    };
    toml::from_str(&text).map(Some).map_err(|error| {
        let mut invalid = CommandError::invalid(format!("{} cannot be understood", path.display()));
        invalid.causes.push(error.to_string().trim_end().to_owned());
        invalid
    })
}

/// The registry that the first of these files names which names one.
pub(crate) fn registry(files: &[PathBuf]) -> Result<Option<Location>, CommandError> {
    #[derive(Deserialize)]
    struct File {
        registry: Option<String>,
    }
    for path in files {
        let Some(File { registry: Some(text) }) = read(path)? else { continue };
        let location = text.parse().map_err(|error: micro_registry::Error| {
            CommandError::invalid(format!("`registry` in {} names none", path.display())).because(error)
        })?;
        return Ok(Some(match location {
            Location::File(Some(folder)) => Location::File(Some(path.with_file_name("").join(folder))),
            other => other,
        }));
    }
    Ok(None)
}

/// The store of the gateway that this file describes.
pub(crate) fn store(path: &Path) -> Result<micro_store::Location, CommandError> {
    #[derive(Default, Deserialize)]
    struct File {
        #[serde(default)]
        gateway: Table,
    }
    #[derive(Default, Deserialize)]
    struct Table {
        store: Option<String>,
    }
    let Some(File { gateway: Table { store: Some(text) } }) = read(path)? else {
        return Ok(micro_store::Location::Memory);
    };
    text.parse().map_err(|error: micro_store::Error| {
        CommandError::invalid(format!("`gateway.store` in {} names none", path.display())).because(error)
    })
}
