//! From a plan to running services: what each is started as, and what happens when its sources change.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use micro_registry::Registry;

use super::{
    build::{Keep, Version, build},
    find::{Program, Spec, Target},
    logs::Screen,
    process::Launch,
    supervise::{Service, Supervisor},
    watch::Watch,
};
use crate::error::CommandError;

/// Services and how they are made.
#[derive(Debug)]
pub(super) struct Session {
    specs: Vec<Spec>,
    release: bool,
    /// Variables of every service.
    env: BTreeMap<String, String>,
    screen: Arc<Screen>,
    keep: Keep,
    /// The versions that were built last, by service.
    versions: HashMap<String, Version>,
}

impl Session {
    pub(super) fn new(specs: Vec<Spec>, release: bool, env: BTreeMap<String, String>, screen: Arc<Screen>) -> Self {
        Self { specs, release, env, screen, keep: Keep::default(), versions: HashMap::new() }
    }

    /// Builds what has to be built.
    ///
    /// # Errors
    /// When something does not build.
    pub(super) async fn build(&mut self) -> Result<(), CommandError> {
        let targets = self.targets(|_| true);
        self.versions.extend(build(&targets, self.release, &self.keep, &self.screen).await?);
        Ok(())
    }

    /// Starts every service.
    pub(super) fn start(&self, registry: Arc<dyn Registry>) -> Supervisor {
        let services = self.specs.iter().map(|spec| Service {
            name: spec.name.clone(),
            depends: spec.depends.clone(),
            launch: self.launch(spec),
        });
        Supervisor::start(services.collect(), registry, self.screen.clone())
    }

    /// Follows changes for ever: builds what they concern, and replaces what became different.
    pub(super) async fn reload(&mut self, watch: &mut Watch, supervisor: &Supervisor) {
        loop {
            let changed = watch.changed().await;
            let affected: BTreeSet<_> =
                self.specs.iter().filter(|spec| self.concerns(spec, &changed)).map(|spec| spec.name.clone()).collect();
            if affected.is_empty() {
                continue;
            }
            tracing::debug!(?changed, ?affected, "sources have changed");
            let built =
                build(&self.targets(|name| affected.contains(name)), self.release, &self.keep, &self.screen).await;
            let built = match built {
                Ok(built) => built,
                Err(error) => {
                    self.screen.say(format_args!("build failed, keeping previous version running: {error}"));
                    continue;
                }
            };
            let mut replaced = Vec::new();
            for name in affected {
                let changed = match built.get(&name) {
                    // A file that made no difference to the program needs no restart.
                    Some(new) => {
                        self.versions.insert(name.clone(), new.clone()).is_none_or(|old| old.digest != new.digest)
                    }
                    None => true,
                };
                if changed {
                    replaced.push(name);
                }
            }
            if replaced.is_empty() {
                self.screen.say("nothing has changed in the programs");
            }
            for name in replaced {
                if let Some(spec) = self.specs.iter().find(|spec| spec.name == name) {
                    supervisor.replace(&name, self.launch(spec)).await;
                }
            }
        }
    }

    /// The folders to watch.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        self.specs.iter().flat_map(|spec| spec.watch.iter().cloned()).collect()
    }

    /// Whether some of these files are sources of a service.
    fn concerns(&self, spec: &Spec, changed: &BTreeSet<PathBuf>) -> bool {
        if changed.iter().any(|path| spec.watch.contains(path)) {
            return true; // the folder itself: nobody knows what in it
        }
        let inside = |path: &Path| spec.watch.iter().any(|folder| path.starts_with(folder));
        let Program::Cargo(_) = spec.program else {
            return changed.iter().any(|path| inside(path));
        };
        // Cargo knows what it read. A new file is Rust, or is named by one that changed as well.
        let inputs = self.versions.get(&spec.name).map(|version| &version.inputs);
        changed.iter().any(|path| {
            inputs.is_some_and(|inputs| inputs.contains(path))
                || (inside(path) && (path.extension().is_some_and(|e| e == "rs") || path.ends_with("Cargo.toml")))
        })
    }

    fn targets(&self, wanted: impl Fn(&String) -> bool) -> BTreeMap<String, Target> {
        let cargo = self.specs.iter().filter_map(|spec| match &spec.program {
            Program::Cargo(target) => Some((spec.name.clone(), target.clone())),
            Program::Command(_) => None,
        });
        cargo.filter(|(name, _)| wanted(name)).collect()
    }

    fn launch(&self, spec: &Spec) -> Launch {
        let (program, args) = match &spec.program {
            Program::Cargo(_) => (self.versions[&spec.name].program.clone(), Vec::new()),
            Program::Command(words) => (PathBuf::from(&words[0]), words[1..].to_vec()),
        };
        // From the general to the particular: what stands later wins.
        let address = ("MICRO_ADDRESS".to_owned(), "127.0.0.1:0".to_owned());
        let env = [address].into_iter().chain(spec.env.clone()).chain(self.env.clone()).collect();
        Launch { program, args, dir: spec.dir.clone(), env }
    }
}
