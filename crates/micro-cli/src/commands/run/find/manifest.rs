//! `micro.toml`: the services of a folder, in words.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{Program, Spec, canonical, cargo::Packages};
use crate::{config, error::CommandError};

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) services: BTreeMap<String, Entry>,
    /// Read by whoever builds the gateway.
    pub(super) gateway: Option<toml::Table>,
    /// Read before, as by every command.
    #[serde(rename = "registry")]
    _registry: serde::de::IgnoredAny,
}

/// One `[services.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Entry {
    /// Its folder, relative to the file. Default: the file's own.
    path: PathBuf,
    /// The program to run, when the package has several.
    bin: Option<String>,
    /// A command to run instead of a cargo package.
    command: Option<Vec<String>>,
    /// Services that must be up first.
    depends: Vec<String>,
    /// Variables for it.
    env: BTreeMap<String, String>,
    /// Folders to watch instead of its own, relative to its own.
    watch: Vec<PathBuf>,
}

/// Reads the `micro.toml` of a folder, when it has one.
pub(super) fn read(folder: &Path) -> Result<Option<Manifest>, CommandError> {
    config::read(&folder.join(config::NAME)).map_err(|error| {
        error.hint(
            "a service is `[services.NAME]` with path, command, bin, depends, env or watch; the gateway is `[gateway]`",
        )
    })
}

/// The service that an entry describes.
pub(super) async fn spec(
    folder: &Path,
    name: String,
    entry: Entry,
    packages: &mut Packages,
) -> Result<Spec, CommandError> {
    let Entry { path, bin, command, depends, env, watch } = entry;
    let dir = canonical(&folder.join(path)).map_err(|e| e.hint(format!("it is the path of [services.{name}]")))?;
    let (program, watched) = match (command, bin) {
        (Some(command), None) if !command.is_empty() => (Program::Command(command), vec![dir.clone()]),
        (Some(_), None) => {
            return Err(CommandError::invalid(format!("[services.{name}]: `command` is empty"))
                .hint("write the program and its arguments: command = [\"python3\", \"main.py\"]"));
        }
        (Some(_), Some(_)) => {
            return Err(CommandError::invalid(format!("[services.{name}] has both `command` and `bin`"))
                .hint("`bin` names a program of a cargo package, `command` replaces the package; keep one"));
        }
        (None, bin) => {
            let (target, watched) = packages.at(&dir, bin.as_deref()).await?;
            (Program::Cargo(target), watched)
        }
    };
    let watch = match watch.is_empty() {
        true => watched,
        false => watch.iter().map(|path| canonical(&dir.join(path))).collect::<Result<_, _>>()?,
    };
    Ok(Spec { name, dir, program, depends, env, watch })
}
