//! What there is to run in some folders.
//!
//! A folder says it itself in a `micro.toml`; else every cargo package in it that depends on `micro-rs`
//! and has a program is a service. Paths in the answer are absolute.

mod cargo;
mod manifest;
mod order;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::{Path, PathBuf},
};

use crate::{
    config,
    error::{CommandError, Kind},
};

use self::cargo::Packages;
pub(super) use self::cargo::cargo_program;

/// Everything to run, dependencies first.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) services: Vec<Spec>,
    /// The `micro.toml` that has a `[gateway]` table.
    pub(super) gateway: Option<PathBuf>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    /// What it is called on the screen and in `depends`. The registry may know it by another name.
    pub(super) name: String,
    /// Where it runs.
    pub(super) dir: PathBuf,
    pub(super) program: Program,
    /// Services that must be up first.
    pub(super) depends: Vec<String>,
    /// Variables it gets besides ours.
    pub(super) env: BTreeMap<String, String>,
    /// Folders whose changes may concern it.
    pub(super) watch: Vec<PathBuf>,
}

/// What a service is started as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Program {
    /// A program that cargo builds.
    Cargo(Target),
    /// A command, in any language.
    Command(Vec<String>),
}

/// A program of a cargo package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Root of the workspace it belongs to.
    pub(super) workspace: PathBuf,
    /// Where cargo puts what it builds.
    pub(super) target_dir: PathBuf,
    pub(super) package: String,
    pub(super) bin: String,
}

/// Finds the services of several folders.
pub(super) async fn find(folders: &[PathBuf]) -> Result<Plan, CommandError> {
    let mut packages = Packages::default();
    let mut plan = Plan { services: Vec::new(), gateway: None };
    let mut seen = HashSet::new();
    for folder in folders {
        let folder = canonical(folder)?;
        if seen.insert(folder.clone()) {
            one(&folder, &mut packages, &mut plan).await?;
        }
    }
    plan.services = order::order(plan.services)?;
    Ok(plan)
}

/// Adds the services of one folder. Finding none is an error that says how it would be.
async fn one(folder: &Path, packages: &mut Packages, plan: &mut Plan) -> Result<(), CommandError> {
    let before = plan.services.len();
    let file = folder.join(config::NAME);
    if let Some(settings) = config::read(&file)? {
        if settings.sets("gateway") && plan.gateway.replace(file).is_some() {
            return Err(CommandError::invalid("two of the folders have a [gateway] table in their micro.toml")
                .hint("one gateway serves all services: keep one of the tables"));
        }
        for (name, entry) in settings.value.services {
            plan.services.push(manifest::spec(folder, name, entry, packages).await?);
        }
        if plan.services.len() > before {
            return Ok(());
        }
    }
    plan.services.extend(packages.below(folder).await?);
    if plan.services.len() == before {
        // A folder of independent packages, as `micro new` makes them side by side.
        for child in children(folder) {
            match config::read(&child.join(config::NAME))? {
                Some(_) => Box::pin(one(&child, packages, plan)).await?,
                None => plan.services.extend(packages.below(&child).await?),
            }
        }
    }
    if plan.services.len() > before {
        return Ok(());
    }
    Err(CommandError::not_found(format!("no service in {}", folder.display()))
        .hint("a service is a cargo package with a program that depends on micro-rs; make one with `micro new hello`")
        .hint("or list services in a micro.toml: [services.users] with path = \"./users\" or command = [\"…\"]"))
}

/// Folders right below this one that hold a package or a `micro.toml`, by name.
fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let holds = |path: &PathBuf| ["Cargo.toml", "micro.toml"].iter().any(|file| path.join(file).is_file());
    let mut found: Vec<_> = entries.map(|entry| entry.path()).filter(holds).collect();
    found.sort();
    found
}

fn canonical(folder: &Path) -> Result<PathBuf, CommandError> {
    let shown = folder.display();
    match folder.canonicalize() {
        Ok(path) if path.is_dir() => Ok(path),
        Ok(_) => Err(CommandError::invalid(format!("{shown} is not a folder"))
            .hint("name the folder of a service, of a cargo workspace or of a micro.toml")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(CommandError::not_found(format!("there is no folder {shown}")))
        }
        Err(error) => Err(CommandError::new(Kind::Invalid, format!("cannot use {shown}")).because(error)),
    }
}
