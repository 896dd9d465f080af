//! `micro.toml`, with what variables and flags say instead.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use micro_gateway::{Config, Handle};
use micro_registry::Location;
use micro_runtime::config::{Change, Invalid, Loaded, Sources, Watch};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::{CommandError, Kind};

/// The name under which commands look for it.
pub(crate) const NAME: &str = "micro.toml";

/// The settings of Micro: `micro.toml`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where services make themselves known: `file`, `file:///some/folder` or `memory`. Default: `file`.
    pub(crate) registry: Option<String>,
    /// The gateway, of `micro server` and of `micro run`.
    pub(crate) gateway: Config,
    /// The services that `micro run` starts, by name.
    pub(crate) services: BTreeMap<String, Service>,
}

/// A service that `micro run` starts: one `[services.NAME]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Service {
    /// Its folder, relative to the file. Default: the file's own.
    pub(crate) path: PathBuf,
    /// The program to run, when the package has several.
    pub(crate) bin: Option<String>,
    /// A command to run instead of a cargo package.
    pub(crate) command: Option<Vec<String>>,
    /// Services that must be up first. Default: none.
    pub(crate) depends: Vec<String>,
    /// Variables for it. Default: none.
    pub(crate) env: BTreeMap<String, String>,
    /// Folders to watch instead of its own, relative to its own.
    pub(crate) watch: Vec<PathBuf>,
}

/// What the settings are read from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    file: Option<PathBuf>,
    flags: Vec<(String, String, String)>,
}

/// A key and what it is to be.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    key: String,
    value: String,
}

impl std::str::FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("it is KEY=VALUE, for example gateway.auth.mode=on")?;
        Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
    }
}

impl Reading {
    /// From this file, which must be there, or from the one of this folder, if there is one.
    pub(crate) fn of(file: Option<&Path>) -> Self {
        let file = file.map(Path::to_owned).or_else(|| fs::exists(NAME).is_ok_and(|is| is).then(|| NAME.into()));
        Self { file, flags: Vec::new() }
    }

    /// From variables and flags only.
    pub(crate) fn without_file() -> Self {
        Self::default()
    }

    /// What it is of, for people.
    pub(crate) fn name(&self) -> String {
        self.file.as_ref().map_or("what variables and flags say".to_owned(), |file| file.display().to_string())
    }

    /// A flag that says what a key is to be, if it was given.
    #[must_use]
    pub(crate) fn flag(mut self, typed: &str, key: &str, value: Option<impl ToString>) -> Self {
        let given = value.map(|value| (key.to_owned(), value.to_string(), typed.to_owned()));
        self.flags.extend(given);
        self
    }

    /// What `--set` says.
    #[must_use]
    pub(crate) fn set(mut self, settings: &[Setting]) -> Self {
        self.flags
            .extend(settings.iter().map(|Setting { key, value }| (key.clone(), value.clone(), format!("--set {key}"))));
        self
    }

    /// Reads it all.
    pub(crate) fn load(&self) -> Result<Loaded<Settings>, CommandError> {
        let mut sources = Sources::new();
        if let Some(path) = &self.file {
            sources = sources.file(path).map_err(|error| unreadable(path, error))?;
        }
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        sources = sources.environment(env::vars_os().filter_map(text));
        for (key, value, typed) in &self.flags {
            sources = sources.flag(key, value, typed);
        }
        let mut loaded: Loaded<Settings> = sources.load().map_err(|error| refused(&error))?;
        if let Some(folder) = self.file.as_deref().and_then(Path::parent) {
            let of_file: Vec<&str> =
                Config::PATHS.iter().copied().filter(|key| loaded.is_of_file(&format!("gateway.{key}"))).collect();
            loaded.value.gateway.within(folder, |key| of_file.contains(&key));
        }
        Ok(loaded)
    }

    /// Reads it again whenever the file or a policy was written, for as long as the gateway runs. What is wrong is told
    /// in the log, and what held before goes on.
    pub(crate) async fn follow(&self, mut current: Loaded<Settings>, gateway: Handle) {
        let mut watch = self.watch(&current);
        loop {
            watch.changed().await;
            match self.take_over(&gateway).await {
                Ok(newer) => {
                    tracing::info!("config read again");
                    current.changes(&newer).iter().for_each(tell);
                    if newer.value.gateway.policies != current.value.gateway.policies {
                        watch = self.watch(&newer);
                    }
                    current = newer;
                }
                Err(error) => {
                    let why = [&[error.message][..], &error.causes].concat().join(": ");
                    tracing::error!(why, "config not taken over, the one before goes on");
                }
            }
        }
    }

