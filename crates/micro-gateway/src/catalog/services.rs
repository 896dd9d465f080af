//! The services of the registry, compiled one by one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use micro_policy::Access;
use micro_registry::{Endpoint, Event, Instance};

use super::{Problem, Tool};

/// All services, each with its compiled tools.
#[derive(Debug, Default)]
pub(super) struct Services {
    all: BTreeMap<Arc<str>, Service>,
    access: Arc<Access>,
}

/// One service: its living instances and what they offer together.
#[derive(Debug)]
pub(super) struct Service {
    instances: BTreeMap<String, Arc<Instance>>,
    endpoints: Vec<Endpoint>,
    pub(super) description: String,
    pub(super) tools: Vec<Arc<Tool>>,
    pub(super) problems: Vec<Problem>,
}

impl Services {
    /// None yet, and who may call them when they come.
    pub(super) fn under(access: Arc<Access>) -> Self {
        Self { all: BTreeMap::new(), access }
    }

    /// Other rules about who may call what. Nothing but those is worked out again.
    pub(super) fn govern(&mut self, access: Arc<Access>) {
        for tool in self.all.values_mut().flat_map(|service| &mut service.tools) {
            *tool = Arc::new(tool.under(&access));
        }
        self.access = access;
    }

    /// Who may call what.
    pub(super) fn access(&self) -> &Arc<Access> {
        &self.access
    }

    /// Takes an event in. True when the tools changed by it.
    pub(super) fn apply(&mut self, event: &Event) -> bool {
        match event {
            Event::Reset(all) => self.reset(all),
            Event::Up(instance) => self.up(instance),
            Event::Down(id) => self.down(id),
            Event::Ignored(_) | Event::Problem(_) => false,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Service)> {
        self.all.iter()
    }

    fn reset(&mut self, all: &[Arc<Instance>]) -> bool {
        let mut changed = false;
        let alive: BTreeSet<&str> = all.iter().map(|i| i.node.id.as_str()).collect();
        let gone = |id: &&String| !alive.contains(id.as_str());
        let gone: Vec<String> = self.all.values().flat_map(|s| s.instances.keys().filter(gone)).cloned().collect();
        for id in &gone {
            changed |= self.down(id);
        }
        for instance in all {
            changed |= self.up(instance);
        }
        changed
    }

    fn up(&mut self, instance: &Arc<Instance>) -> bool {
        let service = self.all.entry(instance.name.as_str().into()).or_insert_with(Service::empty);
        service.instances.insert(instance.node.id.clone(), instance.clone());
        service.compile(&instance.name, &self.access)
    }

    fn down(&mut self, id: &str) -> bool {
        // Node ids carry their service's name, but only by convention.
        let Some(name) = self.all.iter().find(|(_, s)| s.instances.contains_key(id)).map(|(name, _)| name.clone())
        else {
            return false;
        };
        let service = self.all.get_mut(&name).expect("just found");
        service.instances.remove(id);
        if service.instances.is_empty() {
            self.all.remove(&name);
            return true;
        }
        service.compile(&name, &self.access)
    }
}

impl Service {
    fn empty() -> Self {
        let (instances, endpoints, tools, problems) = Default::default();
        Self { instances, endpoints, description: String::new(), tools, problems }
    }

    /// Compiles again when the instances no longer offer what they did. True when so.
    fn compile(&mut self, name: &str, access: &Access) -> bool {
        let endpoints = offered(self.instances.values());
        let description = self.instances.values().max_by_key(|i| &i.version).map_or("", |i| i.description());
        if endpoints == self.endpoints && description == self.description {
            return false;
        }
        let name: Arc<str> = name.into();
        let subscriber = |e: &&Endpoint| e.metadata.get("subscriber").is_some_and(|v| v == "true");
        let compiled =
            endpoints.iter().filter(|e| !subscriber(e)).map(|e| Tool::compile(&name, e.descriptor(), access));
        let (tools, problems): (Vec<_>, Vec<_>) = compiled.partition(Result::is_ok);
        self.tools = tools.into_iter().filter_map(Result::ok).map(Arc::new).collect();
        self.problems = problems.into_iter().filter_map(Result::err).collect();
        self.description = description.to_owned();
        self.endpoints = endpoints;
        true
    }
}

/// Every endpoint that some instance offers, by name. Where instances disagree, as they do while a
/// new version rolls out, the highest version speaks, and among equals the node with the highest id.
fn offered<'a>(instances: impl Iterator<Item = &'a Arc<Instance>>) -> Vec<Endpoint> {
    let mut instances: Vec<_> = instances.collect();
    instances.sort_by(|a, b| (&a.version, &a.node.id).cmp(&(&b.version, &b.node.id)));
    let all = instances.iter().flat_map(|i| &i.endpoints);
    let by_name: BTreeMap<&str, &Endpoint> = all.map(|e| (e.name.as_str(), e)).collect();
    by_name.into_values().cloned().collect()
}
