//! Services that are cargo packages, as `cargo metadata` tells of them.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::Deserialize;
use tokio::process::Command;

use super::{Program, Spec, Target};
use crate::error::CommandError;

/// The package of the framework: who depends on it may be a service.
const FRAMEWORK: &str = "micro-rs";

/// Workspaces that were asked about. Each is asked once.
#[derive(Debug, Default)]
pub(super) struct Packages {
    workspaces: Vec<Workspace>,
}

/// What cargo says of a workspace; a package alone is one too.
#[derive(Debug, Deserialize)]
struct Workspace {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Built>,
    dependencies: Vec<Dependency>,
    default_run: Option<String>,
}

/// Something a package builds.
#[derive(Debug, Deserialize)]
struct Built {
    name: String,
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// None for normal ones.
    kind: Option<String>,
    path: Option<PathBuf>,
}

/// Cargo, as whoever started us has it.
pub(in super::super) fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

impl Packages {
    /// Every package in or below a folder that is a service by its looks. None when there is no cargo
    /// package in or above it.
    pub(super) async fn below(&mut self, folder: &Path) -> Result<Vec<Spec>, CommandError> {
        if !folder.ancestors().any(|above| above.join("Cargo.toml").is_file()) {
            return Ok(Vec::new());
        }
        let workspace = self.workspace(folder).await?;
        let mut services = Vec::new();
        for package in workspace.packages.iter().filter(|p| p.dir().starts_with(folder) && p.is_service()) {
            let target = workspace.target(package, None)?;
            services.push(Spec {
                name: package.name.clone(),
                dir: package.dir().to_owned(),
                program: Program::Cargo(target),
                depends: Vec::new(),
                env: Default::default(),
                watch: workspace.sources(package),
            });
        }
        Ok(services)
    }

    /// The program of the package in exactly this folder, and the folders its code comes from.
    pub(super) async fn at(
        &mut self,
        folder: &Path,
        bin: Option<&str>,
    ) -> Result<(Target, Vec<PathBuf>), CommandError> {
        let none = || {
            CommandError::not_found(format!("no cargo package in {}", folder.display()))
                .hint("name the folder of its Cargo.toml as `path`, or say with `command` what to run")
        };
        if !folder.join("Cargo.toml").is_file() {
            return Err(none());
        }
        let workspace = self.workspace(folder).await?;
        let package = workspace.packages.iter().find(|package| package.dir() == folder).ok_or_else(none)?;
        Ok((workspace.target(package, bin)?, workspace.sources(package)))
    }

    /// The workspace a folder belongs to.
    async fn workspace(&mut self, folder: &Path) -> Result<&Workspace, CommandError> {
        let known = |w: &Workspace| w.workspace_root == folder || w.packages.iter().any(|p| p.dir() == folder);
        let at = match self.workspaces.iter().position(known) {
            Some(at) => at,
            None => {
                self.workspaces.push(metadata(folder).await?);
                self.workspaces.len() - 1
            }
        };
        Ok(&self.workspaces[at])
    }
}

impl Workspace {
    /// The program to run: the one that was named, the default one, the only one, or the one with the
    /// package's name.
    fn target(&self, package: &Package, bin: Option<&str>) -> Result<Target, CommandError> {
        let bins: Vec<_> = package.bins().collect();
        let named = |name: &str| bins.iter().copied().find(|bin| *bin == name);
        let found = match (bin, bins.as_slice()) {
            (Some(bin), _) => named(bin),
            (None, [only]) => Some(*only),
            (None, _) => package.default_run.as_deref().and_then(named).or_else(|| named(&package.name)),
        };
        let Some(bin) = found else {
            let said = bin.map(|bin| format!(" called `{bin}`")).unwrap_or_default();
            let which = format!("the package {} has no program{said} to run", package.name);
            return Err(match bins.is_empty() {
                true => CommandError::invalid(which).hint("a service is a program: it needs src/main.rs"),
                false => CommandError::invalid(which)
                    .hint(format!("it has {}: say which with `bin` in micro.toml", bins.join(", "))),
            });
        };
        Ok(Target {
            workspace: self.workspace_root.clone(),
            target_dir: self.target_directory.clone(),
            package: package.name.clone(),
            bin: bin.to_owned(),
        })
    }

    /// The folders of a package and of every local package it is built from.
    fn sources(&self, package: &Package) -> Vec<PathBuf> {
        let (mut found, mut queue) = (BTreeSet::new(), vec![package.dir().to_owned()]);
        while let Some(folder) = queue.pop() {
            if let Some(package) = self.packages.iter().find(|p| p.dir() == folder)
                && !found.contains(&folder)
            {
                let built_from = package.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev"));
                queue.extend(built_from.filter_map(|d| d.path.clone()));
            }
            found.insert(folder);
        }
        found.into_iter().collect()
    }
}

impl Package {
    fn dir(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    fn bins(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().filter(|t| t.kind.iter().any(|k| k == "bin")).map(|t| t.name.as_str())
    }

    fn is_service(&self) -> bool {
        self.bins().next().is_some() && self.dependencies.iter().any(|d| d.name == FRAMEWORK && d.kind.is_none())
    }
}

/// Asks cargo. Without dependencies it needs neither network nor lock file.
async fn metadata(folder: &Path) -> Result<Workspace, CommandError> {
    let output = Command::new(cargo_program())
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|e| {
            CommandError::not_found("cannot start cargo")
                .because(e)
                .hint("services in Rust are built with cargo: install it from https://rustup.rs")
        })?;
    if !output.status.success() {
        let mut invalid = CommandError::invalid(format!("cargo cannot read the package in {}", folder.display()));
        let said = String::from_utf8_lossy(&output.stderr);
        invalid.causes.push(said.trim().trim_start_matches("error: ").to_owned());
        return Err(invalid);
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|e| CommandError::internal("cannot understand what cargo says of the package").because(e))
}