    fn watch(&self, settings: &Loaded<Settings>) -> Watch {
        let policies = settings.value.gateway.policies.iter().map(PathBuf::from);
        Watch::files(self.file.iter().cloned().chain(policies))
    }

    async fn take_over(&self, gateway: &Handle) -> Result<Loaded<Settings>, CommandError> {
        let newer = self.load()?;
        let reloaded = gateway.reload(&newer.value.gateway).await;
        reloaded.map_err(|error| CommandError::invalid(error.to_string()))?;
        Ok(newer)
    }
}

/// Tells in the log of a key that changed.
fn tell(change: &Change) {
    let Change { key, before, after } = change;
    let unset = || "unset".to_owned();
    let (before, after) = (before.clone().unwrap_or_else(unset), after.clone().unwrap_or_else(unset));
    let live =
        key.strip_prefix("gateway.").is_some_and(|key| Config::RELOADED.iter().any(|table| key.starts_with(table)));
    if live {
        tracing::info!(key, before, after, "config changed");
    } else {
        tracing::warn!(key, before, after, "config changed, which counts after a restart");
    }
}

/// Reads one file without regard to variables and flags. `None` when there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<Loaded<Settings>>, CommandError> {
    match Sources::new().file(path) {
        Ok(sources) => sources.load().map(Some).map_err(|error| refused(&error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, error)),
    }
}

/// The page that explains every key.
pub(crate) fn reference() -> String {
    const HEAD: &str = "\
<!-- Made by `cargo xtask generate` from the doc comments of the settings. Do not edit. -->

# micro.toml

Every key, with the environment variable that says the same. Flags win over variables, those over the file: `--set
gateway.auth.mode=on` sets any key, and the usual ones have flags of their own. In variables and flags a list is written
with commas. A key that is not here, or a value that does not fit, is refused with its line. A path in the file is relative
to the file's folder, one in a variable or a flag to the folder of the command.

`micro config check` tries a file, `micro config show` prints what holds, `micro config schema` prints a JSON Schema for
editors.

While a gateway runs, `micro.toml` is read again when it is written, and on SIGHUP. What is new among tokens, issuers,
scopes, roles, tenants, policies and in `auth.embedded` counts from the next call on; what needs a restart is told in the
log. A file with a mistake changes nothing.

";
    format!("{HEAD}{}", micro_runtime::config::reference::<Settings>())
}

/// The registry that the first of these files names which names one.
pub(crate) fn registry(files: &[PathBuf]) -> Result<Option<Location>, CommandError> {
    for path in files {
        let Some(text) = read(path)?.and_then(|settings| settings.value.registry) else { continue };
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

fn unreadable(path: &Path, error: io::Error) -> CommandError {
    if error.kind() == io::ErrorKind::NotFound {
        return CommandError::not_found(format!("cannot read {}: there is no such file", path.display()));
    }
    CommandError::new(Kind::Invalid, format!("cannot read {}", path.display())).because(error)
}

fn refused(error: &Invalid) -> CommandError {
    let mut invalid = CommandError::invalid("the settings cannot be used");
    invalid.causes.extend(error.0.iter().map(ToString::to_string));
    invalid.hint("`micro config reference` prints every key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuzz_corpus_is_taken_or_refused_on_one_line() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../micro-gateway/fuzz/corpus/config");
        let mut taken = Vec::new();
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let (file, variables) = text.split_once("\n---\n").unwrap_or((&text, ""));
            let variables = variables.lines().filter_map(|line| line.split_once('='));
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            match Sources::new().text("micro.toml", file).environment(variables).load::<Settings>() {
                Ok(_) => taken.push(path.file_name().unwrap().to_string_lossy().into_owned()),
                Err(Invalid(problems)) => {
                    let told = |reason: &str| !reason.is_empty() && !reason.chars().any(char::is_control);
                    assert!(problems.iter().all(|problem| told(&problem.reason)), "{path:?}: {problems:?}");
                }
            }
        }
        taken.sort();
        assert_eq!(taken, ["cycle", "empty", "full"]);
    }
}
