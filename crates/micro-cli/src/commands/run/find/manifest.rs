//! `micro.toml`: the services of a folder, in words.

use std::path::Path;

use super::{Program, Spec, canonical, cargo::Packages};
use crate::{config::Service, error::CommandError};

/// The service that an entry describes.
pub(super) async fn spec(
    folder: &Path,
    name: String,
    entry: Service,
    packages: &mut Packages,
) -> Result<Spec, CommandError> {
    let Service { path, bin, command, depends, env, watch } = entry;
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
