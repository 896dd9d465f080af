//! The services of the registry, compiled one by one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use micro_registry::{Endpoint, Event, Instance};

use super::{Problem, Tool};

/// All services, each with its compiled tools.
#[derive(Debug, Default)]
pub(super) struct Services(BTreeMap<Arc<str>, Service>);

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
        self.0.iter()
    }

    fn reset(&mut self, all: &[Arc<Instance>]) -> bool {
        let mut changed = false;
        let alive: BTreeSet<&str> = all.iter().map(|i| i.node.id.as_str()).collect();
        let gone = |id: &&String| !alive.contains(id.as_str());
        let gone: Vec<String> = self.0.values().flat_map(|s| s.instances.keys().filter(gone)).cloned().collect();
        for id in &gone {
            changed |= self.down(id);
        }
        for instance in all {
            changed |= self.up(instance);
        }
        changed
    }

    fn up(&mut self, instance: &Arc<Instance>) -> bool {
        let service = self.0.entry(instance.name.as_str().into()).or_insert_with(Service::empty);
        service.instances.insert(instance.node.id.clone(), instance.clone());
        service.compile(&instance.name)
    }

    fn down(&mut self, id: &str) -> bool {
        // Node ids carry their service's name, but only by convention.
        let Some(name) = self.0.iter().find(|(_, s)| s.instances.contains_key(id)).map(|(name, _)| name.clone()) else {
            return false;
        };
        let service = self.0.get_mut(&name).expect("just found");
        service.instances.remove(id);
        if service.instances.is_empty() {
            self.0.remove(&name);
            return true;
        }
        service.compile(&name)
    }
}

impl Service {
    fn empty() -> Self {
        let (instances, endpoints, tools, problems) = Default::default();
        Self { instances, endpoints, description: String::new(), tools, problems }
    }

    /// Compiles again when the instances no longer offer what they did. True when so.
    fn compile(&mut self, name: &str) -> bool {
        let endpoints = offered(self.instances.values());
        let description = self.instances.values().max_by_key(|i| &i.version).map_or("", |i| i.description());
        if endpoints == self.endpoints && description == self.description {
            return false;
        }
        let name: Arc<str> = name.into();
        let subscriber = |e: &&Endpoint| e.metadata.get("subscriber").is_some_and(|v| v == "true");
        let compiled = endpoints.iter().filter(|e| !subscriber(e)).map(|e| Tool::compile(&name, e.descriptor()));
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
