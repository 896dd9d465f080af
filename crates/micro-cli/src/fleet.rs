//! The services in the registry, each put together from its instances.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use micro_core::EndpointDescriptor;
use micro_registry::{Instance, Location, Node, Registry};

use crate::{cx::Cx, error::CommandError, near};

/// Time a registry has to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// One service, whatever number of nodes it runs on.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// More than one while a new version rolls out.
    pub(crate) versions: BTreeSet<String>,
    pub(crate) description: String,
    pub(crate) nodes: Vec<Node>,
    /// What some node offers, by name. Where nodes disagree, the highest version speaks.
    pub(crate) endpoints: Vec<EndpointDescriptor>,
}

/// Every service there is, by name.
pub(crate) async fn services(cx: &Cx) -> Result<Vec<Service>, CommandError> {
    let mut instances = list(&*cx.registry()?).await?;
    instances.sort_by(|a, b| (&a.name, &a.version, &a.node.id).cmp(&(&b.name, &b.version, &b.node.id)));
    Ok(instances.chunk_by(|a, b| a.name == b.name).map(Service::of).collect())
}

/// Every instance there is.
pub(crate) async fn list(registry: &dyn Registry) -> Result<Vec<Arc<Instance>>, CommandError> {
    match tokio::time::timeout(PATIENCE, registry.list()).await {
        Ok(instances) => Ok(instances?),
        Err(_) => Err(silent()),
    }
}

/// The registry said nothing.
pub(crate) fn silent() -> CommandError {
    CommandError::unavailable(format!("the registry has not answered within {} s", PATIENCE.as_secs()))
        .hint("`micro doctor` looks for the reason")
}

/// The service of this name.
pub(crate) fn find<'a>(services: &'a [Service], name: &str, location: &Location) -> Result<&'a Service, CommandError> {
    services.iter().find(|service| service.name == name).ok_or_else(|| {
        let error = CommandError::not_found(format!("no service `{name}` is registered"));
        match services {
            [] => error.hint(nobody(location)),
            _ => near::hint(error, name, services.iter().map(|service| service.name.as_str())),
        }
    })
}

/// What to do when the registry is empty.
pub(crate) fn nobody(location: &Location) -> String {
    match location {
        Location::Memory => "the registry `memory` is inside one process; services elsewhere use `file`".to_owned(),
        _ => format!("nobody is in the registry `{location}`; start services with `micro run`"),
    }
}

impl Service {
    /// From its instances, the highest version last.
    fn of(instances: &[Arc<Instance>]) -> Self {
        let last = &instances[instances.len() - 1]; // chunks are not empty
        let offered = instances.iter().flat_map(|instance| &instance.endpoints);
        let endpoints: BTreeMap<_, _> = offered.map(|endpoint| (&endpoint.name, endpoint)).collect();
        Self {
            name: last.name.clone(),
            versions: instances.iter().map(|instance| instance.version.clone()).collect(),
            description: last.description().to_owned(),
            nodes: instances.iter().map(|instance| instance.node.clone()).collect(),
            endpoints: endpoints.into_values().map(micro_registry::Endpoint::descriptor).collect(),
        }
    }

    /// The endpoint of this name.
    pub(crate) fn endpoint(&self, name: &str) -> Option<&EndpointDescriptor> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }

    /// Its versions in one cell.
    pub(crate) fn version(&self) -> String {
        self.versions.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}
