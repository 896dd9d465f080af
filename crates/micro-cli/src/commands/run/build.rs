//! Building services with cargo: one call a workspace, visible progress, and a copy of each program that
//! later builds do not touch.

mod keep;
mod messages;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
    time::Instant,
};

use self::messages::{Progress, is_progress};
use super::{
    find::{Target, cargo_program},
    logs::Screen,
};
use crate::error::CommandError;

pub(super) use self::keep::Keep;

/// A program that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// Our copy of it.
    pub(super) program: PathBuf,
    /// Changes with the program's content.
    pub(super) digest: u64,
    /// The files it was built from, as cargo noted them.
    pub(super) inputs: BTreeSet<PathBuf>,
}

/// Builds programs, all of one workspace in one call.
///
/// # Errors
/// When one does not build; what the compiler said has been printed by then.
pub(super) async fn build(
    targets: &BTreeMap<String, Target>,
    release: bool,
    keep: &Keep,
    screen: &Screen,
) -> Result<BTreeMap<String, Version>, CommandError> {
    let workspaces: BTreeSet<_> = targets.values().map(|target| &target.workspace).collect();
    let mut versions = BTreeMap::new();
    for workspace in workspaces {
        let here: Vec<_> = targets.iter().filter(|(_, target)| target.workspace == *workspace).collect();
        let built = cargo(workspace, &here, release, screen).await?;
        for (name, target) in here {
            let program = built.get(&target.bin).ok_or_else(|| {
                CommandError::internal(format!("cargo built {} but did not say where it is", target.bin))
            })?;
            versions.insert(name.clone(), keep.version(&target.target_dir, program).await?);
        }
    }
    Ok(versions)
}

/// One call of cargo: programs by name.
async fn cargo(
    workspace: &Path,
    targets: &[(&String, &Target)],
    release: bool,
    screen: &Screen,
) -> Result<BTreeMap<String, PathBuf>, CommandError> {
    let names: Vec<_> = targets.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(", ");
    let mut command = Command::new(cargo_program());
    command.args(["build", "--message-format=json-render-diagnostics"]);
    if release {
        command.arg("--release");
    }
    if screen.is_live() {
        command.args(["--color", "always"]); // our stream strips it where it does not belong
    }
    for (_, target) in targets {
        command.args(["--package", &target.package, "--bin", &target.bin]);
    }
    let started = Instant::now();
    let mut child = command
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| CommandError::not_found("cannot start cargo").because(e))?;
    let (out, err) = (child.stdout.take().expect("stdout is piped"), child.stderr.take().expect("stderr is piped"));

    screen.say(format_args!("building {names}"));
    let (progress, ()) = tokio::join!(follow(out, &names, started, screen), diagnostics(err, screen));
    screen.status("");
    let status = child.wait().await.map_err(|e| CommandError::internal("cannot wait for cargo").because(e))?;
    if !status.success() {
        return Err(
            CommandError::invalid(format!("{names} cannot be built")).hint("the compiler's messages stand above")
        );
    }
    let Progress { fresh, compiled, programs, .. } = progress;
    let took = Duration::from_millis(started.elapsed().as_millis().try_into().unwrap_or(u64::MAX));
    screen.say(format_args!("built {names} in {took:?} ({compiled} compiled, {fresh} fresh)"));
    Ok(programs)
}

/// Reads what cargo tells programs, and shows how far it is.
async fn follow(out: impl AsyncRead + Unpin, names: &str, started: Instant, screen: &Screen) -> Progress {
    let mut progress = Progress::default();
    let mut lines = BufReader::new(out).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        if progress.take(&String::from_utf8_lossy(&line)) {
            let (done, seconds) = (progress.fresh + progress.compiled, started.elapsed().as_secs());
            screen.status(&format!("building {names}: {done} crates, {seconds} s, {}", progress.latest));
        }
    }
    progress
}

/// Prints what the compiler tells people. Cargo's own steps are left to the progress line, except where
/// there is none.
async fn diagnostics(err: impl AsyncRead + Unpin, screen: &Screen) {
    let live = screen.is_live();
    let mut lines = BufReader::new(err).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).into_owned();
        if !(live && is_progress(&line)) {
            screen.print(line);
        }
    }
}
